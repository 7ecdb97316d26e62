"""Keep the built book small: ship only what its pages use."""

from pathlib import Path

# Of MathJax: the component that a page asks for, and the fonts that this one asks for later on.
KEPT = ("tex-chtml.js", "output/chtml/fonts/woff-v2")


def prune_mathjax(app, error):
    """Delete the components of MathJax that no page loads."""
    folder = Path(app.outdir, "_static", "mathjax")
    kept = [folder / name for name in KEPT]
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
        if any(path == keep or keep in path.parents or path in keep.parents for keep in kept):
            continue
        path.rmdir() if path.is_dir() else path.unlink()


def drop_widget_state(app, pagename, templatename, context, doctree):
    """Leave out the state of live widgets: without a kernel a page shows their recordings."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "widget-state" not in getattr(script, "attributes", {}).get("type", "")
    ]


def setup(app):
    """Register with Sphinx, after the extensions that add what is dropped here."""
    app.connect("html-page-context", drop_widget_state, priority=900)
    app.connect("build-finished", prune_mathjax, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
