"""Let a link to another page end at a label there: ``[text](page.md#label)``.

MyST-Parser knows the headings of other pages by such names, not what has a label. JupyterLab
opens the page.
"""


def add_labels(app, env):
    """Put the labels of every page beside the names of its headings."""
    for label, (page, place) in env.get_domain("std").anonlabels.items():
        if page in env.metadata:
            slugs = env.metadata[page].setdefault("myst_slugs", {})
            slugs.setdefault(label, (0, place, ""))


def setup(app):
    """Register with Sphinx."""
    app.connect("env-updated", add_labels)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
