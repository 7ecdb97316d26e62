"""Figures that are drawn once and then updated, as a live slider needs them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from mbsgd_lib.picture import COLORS, INK, Picture, axes, in_style, legend, picture, power
from mbsgd_lib.run import Run

DASHES = ["-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))]
LOSS = "loss (half the mean squared error)"
X_LABELS = {"epochs": "epochs", "updates": "updates", "seconds": "training time (s)"}


class RunsChart:
    """Loss curves on one figure that is updated, never rebuilt.

    Parameters
    ----------
    floor : float, optional
        The least-squares loss, drawn as a dotted line.
    limit : float, optional
        The full-batch stability limit 2 / λmax, drawn on a ruler of learning rates below.
    ylim : tuple of float
        Range of the loss axis.
    """

    @in_style
    def __init__(
        self,
        floor: float | None = None,
        limit: float | None = None,
        ylim: tuple[float, float] = (0.22, 0.35),
    ):
        self.figure, self.ax = axes("", LOSS, ylim=ylim)
        self.ax.locator_params(nbins=7, steps=[1, 2, 5, 10])  # each tick costs time
        draw_floor(self.ax, floor)
        self.lines = []
        self.ruler = Ruler(self.figure, limit) if limit else None

    @in_style
    def draw(
        self,
        runs: Mapping[str, Run],
        x: str = "epochs",
        *,
        log_x: bool = False,
        alt: str | None = None,
        caption: str | None = None,
    ) -> Picture:
        """Show these runs and no others; arguments as `plot_runs`."""
        if x not in X_LABELS:
            raise ValueError(f"x must be one of {list(X_LABELS)}, got {x!r}")
        while len(self.lines) > len(runs):
            self.lines.pop().remove()
        for i in range(len(self.lines), len(runs)):
            self.lines += self.ax.plot([], [], ls=DASHES[i % len(DASHES)], color=COLORS[i % 8])
        first = 1 if log_x else 0
        for line, (name, run) in zip(self.lines, runs.items(), strict=True):
            line.set_data(getattr(run, x)[first:], run.loss[first:])
            line.set_label(name)
        self.ax.set_xlabel(X_LABELS[x])
        self.scale("log" if log_x else "linear")
        self.ax.relim()
        self.ax.autoscale_view(scaley=False)
        if self.ruler:
            self.ruler.draw(runs.values())
        self.fit(legend(self.ax))
        alt = alt or describe_runs(runs, X_LABELS[x])
        return picture(self.figure, alt, caption, tight=False)

    def scale(self, scale: str) -> None:
        """Change the horizontal axis, where it is another one."""
        if scale != self.ax.get_xscale():
            self.ax.set_xscale(scale)
            if scale == "linear":
                self.ax.locator_params("x", nbins=7, steps=[1, 2, 5, 10])

    def fit(self, rows: int) -> None:
        """Make room for the rows of the legend and for the ruler; sizes in inches."""
        below = 1.35 if self.ruler else 0.55
        height = below + 2.65 + 0.1 + 0.23 * rows
        self.figure.set_size_inches(5.8, height)
        self.ax.set_position([0.14, below / height, 0.84, 2.65 / height])
        self.ax.xaxis.set_label_coords(0.5, -0.3 / 2.65)  # found anew at each drawing otherwise
        self.ax.yaxis.set_label_coords(-0.58 / (0.84 * 5.8), 0.5)
        if self.ruler:
            self.ruler.ax.set_position([0.14, 0.5 / height, 0.84, 0.16 / height])


class Ruler:
    """A scale of learning rates with the zone where gradient descent diverges."""

    def __init__(self, figure: Figure, limit: float):
        self.ax = figure.add_axes([0, 0, 1, 1], xscale="log", xlim=(1e-3, 2))
        self.ax.set(ylim=(-1, 1), yticks=[], xlabel="learning rate")
        self.ax.minorticks_off()
        self.ax.grid(visible=False)
        self.ax.spines["left"].set_visible(False)
        self.ax.axvspan(limit, 2, color=COLORS[4], alpha=0.3, lw=0)
        note = f"full batch diverges above 2/λmax = {limit:.3f} "
        self.ax.text(limit, 1.4, note, ha="right", va="bottom", size=9, color=INK)
        self.dots = []

    def draw(self, runs: Iterable[Run]) -> None:
        """Mark the learning rate of each run in the colour of its curve."""
        while self.dots:
            self.dots.pop().remove()
        for i, run in enumerate(runs):
            full = run.batch_size == run.examples[-1] // run.epochs[-1]
            style = {"marker": "s" if full else "o", "color": COLORS[i % len(COLORS)]}
            self.dots += self.ax.plot([run.lr], [0], ls="", ms=7, clip_on=False, **style)


def describe_runs(runs: Mapping[str, Run], xlabel: str) -> str:
    """Say in words what a chart of runs shows."""
    ends = "; ".join(
        f"{name}: {run.loss[0]:.3f} to {run.final_loss:.4g} in {run.seconds[-1]:.3g} s"
        + (" (diverged)" if run.diverged else "")
        for name, run in runs.items()
    )
    return f"Line chart of loss against {xlabel}. {ends}."


def draw_floor(ax: Axes, floor: float | None) -> None:
    """Draw the loss that no linear model can beat."""
    if floor is not None:
        ax.axhline(floor, color=INK, lw=1, ls=":", label=f"least squares {floor:.4f}")


class BarsChart:
    """One horizontal bar a label on a log axis, its value written beside it.

    Parameters
    ----------
    labels : list of str
        First label on top.
    xlabel : str
        What the bars measure, with its unit.
    """

    @in_style
    def __init__(self, labels: Sequence[str], xlabel: str):
        self.labels = list(labels)
        self.figure, self.ax = axes(xlabel, "", xscale="log")
        self.bars = self.ax.barh(range(len(self.labels)), 1, color=COLORS[0], height=0.65)
        self.texts = self.ax.bar_label(self.bars, [""] * len(self.labels), padding=4)
        self.ceiling = self.ax.axvline(np.nan, color=COLORS[1], ls="--", lw=1.4)
        self.ax.set_yticks(range(len(self.labels)), self.labels)
        self.ax.invert_yaxis()
        self.ax.grid(axis="y", visible=False)

    @in_style
    def draw(
        self,
        values: Iterable[float],
        *,
        ceiling: float | None = None,
        alt: str | None = None,
        caption: str | None = None,
    ) -> Picture:
        """Show these values, one a label, and the ceiling as a dashed line."""
        values = np.asarray(list(values), dtype=float)
        for bar, text, value in zip(self.bars, self.texts, values, strict=True):
            bar.set_width(value)
            text.xy = (value, text.xy[1])
            text.set_text(power(float(f"{value:.3g}")))  # 5,470, not 5.47e+03
        self.ceiling.set_xdata([ceiling or np.nan] * 2)
        note = f"dashed: ceiling {ceiling:.3g}" if ceiling else ""
        self.ax.set_title(note, color=INK, loc="right", size=10)
        self.ax.set_xlim(values.min() / 2, max(values.max(), ceiling or 0) * 4)
        self.ax.xaxis.set_minor_formatter(NullFormatter())  # the values stand at the bars
        pairs = ", ".join(f"{k} {v:.3g}" for k, v in zip(self.labels, values, strict=True))
        alt = alt or f"Bar chart of {self.ax.get_xlabel()}: {pairs}. {note}"
        return picture(self.figure, alt.strip(), caption)
