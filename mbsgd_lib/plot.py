"""The figures of the course: runs, lines and bars."""

from collections.abc import Iterable, Mapping, Sequence

from mbsgd_lib.charts import DASHES, BarsChart, RunsChart, draw_floor
from mbsgd_lib.picture import Picture, axes, in_style, legend, picture
from mbsgd_lib.run import Run


def plot_runs(
    runs: Sequence[Run] | Mapping[str, Run],
    x: str = "epochs",
    *,
    log_x: bool = False,
    floor: float | None = None,
    ylim: tuple[float, float] = (0.22, 0.35),
    alt: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Draw the loss of some runs against epochs, updates or seconds of training.

    Parameters
    ----------
    runs : list of Run, or dict of name to Run
    x : {"epochs", "updates", "seconds"}
    log_x : bool
        Logarithmic axis; the start (zero) is then left out.
    floor : float, optional
        The least-squares loss, drawn as a dotted line.
    ylim : tuple of float
        Range of the loss axis.
    alt, caption : str, optional
        Text for those who don't see the picture (made from the runs by default); caption.
    """
    named = runs if isinstance(runs, Mapping) else name_runs(runs)
    return RunsChart(floor, ylim=ylim).draw(named, x, log_x=log_x, alt=alt, caption=caption)


def name_runs(runs: Sequence[Run]) -> dict[str, Run]:
    """Name runs by their labels; equal ones are numbered."""
    labels = [run.label for run in runs]
    repeated = {label for label in labels if labels.count(label) > 1}
    return {
        f"{label} ({number})" if label in repeated else label: run
        for number, (label, run) in enumerate(zip(labels, runs, strict=True), start=1)
    }


@in_style
def plot_lines(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    xlabel: str,
    ylabel: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    markers: bool = False,
    ylim: tuple[float, float] | None = None,
    floor: float | None = None,
    alt: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Draw named lines over common x values; labels carry the units."""
    figure, ax = axes(xlabel, ylabel)
    for i, (name, y) in enumerate(lines.items()):
        style = {"ls": DASHES[i % len(DASHES)], "marker": "o" if markers else None}
        ax.plot(x, y, label=name, markersize=4, **style)
    draw_floor(ax, floor)
    ax.set(xscale="log" if log_x else "linear", yscale="log" if log_y else "linear")
    if ylim:
        ax.set_ylim(ylim)
    if len(lines) > 1 or floor is not None:
        legend(ax)
    ends = "; ".join(f"{name}: {y[0]:.4g} to {y[-1]:.4g}" for name, y in lines.items())
    alt = alt or f"Line chart of {ylabel} against {xlabel} from {x[0]:g} to {x[-1]:g}. {ends}."
    return picture(figure, alt, caption)


def plot_bars(
    labels: Sequence[str],
    values: Iterable[float],
    xlabel: str,
    *,
    ceiling: float | None = None,
    alt: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Draw one horizontal bar a label, on a log axis, with its value written beside it."""
    return BarsChart(labels, xlabel).draw(values, ceiling=ceiling, alt=alt, caption=caption)
