"""What the chapters claim, and what the ledger says of it.

A line `% claim: name` in a chapter marks the paragraph, list, table or box below it. It is a
comment of MyST Markdown: no reader sees it, in the book or in JupyterLab. `claims.toml` has an
entry for each mark.
"""

import ast
import math
import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import yaml
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"\s*claim: (.+)")
CITED = re.compile(r"\[([^]]*)\]\(bibliography\.md#([^)]*)\)")  # a year is no claim
KINDS = ("exact", "chance", "time")
UNITS = r"times|%|percent|[mµn]s|seconds|minutes|[KMGT]i?B|G?bits?|bytes|GB/s|GFLOP|million|dB"
NUMBER = re.compile(rf"(?<![\w.])(\d[\d,]*(?:\.\d+)?)(\s*(?:{UNITS})\b|\s*%)?")
COMPARED = re.compile(
    r"\b(twice|half|halves|halved|doubled?|doubles|a factor of|(?:a|one|another) (?:third|quarter|"
    r"ninth|tenth|sixteenth|twentieth|hundredth)|times (?:as|longer|faster|slower|fewer|more))\b"
)
NO_CLAIMS = ("In this chapter", "In this course", "On this page", "Predict", "Hint", "Licenses")


class Block(NamedTuple):
    """A paragraph, list, table or entry: as typed, its words alone, its marks and its box."""

    source: str
    words: str
    marks: tuple[str, ...]
    box: str
    heading: str

    def claims(self, settings):
        """Tell whether it says how much: a measured value, a unit, a ratio, an unknown number."""
        asks = self.heading == "Check yourself" and "Answer" not in self.box
        if asks or any(title in self.box for title in NO_CLAIMS):
            return False
        said = " ".join(s for s in re.split(r"(?<=[.?!:])\s+", self.words) if not s.endswith("?"))
        numbers = (
            unit or float(digits.strip(",").replace(",", "")) not in settings
            for digits, unit in NUMBER.findall(said)
        )
        return "{eval}" in self.source or any(numbers) or bool(COMPARED.search(said))


class Page:
    """A chapter: its blocks, the assertions in its cells and the numbers in their code."""

    def __init__(self, name, text):
        self.name, self.text = name, re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)

    @cached_property
    def blocks(self):
        return list(read_blocks(self.text))

    @cached_property
    def marks(self):
        lines = re.findall(r"^% claim: (.+)$", self.text, re.MULTILINE)
        return [name for line in lines for name in line.replace(",", " ").split()]

    @cached_property
    def code(self):
        cells = (t for t in parser().parse(self.text) if t.type == "fence")
        cells = [re.sub(r"^:\w+:.*\n", "", t.content) for t in cells if "{code-cell}" in t.info]
        return "\n".join(cells)

    @cached_property
    def asserts(self):
        nodes = [node for node in ast.walk(ast.parse(self.code)) if isinstance(node, ast.Assert)]
        return [single_spaced(ast.get_source_segment(self.code, node)) for node in nodes]

    @cached_property
    def settings(self):
        constants = (n.value for n in ast.walk(ast.parse(self.code)) if isinstance(n, ast.Constant))
        return {float(value) for value in constants if type(value) in (int, float)}


def parser():
    """Return the book's own parser of Markdown."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
    extensions = set(config["parse"]["myst_enable_extensions"])
    return create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML)


def read_blocks(text, marks=(), box=""):
    """Yield the blocks of a text; what is in a box has the box's marks."""
    heading, own, source, words = "", (), [], []
    for token in parser().parse(CITED.sub("", text)):
        if token.type == "myst_line_comment" and (found := MARK.fullmatch(token.content)):
            own = tuple(found[1].replace(",", " ").split())
        elif token.type == "inline":
            source.append(token.content)
            plain = (c.content if c.type == "text" else " " for c in token.children)
            words.append("".join(plain))
        elif token.type == "colon_fence":
            inside = re.sub(r"^:\w+:.*\n", "", token.content, flags=re.MULTILINE)
            yield from read_blocks(inside, marks + own, token.info)
            own = ()
        elif token.level == 0 and token.type.endswith("_close"):
            if token.type == "heading_close":
                heading = source[0]
            else:
                joined = single_spaced(" ".join(source)), single_spaced(" ".join(words))
                yield Block(*joined, marks + own, box, heading)
                own = ()
            source, words = [], []


