"""Tell other sites what to show when somebody links to a page."""

import html

from markupsafe import Markup

DESCRIPTION = (
    "Why deep learning trains in minibatches: an interactive course that measures every claim, "
    "with sliders that work in the page."
)


def add_card(app, pagename, templatename, context, doctree):
    """Add the page's title and the course's description as Open Graph metadata."""
    title = Markup(context.get("title", "")).striptags() or app.config.project
    card = {
        "og:type": "article",
        "og:site_name": app.config.html_title or app.config.project,
        "og:title": title,
        "og:description": DESCRIPTION,
    }
    tags = [f'<meta property="{name}" content="{html.escape(card[name])}">' for name in card]
    tags += [
        f'<meta name="description" content="{html.escape(DESCRIPTION)}">',
        '<meta name="twitter:card" content="summary">',
    ]
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", add_card)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
