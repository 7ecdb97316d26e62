"""One example, normalized in the company of random others."""

import ipywidgets as widgets
import numpy as np

from mbsgd_lib.batchnorm import batch_norm, one_among_many
from mbsgd_lib.explore.digits import short
from mbsgd_lib.explore.frames import FrameExplorer
from mbsgd_lib.noise import airfoil_data

DRAWS = 1000
EDGES = np.linspace(-1, 3, 61)
BOUNDS = {  # r_max, d_max
    "none (batch normalization)": (1.0, 0.0),
    "small": (1.2, 0.2),
    "as Ioffe ends": (3.0, 5.0),
}


class BatchNormExplorer(FrameExplorer):
    """Batch size and correction; what one and the same example becomes."""

    kind = "batchnorm"
    recorded = ("batch_size", "correction")

    def __init__(self):
        super().__init__(
            batch_size=widgets.SelectionSlider(
                options=[2, 3, 5, 10, 20, 50, 100, 300],
                value=10,
                description="batch size (examples)",
            ),
            correction=widgets.Dropdown(options=list(BOUNDS), description="correction"),
            row=widgets.IntSlider(100, 0, 1499, description="which example"),
            seed=widgets.IntSlider(0, 0, 20, description="random seed"),
        )

    def frame(self, settings: dict) -> dict:
        """Normalize the example in many batches and count the results."""
        values = airfoil_data()[0].sum(1)  # what a neuron with equal weights computes
        mean, std = float(values.mean()), float(values.std(correction=0))
        row, batch_size = settings["row"], settings["batch_size"]
        r_max, d_max = BOUNDS[settings["correction"]]
        batches = one_among_many(values, row, batch_size, draws=DRAWS, seed=settings["seed"])
        results = batch_norm(batches, mean, std, r_max=r_max, d_max=d_max)[:, 0].numpy()
        alone = (float(values[row]) - mean) / std
        return {
            "chart": "histogram",
            "xlabel": "normalized value of the one example",
            "ylabel": f"batches out of {DRAWS:,}",
            "xlim": short([EDGES[0], EDGES[-1]]),
            "ylim": None,
            "histogram": {
                "edges": short(EDGES),
                "counts": np.histogram(results.clip(EDGES[0], EDGES[-1]), EDGES)[0].tolist(),
            },
            "lines": [],
            "marks": [{"axis": "x", "value": short([alone])[0], "label": "statistics of all data"}],
            "text": (
                f"Batch size {batch_size}, correction {settings['correction']}: the same example "
                f"becomes {results.mean():.3f} on average, with a standard deviation of "
                f"{results.std():.2g}. By the statistics of all data it is {alone:.3f}."
            ),
        }
