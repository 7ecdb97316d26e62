"""Gradient descent against minibatches as the data grow: who is first near the lowest loss."""

import math
from functools import cache, lru_cache
from statistics import median

import ipywidgets as widgets
from torch import Tensor

from mbsgd_lib.explore.base import device_control
from mbsgd_lib.explore.frames import FrameExplorer
from mbsgd_lib.growth import grown_airfoil, time_to_loss
from mbsgd_lib.theory import Quadratic

COPIES = [1, 5, 20, 100, 300, 1000]
ROWS = [1500 * copies for copies in COPIES]
MANY = 20_000  # rows from which on one run must do
COPIED, CHANGED = "exact copies", "copies, changed a little"
JITTER = {COPIED: 0.0, CHANGED: 0.05}  # in standard deviations of the features
SHUFFLE, LAZY = "shuffles all rows", "reads as needed"
FULL = "gradient descent"
WAYS = {FULL: (None, 0.9), "batches of 100": (100, 0.4), "batches of 10": (10, 0.05)}


class GrowthExplorer(FrameExplorer):
    """Rows, what they are, and how they are read; seconds until the loss is near its minimum."""

    kind = "growth"
    recorded = ("rows", "copies", "reader")

    def __init__(self):
        self.measured, self.rows_and_loss = cache(self._measure), lru_cache(1)(rows_and_loss)
        super().__init__(
            rows=widgets.SelectionSlider(options=ROWS, value=ROWS[2], description="rows"),
            copies=widgets.Dropdown(options=list(JITTER), value=CHANGED, description="new rows"),
            reader=widgets.Dropdown(options=[SHUFFLE, LAZY], description="reader"),
            method=widgets.Dropdown(options=["autograd", "manual"], description="method"),
            **device_control(),
        )

    def frame(self, settings: dict) -> dict:
        """Show the times for all sizes up to the chosen one."""
        sizes = [n for n in ROWS if n <= settings["rows"]]
        rest = settings["reader"], settings["method"], settings.get("device", "cpu")
        # The first rows are the same, whatever those to come are.
        kinds = [COPIED if n == ROWS[0] else settings["copies"] for n in sizes]
        times = [self.measured(n, kind, *rest) for n, kind in zip(sizes, kinds, strict=True)]
        lines = [
            {"name": way, "x": sizes, "y": [each[way] for each in times], "markers": True}
            for way in WAYS
        ]
        return {
            "chart": "line", "lines": lines, "log_x": True, "log_y": True,
            "xlabel": "rows in the training data", "ylabel": "time to a loss near the minimum (s)",
            "xlim": [ROWS[0] / 1.3, ROWS[-1] * 1.3], "ylim": [5e-4, 20],
            "text": describe(sizes[-1], times[-1]),
        }  # fmt: skip

    def _measure(self, n: int, copies: str, reader: str, method: str, device: str) -> dict:
        """Return the seconds that each way takes, the median over seeds; None if too long."""
        data, loss = self.rows_and_loss(n, copies, device)
        seconds = {}
        for i, (way, (batch_size, lr)) in enumerate(WAYS.items()):
            self.report(i / len(WAYS))
            settings = {"shuffle": reader == SHUFFLE, "method": method, "loss": loss, "limit": 5.0}
            time = median(
                time_to_loss(data, batch_size or n, lr, seed=seed, **settings)
                for seed in range(1 if n > MANY else 3)
            )
            seconds[way] = time if math.isfinite(time) else None
        return seconds


def rows_and_loss(n: int, copies: str, device: str) -> tuple[tuple[Tensor, ...], Quadratic]:
    """Return the data, on a device, and their loss."""
    data = tuple(tensor.to(device) for tensor in grown_airfoil(n // ROWS[0], JITTER[copies]))
    return data, Quadratic(*data)


def describe(n: int, seconds: dict[str, float | None]) -> str:
    """Say who is first, and by how much."""
    reached = {way: time for way, time in seconds.items() if time}
    times = ", ".join(f"{way} {1e3 * time:.3g}\u00a0ms" for way, time in reached.items())
    small = {way: time for way, time in reached.items() if way != FULL}
    if FULL not in reached or not small:
        return f"{n:,} rows: {times}."
    best = min(small, key=small.get)
    first, second = sorted([FULL, best], key=reached.get)
    lead = reached[second] / reached[first]
    return f"{n:,} rows: {times}. {first.capitalize()}: {lead:.1f} times as fast as {second}."
