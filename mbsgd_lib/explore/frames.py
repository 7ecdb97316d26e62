"""Explorers whose picture is described once: drawn live here, replayed by the book's script."""

import itertools

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mbsgd_lib.charts import DASHES
from mbsgd_lib.explore.base import Explorer
from mbsgd_lib.picture import COLORS, INK, STYLE, Picture, in_style, legend, picture
from mbsgd_lib.replay import Replay


class FrameExplorer(Explorer):
    """An explorer that turns its settings into a frame, a description of one picture.

    A frame is a dict that JSON can hold: `chart` ("line", "bar", "heat" or "histogram"),
    `xlabel` and `ylabel` with units, `log_x`, `log_y`, `xlim`, `ylim`, the data under `lines`,
    `bars`, `heat` or `histogram`, reference lines under `marks`, and `text`, one sentence.

    Attributes
    ----------
    recorded : tuple of str
        The controls that the replay keeps; the others stay as they are.
    """

    recorded: tuple[str, ...] = ()

    def __init__(self, **controls: widgets.Widget):
        self.figure = Figure(figsize=STYLE["figure.figsize"])
        super().__init__(**controls)

    def frame(self, settings: dict) -> dict:
        """Compute the description of the picture for one setting."""
        raise NotImplementedError

    def work(self, settings: dict) -> None:
        """Compute a frame and draw it."""
        self.report(0.0)
        frame = self.frame(settings)
        self.show(draw_frame(frame, self.figure), frame["text"])

    def recording(self) -> dict:
        """Compute the frame of every position of the recorded controls."""
        settings = {name: control.value for name, control in self.controls.items()}
        positions = {name: values(self.controls[name]) for name in self.recorded}
        combinations = itertools.product(*positions.values())
        return {
            "controls": [
                {
                    "name": name,
                    "label": self.controls[name].description,
                    "values": positions[name],
                    "value": settings[name],
                }
                for name in self.recorded
            ],
            "frames": [
                self.frame(settings | dict(zip(self.recorded, chosen, strict=True)))
                for chosen in combinations
            ],
        }

    def replay(self) -> Replay:
        """Return the recording of this explorer, for a page without a kernel."""
        settings = {name: control.value for name, control in self.controls.items()}
        figure = draw_frame(self.frame(settings))
        return Replay("frames", self.recording(), name=self.kind, figure=figure)


def values(control: widgets.Widget) -> list:
    """Return every position of a control, in order."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if isinstance(control, widgets.Checkbox):
        return [False, True]
    return list(range(control.min, control.max + 1, control.step))


@in_style
def draw_frame(frame: dict, figure: Figure | None = None, caption: str | None = None) -> Picture:
    """Draw a frame with matplotlib, on `figure` if given; its text is the alt text."""
    figure = figure or Figure()
    ax = empty_axes(figure, frame)
    {"bar": draw_bars, "heat": draw_heat, "histogram": draw_histogram}.get(
        frame["chart"], lambda ax, frame: None
    )(ax, frame)
    for i, line in enumerate(frame.get("lines", [])):
        style = {
            "ls": "--" if line.get("dash") else DASHES[0],
            "marker": "o" if line.get("markers") else None,
            "color": INK if frame["chart"] == "heat" else COLORS[i % len(COLORS)],
        }
        ax.plot(line["x"], nan(line["y"]), label=line["name"], markersize=4, **style)
    for mark in frame.get("marks", []):
        draw = ax.axvline if mark["axis"] == "x" else ax.axhline
        draw(mark["value"], color=INK, lw=1, ls=":", label=mark["label"])
    ax.set(xlim=frame.get("xlim"), ylim=frame.get("ylim"))
    fit(ax, legend(ax))
    return picture(figure, frame["text"], caption, tight=False)


def empty_axes(figure: Figure, frame: dict) -> Axes:
    """Return the axes of the figure with nothing on them; their ticks are kept."""
    if frame["chart"] in ("bar", "heat"):  # names for ticks, and a scale, go with their axes
        figure.clear()
    ax = figure.axes[0] if figure.axes else figure.add_subplot()
    for artist in [*ax.lines, *ax.patches, *filter(None, [ax.get_legend()])]:
        artist.remove()
    ax.set(xlabel=frame["xlabel"], ylabel=frame["ylabel"])
    for axis, log in ((ax.xaxis, frame.get("log_x")), (ax.yaxis, frame.get("log_y"))):
        scale = "log" if log else "linear"
        if axis.get_scale() != scale:  # new ticks take a third of a drawing
            ax.set(**{f"{axis.axis_name}scale": scale})
    ax.relim()
    ax.autoscale()
    return ax


def fit(ax: Axes, rows: int) -> None:
    """Make room for labels, the rows of the legend and the scale of a heat map; in inches."""
    height, right = 3.5 + 0.23 * rows, 1.2 if ax.child_axes else 0.3
    ax.figure.set_size_inches(5.8, height)
    ax.set_position([0.95 / 5.8, 0.6 / height, (4.85 - right) / 5.8, 2.8 / height])


def nan(values: list) -> np.ndarray:
    """Turn None, which JSON has for a missing value, into NaN."""
    return np.array(values, dtype=float)


def draw_bars(ax: Axes, frame: dict) -> None:
    """Draw one vertical bar a label, with its value above it."""
    bars = ax.bar(frame["bars"]["labels"], frame["bars"]["values"], color=COLORS[0])
    ax.bar_label(bars, fmt="%.3g", padding=2, color=INK)
    ax.grid(axis="x", visible=False)


def draw_heat(ax: Axes, frame: dict) -> None:
    """Draw a heat map, its scale beside it; missing values stay empty."""
    heat = frame["heat"]
    z = np.ma.masked_invalid(nan(heat["z"]))  # (y, x)
    x, y = edges(heat["x"], frame.get("log_x")), edges(heat["y"], frame.get("log_y"))
    mesh = ax.pcolormesh(x, y, z, cmap="viridis")
    ax.figure.colorbar(mesh, ax.inset_axes([1.05, 0, 0.05, 1]), label=heat["label"])
    ax.grid(visible=False)


def edges(centers: list[float], log: bool) -> np.ndarray:
    """Return the borders of cells around `centers`: one more than there are centers."""
    c = np.log(centers) if log else np.asarray(centers, dtype=float)
    middle = (c[1:] + c[:-1]) / 2
    borders = np.concatenate([[2 * c[0] - middle[0]], middle, [2 * c[-1] - middle[-1]]])
    return np.exp(borders) if log else borders


def draw_histogram(ax: Axes, frame: dict) -> None:
    """Draw counted values as steps that touch."""
    counts, borders = frame["histogram"]["counts"], frame["histogram"]["edges"]
    ax.stairs(counts, borders, fill=True, alpha=0.6, color=COLORS[0])