def single_spaced(text):
    """Return a text with its white space single."""
    return re.sub(r"\s+", " ", text).strip()


def names_of_tests(path):
    """Return the names of the tests in a file."""
    tree = ast.parse(path.read_text("utf8"))
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name[:5] == "test_"}


def listed(value):
    """Return a list, also of a single string."""
    return [value] if isinstance(value, str) else value


def asserted_in(cell, page, pages):
    """Return the page that is said to have an assertion in its cells, and the assertion."""
    name, _, rest = cell.partition(": ")
    return (pages[name], rest) if name in pages else (page, cell)


def wrong_entry(entry, page, pages):
    """Yield what is wrong with one entry of the ledger."""
    if not entry.get("claim"):
        yield "says nothing"
    if entry.get("kind") not in KINDS:
        yield f"kind must be one of {KINDS}"
    if not {"test", "cell", "holds"} & set(entry):
        yield "has nothing that holds it"
    if unknown := set(entry) - {"claim", "kind", "test", "cell", "holds", "seeds"}:
        yield f"unknown keys {sorted(unknown)}"
    for test in listed(entry.get("test", [])):
        file, _, name = test.partition("::")
        if not (ROOT / file).is_file() or name not in names_of_tests(ROOT / file):
            yield f"no such test: {test}"
    for cell in listed(entry.get("cell", [])):
        there, piece = asserted_in(cell, page, pages)
        found = sum(single_spaced(piece) in line for line in there.asserts)
        if found != 1:
            yield f"{found} assertions in the cells have: {cell}"
    for formula in listed(entry.get("holds", [])):
        if eval(formula, {"__builtins__": {}}, vars(math) | {"abs": abs}) is not True:
            yield f"does not hold: {formula}"
    yield from wrong_kind(entry, page)


def wrong_kind(entry, page):
    """Yield what an entry's kind asks for and does not get."""
    if entry.get("kind") == "time" and not entry.get("cell"):
        yield "a claim about time is asserted in the cell that measures it"
    seeds = entry.get("seeds", 0)
    if (entry.get("kind") == "chance") != (seeds > 1):
        yield "a claim about chance, and no other, says on how many seeds it is checked (2 or more)"
    files = {ROOT / test.partition("::")[0] for test in listed(entry.get("test", []))}
    checks = [page.code] if "cell" in entry else []
    checks += [file.read_text("utf8") for file in files if file.is_file()]
    if seeds and not re.search(rf"\b{seeds}\b", " ".join(checks).replace("_", "")):
        yield f"no {seeds} in the code that checks it"


def complaints(ledger, pages):
    """Yield all that is wrong: entries, marks, and paragraphs that say how much with no check."""
    allowed = ledger.get("allowed", {})
    for name in sorted({*pages, *ledger} - {"allowed"}):
        page, entries = pages.get(name), ledger.get(name, {})
        if page is None:
            yield f"{name}: no such chapter"
            continue
        for claim, entry in entries.items():
            yield from (f"{name}.{claim}: {wrong}" for wrong in wrong_entry(entry, page, pages))
        yield from (f"{name}.{mark}: not in the ledger" for mark in set(page.marks) - set(entries))
        yield from (f"{name}.{mark}: no mark" for mark in set(entries) - set(page.marks))
        yield from (f"{name}.{m}: marked twice" for m in set(page.marks) if page.marks.count(m) > 1)
        if name not in allowed.get("pages", {}):
            everywhere = {float(n.replace(",", "")) for n in allowed.get("numbers", {})}
            yield from unheld(page, everywhere, allowed.get(name, {}))


def unheld(page, everywhere, allowed):
    """Yield the paragraphs that claim without a mark or an allowance, and stale allowances."""
    unmarked = [b for b in page.blocks if not b.marks and b.claims(page.settings | everywhere)]
    for block in unmarked:
        if not any(single_spaced(words) in block.source for words in allowed):
            yield f"{page.name}: not marked: {block.source}"
    for words in allowed:
        if not any(single_spaced(words) in block.source for block in unmarked):
            yield f"{page.name}: allowed for nothing: {words}"
