"""The whole course on one page, and that page on paper."""

import shutil
import subprocess
import sys

from bs4 import BeautifulSoup
from building import ROOT, build


def test_course_prints_as_one_pdf(book, browser, tmp_path):
    output = book.parents[1]
    build(ROOT, output, "--builder", "singlehtml")  # the cells were run for the book's pages
    folder = output / "_build" / "singlehtml"
    single = shutil.copy(folder / "chapters" / "intro.html", folder / "course.html")
    page = BeautifulSoup(single.read_text("utf8"), "html.parser")
    article = page.find("article")
    places = {link["href"][1:] for link in article.select("a[href^='#']")} - {""}
    assert places
    first = {"document-chapters/intro"}  # a name that the printing adds
    assert {place for place in places if not page.find(id=place)} <= first
    pdf = tmp_path / "course.pdf"
    subprocess.run([sys.executable, ROOT / "book" / "print_pdf.py", single, pdf], check=True)
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") > 50
