"""Every part of the original section stands in the book."""

import re
import tomllib
from pathlib import Path

import pytest

TABLE = tomllib.loads(Path(__file__).with_name("source_coverage.toml").read_text("utf8"))
PARTS = [(page, entry["part"], entry["find"]) for page, parts in TABLE.items() for entry in parts]


def content(page):
    """Return the text, the formulas and the link addresses of a page, its white space single."""
    article = page.select_one("article")
    addresses = [link["href"] for link in article.find_all("a", href=True)]
    return re.sub(r"\s+", " ", " ".join([article.get_text(), *addresses]))


IDS = [f"{name}: {part}" for name, part, _ in PARTS]


@pytest.mark.parametrize(("name", "part", "find"), PARTS, ids=IDS)
def test_part_is_covered(pages, name, part, find):
    text = content(pages[f"chapters/{name}.html"])
    assert [pattern for pattern in find if not re.search(pattern, text, re.IGNORECASE)] == []


def test_each_part_is_named_once():
    names = [part[:2] for part in PARTS]
    assert len(names) > 90
    assert len(set(names)) == len(names)
