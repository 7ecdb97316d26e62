"""Print the single-page build of the book to one PDF, with Chromium.

Run as ``python book/print_pdf.py _build/singlehtml/course.html _build/course.pdf``.
"""

import sys
from pathlib import Path

from browser import FLAGS, MISSING, find_browser
from playwright.sync_api import sync_playwright

STYLE = """
details * { animation: none !important; transition: none !important; opacity: 1 !important; }
pre { white-space: pre-wrap !important; }
button { display: none !important; }
"""  # nothing fades in on paper, and no line may leave it
FIRST = "chapters/intro"
MARGIN = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}


def print_pdf(page_file: Path, pdf_file: Path) -> None:
    """Print one HTML file, once its formulas are set."""
    executable = find_browser() or sys.exit(f"The course can't be printed: {MISSING}.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        # Without scripts an explorer is the figure that stands in for it; formulas need them.
        page = browser.new_page(color_scheme="light")
        page.route("**/replay*.js*", lambda route: route.abort())
        page.goto(page_file.resolve().as_uri(), wait_until="load")
        page.wait_for_function("window.MathJax?.startup?.promise")
        page.evaluate("MathJax.startup.promise")
        page.add_style_tag(content=STYLE)
        # Sphinx names every chapter of a single page but the first.
        page.evaluate(f"document.querySelector('article').id = 'document-{FIRST}'")
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        page.pdf(path=pdf_file, format="A4", margin=MARGIN, scale=0.8, outline=True, tagged=True)
        browser.close()


if __name__ == "__main__":
    print_pdf(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"The course is printed: open {sys.argv[2]}")
