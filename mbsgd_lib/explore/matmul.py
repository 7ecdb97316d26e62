"""Time the matrix product in six ways at the reader's own sizes."""

import os

import ipywidgets as widgets
import torch

from mbsgd_lib.charts import BarsChart
from mbsgd_lib.explore.base import Explorer, device_control
from mbsgd_lib.kernels import WAYS, MatmulTiming, benchmark_matmul


class MatmulExplorer(Explorer):
    """Size, block width, threads and number format of A = BC on sliders; GFLOP/s as bars."""

    kind = "matmul"

    def __init__(self):
        self.chart = BarsChart(list(WAYS), "speed (GFLOP/s)")
        self.ceilings: dict[tuple, float] = {}
        controls = {
            "n": widgets.SelectionSlider(
                options=[16, 32, 64, 128, 256, 512, 1024], value=256, description="matrix size n"
            ),
            "width": widgets.SelectionSlider(
                options=[8, 16, 32, 64, 128, 256], value=64, description="block (columns)"
            ),
            "threads": widgets.IntSlider(1, 1, os.cpu_count() or 1, description="threads"),
            "dtype": widgets.Dropdown(
                options=["float32", "float64", "bfloat16"], description="number format"
            ),
        }
        super().__init__(**controls, **device_control())

    def work(self, settings: dict) -> None:
        """Time every way, newest setting first, and draw."""
        settings["dtype"] = getattr(torch, settings["dtype"])
        timings = []
        for i, way in enumerate(WAYS):
            self.report(i / len(WAYS))
            timings += benchmark_matmul(**settings, ways=[way], repeats=9, budget=0.1)
        ceiling = max(self.ceiling(settings), *(timing.gflops for timing in timings))
        text = describe(timings, ceiling, settings["width"], settings["threads"])
        self.show(self.chart.draw([t.gflops for t in timings], ceiling=ceiling), text)

    def ceiling(self, settings: dict) -> float:
        """Return the speed of a large whole product in GFLOP/s, measured once a setting."""
        rest = {name: settings[name] for name in ("threads", "dtype", "device") if name in settings}
        key = tuple(rest.values())
        if key not in self.ceilings:
            (timing,) = benchmark_matmul(1024, ways=["whole"], **rest, repeats=9, budget=0.5)
            self.ceilings[key] = timing.gflops
        return self.ceilings[key]


def describe(timings: list[MatmulTiming], ceiling: float, width: int, threads: int) -> str:
    """Say in words what was timed and what came out."""
    whole = timings[-1]
    text = (
        f"A product of two {whole.n} × {whole.n} matrices, blocks {width} wide, "
        f"{threads} thread{'s' if threads > 1 else ''}: in one call {whole.gflops:.3g} GFLOP/s. "
        f"Ceiling: the fastest product measured here, {ceiling:.3g} GFLOP/s."
    )
    part = ", ".join(f"{t.way} ({t.rows} of {t.n} rows)" for t in timings if t.extrapolated)
    return f"{text} Extrapolated from a part: {part}." if part else text
