"""Values that a cell measures and the text around it shows."""

from IPython.core.formatters import format_display_data
from IPython.display import display as show

HIDDEN = "application/papermill.record/"  # what is marked so stays off the page itself


def glue(name: str, value: object, *, display: bool = True) -> None:
    """Keep a value for the text: ``{glue:text}`name` `` stands for it.

    The same as `myst_nb.glue`, whose import takes some 1.5 s in the kernel of every chapter.

    Parameters
    ----------
    name : str
        Unique in its chapter.
    value : object
    display : bool
        Show the value below the cell, too.
    """
    data, metadata = format_display_data(value)
    prefix = "" if display else HIDDEN
    metadata["scrapbook"] = {"name": name, "mime_prefix": prefix}
    show({prefix + kind: each for kind, each in data.items()}, raw=True, metadata=metadata)
