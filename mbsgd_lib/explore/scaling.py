"""How much of the time many workers compute, by the latency-bandwidth model."""

import ipywidgets as widgets
import numpy as np

from mbsgd_lib.explore.digits import short
from mbsgd_lib.explore.frames import FrameExplorer
from mbsgd_lib.parallel import Network

MODELS = {  # parameters, and operations for one example, forward and backward
    "linear regression, 6": (6, 36),
    "dense network, 1.1 million": (1_056_769, 6 * 1_056_769),
    "ResNet-50, 25.6 million": (25.6e6, 24.6e9),
    "GPT-2, 1.5 billion": (1.5e9, 6 * 1.5e9 * 1024),  # an example has 1,024 tokens
}
LATENCIES = {"1 µs": 1e-6, "20 µs": 2e-5, "1 ms": 1e-3}
BANDWIDTHS = {"1 Gbit/s": 1e9 / 8, "50 Gbit/s": 50e9 / 8, "400 Gbit/s": 400e9 / 8}
SPEED = 3.4e12  # operations a second: what a GPU of Goyal et al. (2017) comes to
EXAMPLES = np.geomspace(1, 10_000, 17)  # for each worker


class ScalingExplorer(FrameExplorer):
    """Workers, model, latency and bandwidth; the share of the time that is computation."""

    kind = "scaling"
    recorded = ("workers", "model", "latency", "bandwidth")

    def __init__(self):
        super().__init__(
            workers=widgets.SelectionSlider(
                options=[2, 16, 128, 1024], value=128, description="workers"
            ),
            model=widgets.Dropdown(
                options=list(MODELS), value="ResNet-50, 25.6 million", description="parameters"
            ),
            latency=widgets.SelectionSlider(
                options=list(LATENCIES), value="20 µs", description="latency"
            ),
            bandwidth=widgets.SelectionSlider(
                options=list(BANDWIDTHS), value="50 Gbit/s", description="bandwidth"
            ),
        )

    def frame(self, settings: dict) -> dict:
        """Compute the share against the examples a worker, without overlap and with the best."""
        workers, (parameters, operations) = settings["workers"], MODELS[settings["model"]]
        network = Network(LATENCIES[settings["latency"]], BANDWIDTHS[settings["bandwidth"]])
        exchange = network.all_reduce(workers, 4 * parameters)
        one = operations / SPEED  # seconds for one example
        compute = one * EXAMPLES
        hidden = compute / 3 + np.maximum(compute * 2 / 3, exchange)  # behind the backward pass
        shares = {
            "nothing overlaps": compute / (compute + exchange),
            "exchange during the backward pass": compute / hidden,
        }
        needed = max(1, np.ceil(9 * exchange / one))
        alone = 100 * network.efficiency(workers, 4 * parameters, one)
        little = f"{alone:.2g}%" if alone > 0.01 else "less than 0.01%"
        return {
            "chart": "line",
            "xlabel": "examples for each worker",
            "ylabel": "computing (% of the time)",
            "log_x": True,
            "xlim": [1, 10_000],
            "ylim": [0, 100],
            "lines": [
                {
                    "name": name,
                    "x": short(EXAMPLES),
                    "y": short(100 * share),
                    "markers": False,
                    "dash": "backward" in name,
                }
                for name, share in shares.items()
            ],
            "marks": [{"axis": "y", "value": 90, "label": "90%"}],
            "text": (
                f"{workers:,} workers: each update computes for {seconds(one)} an example and "
                f"exchanges for {seconds(exchange)}. With one example each, a batch of "
                f"{workers:,}, {little} of the time is computation. For 90% without "
                f"overlap each needs {count(needed)}, a batch of {count(needed * workers)}."
            ),
        }


def seconds(value: float) -> str:
    """Write a time with a fitting unit."""
    for unit, size in {"s": 1, "ms": 1e-3, "µs": 1e-6}.items():
        if value >= size:
            return f"{value / size:.3g}\u00a0{unit}"
    return "less than a µs"


def count(value: float) -> str:
    """Write a number of examples with two digits."""
    if value > 1e6:
        return f"{value / 1e6:,.2g} million" if value < 1e8 else "more than 100 million"
    return f"{float(f'{value:.2g}'):,.0f}"
