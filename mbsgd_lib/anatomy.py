"""Where the time of an update goes: taken apart inside the loop, and drawn as stacked bars."""

import time
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mbsgd_lib.data import data_loader, epoch_order, load_airfoil, minibatches
from mbsgd_lib.methods import linreg, sgd, squared_loss
from mbsgd_lib.picture import COLORS, Picture, axes, in_style, legend, picture

PARTS = ("reading", "forward", "backward", "optimizer", "the loop itself")


def update_parts(batch_size: int, *, loader: bool = True, repeats: int = 3) -> dict[str, float]:
    """Take an update apart, inside the loop: timed alone, each part would be too fast.

    Parameters
    ----------
    batch_size : int
    loader : bool
        Read through PyTorch's `DataLoader`, which collates example by example, or by slices.
    repeats : int
        Epochs to time; the fastest is reported.

    Returns
    -------
    dict of str to float
        Seconds for one update, by part.
    """
    epochs = [epoch_stamps(batch_size, data_loader if loader else minibatches)
              for _ in range(repeats)]  # fmt: skip
    stamps = min(epochs, key=lambda stamps: stamps[-1, -1] - stamps[0, 0])  # (updates, 5)
    loop = np.append(np.diff(stamps[:, [0, -1]].ravel())[1::2], 0)
    parts = np.column_stack([np.diff(stamps, axis=1), loop]).mean(axis=0)
    return dict(zip(PARTS, parts.tolist(), strict=True))


def epoch_stamps(batch_size: int, read: Callable) -> np.ndarray:
    """Train for one epoch and return the time before and after each part, shape (updates, 5)."""
    airfoil, clock = load_airfoil(), time.perf_counter
    w, b = torch.zeros(5, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    stamps, now = [], clock()
    batches = iter(read(airfoil.X, airfoil.y, batch_size, epoch_order(1500, torch.Generator())))
    while (batch := next(batches, None)) is not None:
        row = [now, clock()]
        loss = squared_loss(linreg(batch[0], w, b), batch[1]).mean()
        row.append(clock())
        loss.backward()
        row.append(clock())
        sgd([w, b], None, {"lr": 0.005})
        row.append(clock())
        stamps.append(row)
        now = clock()
    return np.array(stamps)


class _Counter(TorchDispatchMode):
    """Count the operations that reach PyTorch's kernels."""

    def __init__(self):
        super().__init__()
        self.calls = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.calls[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def count_operations(fn: Callable[[], object]) -> Counter:
    """Run `fn()` and count the PyTorch operations that it asks for, by name."""
    with _Counter() as counter:
        fn()
    return counter.calls


@in_style
def plot_parts(
    bars: Mapping[str, Mapping[str, float]],
    xlabel: str,
    *,
    alt: str | None = None,
    caption: str | None = None,
) -> Picture:
    """Draw one stacked bar a name, its parts in a common order.

    Parameters
    ----------
    bars : dict of name to (dict of part to value)
    xlabel : str
        What the parts measure, with the unit.
    """
    figure, ax = axes(xlabel, "")
    figure.set_size_inches(5.8, 1.2 + 0.55 * len(bars))
    left = np.zeros(len(bars))
    for part, color in zip(next(iter(bars.values())), COLORS, strict=False):
        values = np.array([parts[part] for parts in bars.values()])
        ax.barh(list(bars), values, left=left, label=part, color=color, height=0.6)
        left += values
    for row, total in enumerate(left):
        text = f"{float(f'{total:.3g}'):,g}"
        ax.annotate(text, (total, row), (4, 0), textcoords="offset points", va="center")
    ax.set_xlim(0, 1.12 * left.max())
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    legend(ax)
    text = "; ".join(
        f"{name}: " + ", ".join(f"{part} {value:.3g}" for part, value in parts.items())
        for name, parts in bars.items()
    )
    return picture(figure, alt or f"Stacked bars of {xlabel}. {text}.", caption)
