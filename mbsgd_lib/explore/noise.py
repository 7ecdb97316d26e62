"""The gradient of a minibatch as a histogram: one coordinate, many draws."""

import functools

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.data import epoch_order
from mbsgd_lib.explore.digits import short
from mbsgd_lib.explore.frames import FrameExplorer
from mbsgd_lib.noise import airfoil_data, example_gradients
from mbsgd_lib.stability import variance_share
from mbsgd_lib.theory import least_squares

DRAWS = 1000
COORDINATES = [("weight of frequency", 0), ("weight of thickness", 4), ("bias", 5)]


class NoiseExplorer(FrameExplorer):
    """Batch size, way of drawing, coordinate and place; the histogram and a normal curve."""

    kind = "noise"
    recorded = ("batch_size", "replacement", "place")

    def __init__(self):
        sizes = [1, 3, 10, 30, 100, 300, 750, 1400]
        super().__init__(
            batch_size=widgets.SelectionSlider(
                options=sizes, value=10, description="batch size (examples)"
            ),
            replacement=widgets.Checkbox(False, description="draw with replacement"),
            place=widgets.Dropdown(options=["start", "optimum"], description="where"),
            coordinate=widgets.Dropdown(options=COORDINATES, value=5, description="coordinate"),
            seed=widgets.IntSlider(0, 0, 20, description="random seed"),
        )

    def frame(self, settings: dict) -> dict:
        """Draw many batches, count, and lay the normal curve of the formula over it."""
        gradients = gradients_at(settings["place"])[:, settings["coordinate"]]
        batch_size, replacement = settings["batch_size"], settings["replacement"]
        means = batch_means(gradients, batch_size, replacement, settings["seed"])
        center, one = float(gradients.mean()), float(gradients.std(correction=0))
        std = one * variance_share(batch_size, len(gradients), replacement) ** 0.5
        width = 4 * std / 15
        edges = center + width * np.arange(-15, 16)
        counts = np.histogram(means, edges)[0].tolist()
        curve = np.linspace(-4, 4, 41)
        height = DRAWS * width / std / np.sqrt(2 * np.pi) * np.exp(-(curve**2) / 2)
        way = "independent" if replacement else "distinct"
        return {
            "chart": "histogram",
            "xlabel": "one coordinate of the gradient",
            "ylabel": f"batches out of {DRAWS:,}",
            "xlim": short([center - 3 * one, center + 3 * one]),
            # The label of the mark stands above the peak.
            "ylim": [0, round(1.2 * max(*counts, *height), 1)],
            "histogram": {"edges": short(edges, 5), "counts": counts},
            "lines": [
                {
                    "name": f"normal curve, std {std:.3g} by the formula",
                    "x": short(center + std * curve),
                    "y": short(height, 3),
                    "markers": False,
                    "dash": False,
                }
            ],
            "marks": [{"axis": "x", "value": short([center])[0], "label": "all rows"}],
            "text": (
                f"{DRAWS:,} batches of {batch_size} {way} examples: std {means.std():.3g} "
                f"measured, {std:.3g} by the formula; the gradient of all rows is {center:.3g}."
            ),
        }


def gradients_at(place: str) -> Tensor:
    """Return the gradients of all examples at the start or at the optimum, (n, d + 1)."""
    if place == "start":
        return example_gradients(torch.zeros(5))
    best = least_squares(*airfoil_data())
    return example_gradients(best.w, best.b)


def batch_means(gradients: Tensor, batch_size: int, replacement: bool, seed: int) -> np.ndarray:
    """Return the mean of each of `DRAWS` random batches of the values (n,)."""
    return gradients[orders(len(gradients), replacement, seed)[:, :batch_size]].mean(1).numpy()


@functools.lru_cache(maxsize=2)
def orders(n: int, replacement: bool, seed: int) -> Tensor:
    """Return the orders of `DRAWS` epochs, (DRAWS, n)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([epoch_order(n, generator, replacement) for _ in range(DRAWS)])
