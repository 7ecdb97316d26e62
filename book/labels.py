"""Let a link to another page end at a label or an entry there: ``[text](page.md#label)``.

MyST-Parser knows the headings of other pages by such names, not what has a label, or the key of
an entry in a bibliography. JupyterLab opens the page.
"""


def add_labels(app, env):
    """Put the labels and entries of every page beside the names of its headings."""
    places = dict(env.get_domain("std").anonlabels)
    for each in env.get_domain("cite").citations:
        places[each.key] = each.bibliography_key.docname, each.citation_id
    for label, (page, place) in places.items():
        if page in env.metadata:
            slugs = env.metadata[page].setdefault("myst_slugs", {})
            slugs.setdefault(label, (0, place, ""))


def setup(app):
    """Register with Sphinx."""
    app.connect("env-updated", add_labels)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
