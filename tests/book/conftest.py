"""One build of the book from clean for all tests, and one browser."""

import os
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from building import ROOT, build
from filelock import FileLock
from playwright.sync_api import sync_playwright

from book.browser import FLAGS, MISSING, find_browser


def pytest_addoption(parser):
    parser.addoption("--book", type=Path, help="test this folder of built pages, build nothing")


def pytest_collection_modifyitems(items):
    """Begin with the tests that need the book: one worker builds it, the other does the rest.

    The chapters come last, so that the other has enough to do until the book is there.
    """
    items.sort(key=lambda item: ("book" not in item.fixturenames, item.path.parent.name))


@pytest.fixture(scope="session")
def book(request, tmp_path_factory):
    """The folder of the built pages; of several workers the first to ask builds them."""
    built = request.config.getoption("--book", default=None)
    if built is None:
        shared = tmp_path_factory.getbasetemp()
        shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
        folder = shared / "book"
        with FileLock(shared / "book.lock"):
            if not folder.exists():
                build(ROOT, folder, "--all")
        built = folder / "_build" / "html"
        assert (built / "index.html").exists(), "the book was not built"
    return built.resolve()


@pytest.fixture(scope="session")
def pages(book):
    """Every page of the book, parsed, by its path below the folder of the book."""
    files = sorted(path for path in book.rglob("*.html") if "_static" not in path.parts)
    return {
        path.relative_to(book).as_posix(): BeautifulSoup(path.read_text("utf8"), "html.parser")
        for path in files
    }


@pytest.fixture(scope="session")
def browser():
    """The machine's Chromium or Chrome, cut off from every other host."""
    executable = find_browser()
    if executable is None:
        pytest.fail(MISSING) if os.environ.get("CI") == "true" else pytest.skip(MISSING)
    cut = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=[*FLAGS, cut])
        yield chromium
        chromium.close()
