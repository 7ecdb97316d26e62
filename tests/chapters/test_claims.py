"""Whatever the course claims is held by a test, by an assertion in a cell, or by arithmetic."""

import re
import tomllib
from pathlib import Path

import pytest
from ledger import CITED, ROOT, Page, complaints, names_of_tests, single_spaced
from notebooks import CHAPTERS
from pybtex.database import parse_file

LEDGER = tomllib.loads(Path(__file__).with_name("claims.toml").read_text("utf8"))
PAGES = {path.stem: Page(path.stem, path.read_text("utf8")) for path in CHAPTERS.glob("*.md")}

CHAPTER = """---
kernelspec: {name: python3}
---

# A chapter

```{code-cell} ipython3
:tags: [remove-cell]

batch_size = 64
speed = measure(batch_size)
assert (speed >
        2 * slowest)
```

% claim: fast
Batches of 64 are {eval}`told["gain"]` times as fast.

:::{admonition} Predict
How many times faster are 100?
:::

% claim: half, luck
:::{dropdown} Answer
Half as fast.

And on 20 seeds.
:::
"""
ENTRY = {"claim": "It is fast.", "kind": "time", "cell": "assert (speed > 2 * slowest)"}
EXACT = {"claim": "A half.", "kind": "exact", "holds": "1 / 2 == 0.5"}
LUCK = {
    "claim": "On every seed.",
    "kind": "chance",
    "seeds": 20,
    "test": "tests/library/test_seeds.py::test_gradient_descent_turns_around",
}


def complaints_about(chapter=CHAPTER, allowed=(), **entries):
    """Return what is wrong with a small chapter, some of whose entries are exchanged."""
    entries = {"fast": ENTRY, "half": EXACT, "luck": LUCK} | entries
    entries = {name: entry for name, entry in entries.items() if entry}
    ledger = {"small": entries, "allowed": {"small": dict.fromkeys(allowed, "a reason")}}
    return list(complaints(ledger, {"small": Page("small", chapter)}))


def test_ledger_is_complete():
    found = list(complaints(LEDGER, PAGES))
    assert found == [], "\n".join(found)


def test_a_sound_chapter_gives_no_complaint():
    assert complaints_about() == []


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("luck", {"test": "tests/library/test_seeds.py::test_gone"}, "no such test"),
        ("luck", {"test": "tests/library/test_gone.py::test_gone"}, "no such test"),
        ("luck", {"test": ["tests/library/test_seeds.py::runs"]}, "no such test"),
        ("luck", {"seeds": 1}, "on how many seeds"),
        ("luck", {"seeds": 21}, "no 21 in the code"),
        ("luck", {"kind": "exact"}, "and no other"),
        ("fast", {"cell": "speed > 3 * slowest"}, "0 assertions"),
        ("fast", {"cell": "speed = measure(batch_size)"}, "0 assertions"),
        ("fast", {"cell": [], "holds": "True"}, "asserted in the cell that measures it"),
        ("half", {"holds": "1 / 3 == 0.5"}, "does not hold"),
        ("half", {"kind": "sure"}, "kind must be"),
        ("half", {"claim": ""}, "says nothing"),
        ("half", {"note": "?"}, "unknown keys"),
    ],
)
def test_a_wrong_entry_is_found(name, change, complaint):
    entry = {"fast": ENTRY, "half": EXACT, "luck": LUCK}[name] | change
    assert complaint in "\n".join(complaints_about(**{name: entry}))


@pytest.mark.parametrize(
    ("chapter", "complaint"),
    [
        (CHAPTER.replace("% claim: fast\n", ""), "small.fast: no mark"),
        (CHAPTER.replace("% claim: fast", "% claim: quick"), "small.quick: not in the ledger"),
        (CHAPTER.replace("claim: half, luck", "claim: half, luck, half"), "half: marked twice"),
        (CHAPTER + '\nA gain of {eval}`told["gain"]`.\n', "not marked: A gain"),
        (CHAPTER + "\nIt takes 7 steps.\n", "not marked: It takes 7"),
        (CHAPTER + "\nIt takes 64 ms.\n", "not marked: It takes 64"),
        (CHAPTER + "\nIt is twice as fast.\n", "not marked: It is twice"),
        (CHAPTER + "\n| speed |\n|--:|\n| 7 |\n", "not marked: speed 7"),
        (CHAPTER + "\n- one\n- 7 more\n", "not marked: one 7 more"),
        (CHAPTER + "\n:::{note}\nIt is a tenth, 7 %.\n:::\n", "not marked: It is a tenth"),
    ],
)
def test_a_wrong_chapter_is_found(chapter, complaint):
    assert complaint in "\n".join(complaints_about(chapter))


