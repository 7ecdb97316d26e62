"""Updates and examples to a target loss against batch size, the learning rate tuned at each."""

import functools

import ipywidgets as widgets
import numpy as np

from mbsgd_lib.expected import ExpectedLoss, critical_batch_size, noise_scale_at, tuned
from mbsgd_lib.explore.digits import short
from mbsgd_lib.explore.frames import FrameExplorer

TARGETS = [0.3, 0.28, 0.26, 0.25, 0.246, 0.244, 0.243, 0.2425]
SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000]


class CriticalExplorer(FrameExplorer):
    """Target loss and what to count; the tuned curve, perfect scaling and the noise scale."""

    kind = "critical"
    recorded = ("target", "count")

    def __init__(self):
        super().__init__(
            target=widgets.SelectionSlider(options=TARGETS, value=0.25, description="target loss"),
            count=widgets.ToggleButtons(options=["updates", "examples"], description="count"),
        )

    def frame(self, settings: dict) -> dict:
        """Look up the tuned runs and draw them beside perfect scaling."""
        updates, lrs = np.transpose(tuned_runs()[TARGETS.index(settings["target"])])
        sizes = np.array(SIZES)
        scale = noise_scale_at(settings["target"])
        knee = critical_batch_size(sizes, updates)
        times = sizes if settings["count"] == "examples" else 1
        perfect = np.maximum(updates[0] / sizes, updates[-1])
        lines = {"learning rate tuned at each size": updates, "perfect scaling, then none": perfect}
        heights = short([(updates * times).min(), (updates * times).max()])
        uprights = {f"twice the fewest: {knee:,.0f}": knee, f"noise scale: {scale:,.0f}": scale}
        return {
            "chart": "line",
            "xlabel": "batch size (examples)",
            "ylabel": f"{settings['count']} to the target",
            "log_x": True,
            "log_y": True,
            "xlim": [1, SIZES[-1]],
            "ylim": None,
            "lines": [
                {
                    "name": name,
                    "x": SIZES,
                    "y": short(y * times),
                    "markers": name.startswith("learning"),
                    "dash": name.startswith("perfect"),
                }
                for name, y in lines.items()
            ]
            + [
                {"name": name, "x": short([x, x]), "y": heights, "markers": False, "dash": True}
                for name, x in uprights.items()
            ],
            "text": (
                f"Target {settings['target']:g}: {updates[0]:,.0f} updates of one example "
                f"(learning rate {lrs[0]:.2g}), {updates[-1]:,.0f} of the largest batch. Twice the "
                f"fewest updates are enough from batch size {knee:,.0f} on; the noise scale at the "
                f"target is {scale:,.0f}."
            ),
        }


@functools.cache
def tuned_runs() -> list[list[tuple[float, float]]]:
    """Return (updates, learning rate) for each target and each batch size."""
    expected, lrs = ExpectedLoss(), np.geomspace(2e-4, 1.2, 45).tolist()
    by_size = [tuned(expected, TARGETS, size, lrs) for size in SIZES]
    return [list(row) for row in zip(*by_size, strict=True)]
