"""Build a chapter whose kernel isn't installed: with its saved outputs, or with none.

Saved outputs that fit the present code stand where the cells' own would stand, under a note that
says when and on what they were made. Without them the page shows its code, and a dash for every
value that its text tells.
"""

import hashlib
import json
import re
from datetime import date
from pathlib import Path

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient
from saved import find_kernel, kernel_of, load

DASH = "–"
TOLD = re.compile(r"\{eval\}`[^`]*`")
SAVED = """
:::{{admonition}} Results of another run
:class: note mbsgd-saved
{kernel} is not set up on the machine that built this page.
The results on it were saved on {date}. They were made on this processor: {processor}; \
with {versions}.
`make frameworks` sets up what it takes to make them anew.
:::
"""
UNEXECUTED = """
:::{{admonition}} Not executed here
:class: note mbsgd-unexecuted
{kernel} is not set up on the machine that built this page, and no saved results fit its code.
So the code stands without results, and a dash for each number that it would measure.
`make frameworks` sets up what it takes to run it.
:::
"""


def find_missing(app, config):
    """Note each page whose kernel is missing, with a mark of the outputs that it shows instead."""
    root = Path(app.srcdir)
    paths = {page: root / f"{page}.md" for page in config.external_site_map}
    kernels = {page: kernel_of(path) for page, path in paths.items() if path.exists()}
    config.course_missing = {
        page: mark(load(root, page))
        for page, kernel in kernels.items()
        if kernel and not find_kernel(kernel)
    }


def mark(saved):
    """Return a hash that tells saved outputs from others, or None for none."""
    return saved and hashlib.sha256(json.dumps(saved).encode()).hexdigest()


def choose_reader(app):
    """Let myst-nb read those pages with `read`, which no kernel follows."""
    readers = {
        str(Path(app.env.doc2path(page))): (
            "kernels.read",
            {"config": app.env.myst_config, "root": app.srcdir, "page": page},
            False,
        )
        for page in app.config.course_missing
    }
    app.env.mystnb_config = app.env.mystnb_config.copy(custom_formats=readers)


def read(text, config, root, page):
    """Read a chapter as a notebook that has its outputs already."""
    saved = load(Path(root), page)
    if saved is None:
        text = TOLD.sub(DASH, text)
    path = Path(root, f"{page}.md")
    notebook = read_myst_markdown_notebook(text, config, add_source_map=True, path=path)
    notebook.metadata["mystnb"] = {"execution_mode": "off"}
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = saved["outputs"] if saved else [[]] * len(cells)
    for cell, own in zip(cells, outputs, strict=True):
        cell.outputs = nbformat.from_dict(own)
    add_note(notebook, note(notebook.metadata.kernelspec.display_name, saved))
    return notebook


def note(kernel, saved):
    """Say in MyST why the page looks as it does."""
    if saved is None:
        return UNEXECUTED.format(kernel=kernel)
    day = date.fromisoformat(saved["date"])
    shown = saved | {
        "date": f"{day:%B} {day.day}, {day.year}",
        "versions": ", ".join(f"{name} {number}" for name, number in saved["versions"].items()),
    }
    return SAVED.format(kernel=kernel, **shown)


def add_note(notebook, text):
    """Put the note below the page's title."""
    first = notebook.cells[0]
    first.source = re.sub(
        r"^# .*$", lambda title: f"{title[0]}\n{text}", first.source, count=1, flags=re.MULTILINE
    )


def setup(app):
    """Register with Sphinx, after the table of contents and myst-nb are set up."""
    # No chapter leaves anything to clean up, and a kernel takes a second to say goodbye.
    NotebookClient.shutdown_kernel.default_value = "immediate"
    app.add_config_value("course_missing", {}, "env")  # a change makes Sphinx read every page
    app.connect("config-inited", find_missing, priority=950)
    app.connect("builder-inited", choose_reader, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