@pytest.mark.parametrize(
    "harmless",
    [
        "Batches of 64.",
        "Why 7 times?",
        "See `x[7]` and $x = 7$ and [seven](page7.md) and [Ann (2007)](bibliography.md#ann).",
        "## Seven 7",
        "```python\nx = 7\n```",
    ],
)
def test_settings_questions_code_and_formulas_claim_nothing(harmless):
    assert complaints_about(CHAPTER + f"\n{harmless}\n") == []


def test_allowances_hold_and_stale_ones_are_found():
    chapter = CHAPTER + "\nIt has 7 parts.\n"
    assert complaints_about(chapter, allowed=["has 7 parts"]) == []
    assert complaints_about(allowed=["has 7 parts"]) == ["small: allowed for nothing: has 7 parts"]
    assert complaints_about(half=None)[0] == "small.half: not in the ledger"
    assert list(complaints({"gone": {}}, {})) == ["gone: no such chapter"]


def test_an_assertion_may_stand_in_another_chapter():
    there = "```{code-cell} ipython3\nassert gain > 2\n```\n"
    pages = {
        "small": Page("small", "% claim: fast\nTwice as fast.\n"),
        "large": Page("large", there),
    }
    for piece, found in (("gain > 2", []), ("gain > 3", ["small.fast: 0 assertions in the cells"])):
        ledger = {"small": {"fast": ENTRY | {"cell": f"large: assert {piece}"}}}
        assert [c.partition(" have")[0] for c in complaints(ledger, pages)] == found


def test_an_entry_given_twice_is_refused():
    twice = "[small.fast]\nclaim = 'a'\n[small.fast]\nclaim = 'b'\n"
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(twice)


def test_the_bibliography_lists_what_is_cited():
    """By the name of the first author and the year, too."""
    entries = parse_file(ROOT / "chapters" / "references.bib").entries
    cited = [found for page in PAGES.values() for found in CITED.findall(page.text)]
    assert {key for _, key in cited} == set(entries)
    for words, key in cited:
        first = entries[key].persons["author"][0]
        assert words.startswith(" ".join(first.prelast_names + first.last_names)), key
        assert entries[key].fields["year"] in words, key


def held_by(page):
    """Return each entry of the errata, by its first words, with what it says holds it."""
    return re.findall(r"^(\S.*)\n: (?:.*\n: )+?\*Held by:\* (.+)$", page.text, re.MULTILINE)


ERRATA = held_by(PAGES["errata"])


def test_every_entry_of_the_errata_says_what_holds_it():
    defects = re.findall(r"^: \*Shown:\*", PAGES["errata"].text, re.MULTILINE)
    assert len(ERRATA) == len(defects) > 35


@pytest.mark.parametrize(("says", "holds"), ERRATA, ids=[says[:40] for says, _ in ERRATA])
def test_what_holds_an_entry_exists(says, holds):
    tests = set().union(*map(names_of_tests, ROOT.glob("tests/*/test_*.py")))
    claims = {f"{chapter}.{name}" for chapter, names in LEDGER.items() for name in names}
    named = re.findall(r"`([^`]+)`", holds)
    assert [name for name in named if name not in tests | claims] == []
    assert named or re.search(r"a matter of reading|published figures", single_spaced(holds))


def test_minutes_of_the_chapters_add_up():
    """The introduction says five hours, exercises and other frameworks not counted."""
    others = ("mxnet", "tensorflow", "jax", "comparison", "exercises", "challenges")
    texts = " ".join(page.text for name, page in PAGES.items() if name not in others)
    total = sum(map(int, re.findall(r"^About (\d+) minutes\.", texts, re.MULTILINE)))
    assert abs(total / 60 - 5) < 0.5
    assert "About five hours" in PAGES["intro"].text
