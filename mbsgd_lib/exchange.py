"""A drawing of one data-parallel update: who computes what, and what is sent when."""

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from mbsgd_lib.picture import COLORS, INK, Picture, axes, in_style, picture

STEPS = {  # name: (start, width, color)
    "its rows": (0.0, 1.5, COLORS[7]),
    "forward": (1.6, 1.5, COLORS[0]),
    "backward": (3.2, 1.8, COLORS[0]),
    "average": (5.1, 1.6, COLORS[1]),
    "update": (6.8, 1.5, COLORS[2]),
}


@in_style
def draw_update(workers: int = 4, batch_size: int = 100, caption: str | None = None) -> Picture:
    """Draw one update of a few workers, time running from left to right."""
    figure, ax = axes("", "")
    figure.set_size_inches(7.6, 0.9 + 0.55 * workers)
    ax.set(xlim=(-1.3, 8.4), ylim=(workers + 0.1, -1.0))
    ax.axis("off")
    bounds = [batch_size * k // workers for k in range(workers + 1)]
    for name, (start, width, _) in STEPS.items():
        ax.text(start + width / 2, -0.45, name, ha="center", va="center", weight="bold")
    for k in range(workers):
        ax.text(-0.2, k + 0.35, f"worker {k}", ha="right", va="center")
        texts = f"{bounds[k] + 1} to {bounds[k + 1]}", "own loss", "own gradient", "", "w ← w − ηg"
        for text, (name, (start, width, color)) in zip(texts, STEPS.items(), strict=True):
            if name != "average":
                draw_box(ax, (start, k), (width, 0.7), color, text)
    start, width, color = STEPS["average"]
    draw_box(ax, (start, 0), (width, workers - 0.3), color, "")
    middle = start + width / 2
    for k in range(workers - 1):
        draw_arrow(ax, (middle - 0.35, k + 0.4), (middle - 0.35, k + 1.3), color)
    draw_arrow(ax, (middle + 0.35, workers - 0.65), (middle + 0.35, 0.3), color)
    return picture(
        figure,
        f"Time from left to right, one line for each of {workers} workers. Each takes its share "
        f"of the {batch_size} rows of a batch and computes a loss and a gradient, alone. Then the "
        "gradients are averaged: the only step in which anything is sent, around a ring. At last "
        "each worker makes the same update.",
        caption,
    )


def draw_box(ax: Axes, corner: tuple, size: tuple, color: str, text: str) -> None:
    """Draw a rounded, tinted box with a text in its middle."""
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "fc": color, "ec": "none"}
    ax.add_patch(FancyBboxPatch(corner, *size, alpha=0.25, **style))
    x, y = corner[0] + size[0] / 2, corner[1] + size[1] / 2
    ax.text(x, y, text, ha="center", va="center", size=9, color=INK)


def draw_arrow(ax: Axes, start: tuple, end: tuple, color: str) -> None:
    """Draw an arrow from one worker to the next."""
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=color))
