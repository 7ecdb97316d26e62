"""Build a book as `make book` does, into a folder of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = """---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: {kernel}
  display_name: {name}
---
# {title}

{body}
"""


def build(source, output, *options):
    """Build the book in `source`, its pages under `output`, and return what was printed."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", source, *options]
    command += ["--path-output", output, "-W", "-n", "--keep-going"]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def page(title, body, kernel="python3", name="Python 3"):
    """Return a page with cells to run."""
    return PAGE.format(title=title, body=body, kernel=kernel, name=name)


def make_book(source, **pages):
    """Make a book of these pages, with the configuration and the extensions of the course."""
    (source / "chapters").mkdir(parents=True)
    (source / "chapters" / "references.bib").touch()
    shutil.copy(ROOT / "_config.yml", source)
    shutil.copytree(ROOT / "book", source / "book", ignore=shutil.ignore_patterns("outputs"))
    for name, text in pages.items():
        (source / f"{name}.md").write_text(text)
    root, *others = pages
    files = ", ".join(f"{{file: {name}}}" for name in others)
    (source / "_toc.yml").write_text(f"{{format: jb-book, root: {root}, chapters: [{files}]}}")
