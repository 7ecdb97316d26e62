"""What a cell measures and the text around it tells.

A cell says ``told["name"] = f"{value:.2f}"``, the text ``{eval}`told["name"]```. JupyterLab asks
the kernel for it, and the book takes it from the outputs of the executed chapter.
"""

from IPython.core.formatters import format_display_data
from IPython.display import display

HIDDEN = "application/papermill.record/"  # what is marked so stays off the page itself


class Told(dict):
    """Values by name, unique in a chapter; each is kept among the outputs of its cell, too.

    The same as by `myst_nb.glue`, whose import takes some 1.5 s in the kernel of every chapter.
    """

    def __setitem__(self, name: str, value: object) -> None:
        super().__setitem__(name, value)
        data, metadata = format_display_data(value)
        metadata["scrapbook"] = {"name": name, "mime_prefix": HIDDEN}
        display({HIDDEN + kind: each for kind, each in data.items()}, raw=True, metadata=metadata)


told = Told()
