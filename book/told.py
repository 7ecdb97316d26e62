"""Put the numbers that a chapter's cells have told into its text: ``{eval}`told["name"]```.

JupyterLab asks the kernel for them. A book has none left when it is written, so the role that
myst-nb has for it gives way to one that reads what the executed chapter kept.
"""

import re

from myst_nb.ext.glue.roles import PasteTextRole

TOLD = re.compile(r'told\["([^"]+)"\]')


class ToldRole(PasteTextRole):
    """Paste a value by its name; anything else is left for myst-nb to complain about."""

    def run(self):
        """Take the name out of the expression."""
        self.text = TOLD.sub(r"\1", self.text)
        return super().run()


def setup(app):
    """Register with Sphinx, after myst-nb."""
    app.add_role("eval", ToldRole(), override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
