"""The pages in a real browser with the network cut."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from axe_playwright_python.base import AXE_SCRIPT


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


# Colors are compared word by word, and code has thousands of words in a few colors.
EACH_COLOR_ONCE = """() => {
    const seen = new Set(), boxes = ".cell_input, .cell_output, .sd-tab-content, details";
    for (const word of document.querySelectorAll(".highlight span[class]")) {
        const kind = `${word.className} in ${word.closest(boxes)?.className}`;
        if (seen.has(kind)) word.replaceWith(...word.childNodes);
        seen.add(kind);
    }
}"""


def violations(page):
    """Say what axe-core finds on a page, in what is folded away too."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate("document.getAnimations().forEach(each => each.finish())")  # half faded is pale
    page.evaluate("window.MathJax?.startup?.promise.then(() => null)")
    page.evaluate(EACH_COLOR_ONCE)
    page.evaluate(AXE_SCRIPT)
    settings = "{preload: false, resultTypes: ['violations']}"  # no request of its own
    found = page.evaluate(f"axe.run({settings})")["violations"]
    return [f"{each['help']}: {node['html']}" for each in found for node in each["nodes"]]


def overflow(page, width):
    """Say by how much a page is wider than a screen."""
    page.set_viewport_size({"width": width, "height": 800})
    found = page.evaluate("document.documentElement.scrollWidth")
    return [f"{found} px on {width}"] if found > width else []


@pytest.mark.parametrize(("scheme", "origin"), [("light", "http"), ("dark", "file")])
def test_pages(browser, book, pages, http, origin, scheme):
    """No complaint, no request elsewhere, nothing inaccessible, nothing beyond the edge."""
    home = http if origin == "http" else book.as_uri()
    complaints = {}
    with browser.new_context(color_scheme=scheme) as context:
        for name in pages.keys() - {"index.html"}:  # which only leads to the first chapter
            page = context.new_page()
            found = watch(page, home)
            page.goto(f"{home}/{name}")
            found += [*violations(page), *overflow(page, 1280), *overflow(page, 360)]
            if found:
                complaints[name] = found
            page.close()
    assert complaints == {}


def test_mathematics_and_icons_are_drawn(browser, book, pages):
    """MathJax and the icons, fonts included, work from the disk."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((book / "chapters" / "minibatches.html").as_uri())
        page.wait_for_selector("mjx-container")
        page.evaluate("document.fonts.ready")
        fonts = page.evaluate("[...document.fonts].map(f => [f.family, f.status])")
    loaded = " ".join(family for family, status in fonts if status == "loaded")
    assert "MJX" in loaded
    assert "Font Awesome" in loaded


def test_copy_button_copies_the_code(browser, book):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((book / "chapters" / "data.html").as_uri())
        cell = page.locator(".cell_input").first
        cell.hover()
        cell.get_by_role("button").click()
        page.keyboard.press("Control+K")  # the search field is the place to paste
        page.keyboard.press("Control+V")
        pasted = page.locator("input[type=search]:focus").input_value()
        code = cell.locator("pre").inner_text()
    assert "import" in pasted
    assert pasted.split() == code.split()


def test_search_finds_a_page(browser, book):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((book / "search.html").as_uri() + "?q=minibatch")
        page.wait_for_selector("#search-results li a")
        assert "chapters/" in page.locator("#search-results li a").first.get_attribute("href")
