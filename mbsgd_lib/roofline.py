"""What memory and arithmetic allow: reading speed by working set, and the roofline."""

from collections.abc import Mapping, Sequence

import numpy as np

from mbsgd_lib.picture import COLORS, INK, Picture, axes, in_style, legend, picture


def work_per_byte(way: str, n: int, width: int = 64, itemsize: int = 4) -> float:
    """Return the intensity of an n × n matrix product in FLOP/byte, by counting.

    Counted are the numbers that a way has to bring in if it keeps only what one call works on.

    Parameters
    ----------
    way : {"element", "row", "column", "panel", "tile", "whole"}
    n, width : int
        Size of the matrices and of the blocks.
    itemsize : int
        Bytes of a number.
    """
    numbers = {
        "element": 2 * n**3,
        "row": n**3 + n**2,
        "column": n**3 + n**2,
        "panel": n**3 / width + n**2,
        "tile": 2 * n**3 / width,
        "whole": 2 * n**2,
    }
    if way not in numbers:
        raise ValueError(f"way must be one of {list(numbers)}, got {way!r}")
    return 2 * n**3 / (itemsize * numbers[way])


@in_style
def plot_roofline(
    points: Mapping[str, tuple[float, float]],
    peak: float,
    bandwidths: Mapping[str, float],
    *,
    alt: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Draw measured speeds under the roof of a machine.

    Parameters
    ----------
    points : dict of name to (intensity in FLOP/byte, speed in GFLOP/s)
    peak : float
        What the arithmetic units can do, in GFLOP/s.
    bandwidths : dict of name to GB/s
        One slope of the roof each.

    References
    ----------
    Williams, Waterman and Patterson, "Roofline", Communications of the ACM 52(4), 2009.
    """
    figure, ax = axes("intensity (FLOP/byte)", "speed (GFLOP/s)", xscale="log", yscale="log")
    intensity = np.geomspace(0.1, 4 * max(x for x, _ in points.values()), 200)
    for (name, bandwidth), style in zip(bandwidths.items(), ["-", "--", ":"], strict=False):
        roof = np.minimum(peak, bandwidth * intensity)
        ax.plot(intensity, roof, style, color=INK, lw=1.3, label=f"{name}: {bandwidth:.0f} GB/s")
    for (name, (x, speed)), color in zip(points.items(), COLORS, strict=False):
        ax.plot([x], [speed], "o", color=color)
        ax.annotate(name, (x, speed), (6, -11), textcoords="offset points", color=color)
    ax.set_ylim(bottom=min(speed for _, speed in points.values()) / 4)
    legend(ax)
    found = "; ".join(f"{name} {v:.3g} GFLOP/s at {x:.3g}" for name, (x, v) in points.items())
    alt = alt or f"Roofline with a peak of {peak:.0f} GFLOP/s. {found} FLOP/byte."
    return picture(figure, alt, caption)


@in_style
def plot_bandwidth(
    rows: Sequence[float],
    speeds: Sequence[float],
    caches: Mapping[str, float],
    *,
    alt: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Draw reading speeds in GB/s against the rows read, and where each cache is full.

    Parameters
    ----------
    rows, speeds : sequence of float
    caches : dict of name to rows
        May be empty.
    """
    figure, ax = axes("rows of six numbers", "reading speed (GB/s)", xscale="log", yscale="log")
    ax.plot(rows, speeds, marker="o", markersize=4)
    for name, full in caches.items():
        ax.axvline(full, color=INK, lw=1, ls=":")
        ax.annotate(name, (full, 1), (3, -2), xycoords=("data", "axes fraction"),
                    textcoords="offset points", va="top")  # fmt: skip
    full = ", ".join(f"{name} is full at {rows:,.0f} rows" for name, rows in caches.items())
    alt = alt or (
        f"Line chart of reading speed: {speeds[0]:.3g} GB/s for {rows[0]:,.0f} rows, "
        f"{speeds[-1]:.3g} for {rows[-1]:,.0f}. {full}"
    )
    return picture(figure, alt, caption)
