"""What the built pages hold: no errors, no dead links, no picture without words."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest
from building import ROOT

LINKS = {"a": "href", "link": "href", "script": "src", "img": "src", "source": "src"}


def contents():
    """Return the pages that the table of contents names."""
    return re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text("utf8"))


def test_every_chapter_is_built(pages):
    assert {f"{name}.html" for name in contents()} <= set(pages)


def test_no_error_output(pages):
    bad = ".stderr, .traceback, .output.error, .highlight-ipythontb, .problematic, .system-message"
    assert {name: found for name, page in pages.items() if (found := page.select(bad))} == {}


def targets(page):
    """Yield every address that a page refers to."""
    for tag, attribute in LINKS.items():
        for element in page.find_all(tag, attrs={attribute: True}):
            yield element[attribute]


def problem(name, address, names, book):
    """Say what is wrong with an address on a page, if anything is."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    target = (book / PurePosixPath(name).parent / unquote(parts.path)).resolve()
    target = target if parts.path else book / name
    if not target.is_file():
        return f"{name}: no file {address}"
    if not (parts.fragment and target.suffix == ".html"):
        return None
    explorers, place = settings(unquote(parts.fragment))
    there = names[target.relative_to(book).as_posix()]
    if place and place not in there["id"]:
        return f"{name}: no place {address}"
    if not explorers <= there["data-name"]:
        return f"{name}: no explorer for {address}"
    return None


def settings(fragment):
    """Split a fragment into the explorers that it sets, as in #training?b=1, and a place."""
    parts = [part for part in fragment.split(";") if "?" in part]
    return {part.split("?")[0] for part in parts}, "" if parts else fragment


def test_internal_links_resolve(pages, book):
    names = {
        name: {key: {each[key] for each in page.select(f"[{key}]")} for key in ("id", "data-name")}
        for name, page in pages.items()
    }
    checked = [
        problem(name, address, names, book)
        for name, page in pages.items()
        for address in targets(page)
    ]
    assert checked
    assert [found for found in checked if found] == []


def test_only_links_leave_the_site(pages):
    """Nothing but an `a` may name another host: it would be fetched."""
    loaded = {tag: attribute for tag, attribute in LINKS.items() if tag != "a"}
    outside = [
        (name, element[attribute])
        for name, page in pages.items()
        for tag, attribute in loaded.items()
        for element in page.find_all(tag, attrs={attribute: True})
        if urlsplit(element[attribute]).netloc
    ]
    assert outside == []


def test_pictures_have_words(pages):
    silent = [
        (name, str(image)[:200])
        for name, page in pages.items()
        for image in page.select("img, svg[role=img], [role=img]")
        if not (image.get("alt") or image.get("aria-label") or image.find("title"))
    ]
    assert silent == []


def test_svg_pictures_have_a_role(pages):
    """A figure drawn as SVG says that it is one picture, or that it is decoration."""
    bare = [
        (name, str(svg)[:200])
        for name, page in pages.items()
        for svg in page.select(".cell_output svg")
        if not (svg.get("role") or svg.get("aria-hidden") or svg.find_parent(attrs={"role": "img"}))
    ]
    assert bare == []


@pytest.mark.parametrize("useless", ["widget-state", "thebe", "unpkg", "jsdelivr"])
def test_nothing_useless_is_loaded(pages, useless):
    assert [name for name, page in pages.items() if useless in str(page.find_all("script"))] == []


def test_each_chapter_offers_its_notebook(book):
    sources = book / "_sources" / "chapters"
    with_cells = [path for path in sources.glob("*.md") if "{code-cell}" in path.read_text("utf8")]
    assert with_cells
    for path in with_cells:
        notebook = path.with_suffix(".ipynb").read_text("utf8")
        assert '"output_type"' not in notebook


def test_size(book):
    assert sum(path.stat().st_size for path in book.rglob("*") if path.is_file()) < 25e6
