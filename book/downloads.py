"""Offer each chapter as a notebook without outputs, beside its Markdown."""

from pathlib import Path

import jupytext


def is_notebook(app, page):
    """Tell whether a page has cells to run."""
    return "kernelspec" in app.env.metadata.get(page, {})


def offer_notebook(app, pagename, templatename, context, doctree):
    """Make the theme's download menu link to the notebook."""
    if is_notebook(app, pagename):
        context["ipynb_source"] = f"{pagename}.ipynb"


def write_notebooks(app, error):
    """Write the notebooks beside the Markdown sources that Sphinx copied."""
    if error or app.builder.name != "html":
        return
    for page in filter(lambda page: is_notebook(app, page), app.env.found_docs):
        notebook = jupytext.read(app.env.doc2path(page))
        jupytext.write(notebook, Path(app.outdir, "_sources", f"{page}.ipynb"), fmt="ipynb")


def setup(app):
    """Register with Sphinx, ahead of the theme, which builds the menu."""
    app.connect("html-page-context", offer_notebook, priority=100)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
