"""The pages in a real browser with the network cut: silent console, no request elsewhere."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Quiet(SimpleHTTPRequestHandler):
    """A file server that logs nothing."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def http(book):
    """The address of the book on a local web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=book))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def watch(page, home):
    """Collect what a page complains of and every request that leaves the site."""
    found = []
    page.on("console", lambda m: m.type in ("warning", "error") and found.append(m.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    page.on("response", lambda r: r.status >= 400 and found.append(f"{r.status}: {r.url}"))
    page.on(
        "request",
        lambda r: r.url.startswith((home, "data:", "blob:")) or found.append(f"left: {r.url}"),
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("origin", ["http", "file"])
def test_pages_are_silent(browser, book, pages, http, origin, scheme):
    home = http if origin == "http" else book.as_uri()
    with browser.new_context(color_scheme=scheme) as context:
        complaints = {}
        for name in pages:
            page = context.new_page()
            found = watch(page, home)
            page.goto(f"{home}/{name}", wait_until="networkidle")
            if found:
                complaints[name] = found
            page.close()
    assert complaints == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_the_screen(browser, book, pages, width):
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        widths = {}
        for name in pages:
            page.goto((book / name).as_uri(), wait_until="networkidle")
            widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: found for name, found in widths.items() if found > width} == {}


def test_mathematics_is_drawn(browser, book, pages):
    """MathJax, fonts included, works from the disk."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((book / "chapters" / "minibatches.html").as_uri())
        page.wait_for_selector("mjx-container")
        page.evaluate("document.fonts.ready")
        fonts = page.evaluate("[...document.fonts].map(f => [f.family, f.status])")
    assert any(family.startswith("MJX") and status == "loaded" for family, status in fonts)


def test_search_finds_a_page(browser, book):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((book / "search.html").as_uri() + "?q=minibatch")
        page.wait_for_selector("#search-results li a")
        assert "chapters/" in page.locator("#search-results li a").first.get_attribute("href")
