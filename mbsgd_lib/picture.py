"""Matplotlib figures as inline SVG that follows the page's colours, light or dark."""

import functools
import hashlib
import html
import io
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, LogFormatterSciNotation

INK = "#010203"  # stands for the colour of the page's text; `picture` replaces it
# At least 3:1 against white and against the dark theme's background.
COLORS = ["#2f7fd1", "#c9660a", "#1f9460", "#a45ad6", "#d6455a", "#12909c", "#8a7a12", "#7c7c86"]
STYLE = {
    "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
    "ytick.color": INK, "grid.color": INK, "grid.alpha": 0.15, "grid.linewidth": 0.6,
    "axes.grid": True, "axes.spines.top": False, "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLORS), "axes.axisbelow": True,
    "font.size": 11, "legend.frameon": False, "legend.fontsize": 10, "lines.linewidth": 1.8,
    "figure.figsize": (5.8, 3.4), "figure.facecolor": "none", "axes.facecolor": "none",
    "savefig.facecolor": "none", "svg.fonttype": "none", "svg.hashsalt": "mbsgd",
}  # fmt: skip
LOCK = threading.RLock()  # matplotlib's settings are global, and explorers draw in threads


def in_style(draw: Callable) -> Callable:
    """Let `draw` work in the course's style, and leave the reader's own as it was."""

    @functools.wraps(draw)
    def styled(*args, **kwargs):
        with LOCK, mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


@dataclass(frozen=True)
class Picture:
    """An SVG figure with a text for those who don't see it, and a caption."""

    svg: str
    alt: str
    caption: str | None = None

    def _repr_html_(self) -> str:
        caption = f"<figcaption>{self.caption}</figcaption>" if self.caption else ""
        return f'<figure class="mbsgd-figure">{self.svg}{caption}</figure>'

    def __repr__(self) -> str:
        return self.alt


@in_style
def picture(figure: Figure, alt: str, caption: str | None = None, *, tight: bool = True) -> Picture:
    """Render `figure` as inline SVG in the page's own text colour.

    Parameters
    ----------
    figure : Figure
    alt : str
        What the picture shows, in words.
    caption : str, optional
        What to see in it; may hold HTML.
    tight : bool
        Fit the margins to the content, which takes a second pass over the figure.
    """
    plain_labels(figure)
    file = io.StringIO()
    margins = {"bbox_inches": "tight", "pad_inches": 0.05} if tight else {}
    figure.savefig(file, format="svg", **margins)
    body = re.search(r"<svg.*</svg>", file.getvalue(), re.DOTALL)[0]
    # A style sheet or an id inside inline SVG would act on the whole page.
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r' id="[a-z0-9_.]+_\d+"', "", body)
    own = "m" + hashlib.sha256(body.encode()).hexdigest()[:8]  # so must the ids that are left
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{own}", body)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', body).groups()
    head = (
        f'<svg role="img" aria-label="{html.escape(alt)}" viewBox="0 0 {width} {height}"'
        f' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg"'
        f' style="width:100%;max-width:{float(width) * 1.45:.0f}px;stroke-linejoin:round">'
    )
    return Picture(head + body.split(">", 1)[1].replace(INK, "currentColor"), alt, caption)


class PlainLog(LogFormatter):
    """Labels of a log axis in plain text: typesetting 10² took half the time of a drawing."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of a tick, empty where matplotlib would leave it out."""
        return power(x) if super().__call__(x, pos) else ""


def power(x: float) -> str:
    """Write 0.001, 20 and 10,000 as they are, and what is beyond as 10⁶ or 2×10⁻⁵."""
    if 1e-4 < x < 1e6:
        return f"{x:,.6g}"
    digits, exponent = f"{x:.0e}".split("e")
    exponent = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{exponent}" if digits == "1" else f"{digits}×10{exponent}"


def plain_labels(figure: Figure) -> None:
    """Let every log axis of a figure have plain labels, unless it was given others."""
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        if isinstance(axis.get_major_formatter(), LogFormatterSciNotation):
            axis.set_major_formatter(PlainLog())
        if isinstance(axis.get_minor_formatter(), LogFormatterSciNotation):
            axis.set_minor_formatter(PlainLog(minor_thresholds=(1, 0.5)))


def axes(xlabel: str, ylabel: str, **kwargs) -> tuple[Figure, Axes]:
    """Return a new figure with one labelled pair of axes."""
    figure = Figure()
    return figure, figure.add_subplot(xlabel=xlabel, ylabel=ylabel, **kwargs)


def legend(ax: Axes) -> int:
    """Put the legend above the axes, where it hides nothing; return its number of rows."""
    _, names = ax.get_legend_handles_labels()
    if not names:
        return 0
    columns = 1 if max(map(len, names)) > 26 else 2
    ax.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, labelcolor=INK,
        handlelength=2.4, columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
    return math.ceil(len(names) / columns)
