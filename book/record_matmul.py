"""Record the speed of the ways to compute a matrix product, as frames of a replay."""

from mbsgd_lib import benchmark_matmul
from mbsgd_lib.kernels import WAYS

SIZES = [32, 64, 128, 256, 512, 1024]
WIDTHS = [16, 32, 64, 128, 256]
PLAIN = ["element", "row", "column", "whole"]
BLOCKED = ["panel", "tile"]
BUDGET = 0.06  # seconds a timing
MOST_BLOCKS = 32  # along a side: a product of more tiles takes seconds


def record_matmul(progress) -> dict:
    """Time every way of computing a product, the blocked ones at every block width."""
    timings = {}
    for number, n in enumerate(SIZES):
        progress(number / len(SIZES), f"matrix product, n = {n}")
        plain = time_ways(n, PLAIN)
        widths = [width for width in WIDTHS if width <= n <= MOST_BLOCKS * width]
        timings[n] = {width: plain | time_ways(n, BLOCKED, width) for width in widths}
    ceiling = max(
        t.gflops for ways in timings.values() for each in ways.values() for t in each.values()
    )
    return {
        "controls": [
            {"name": "n", "label": "matrix size n", "values": SIZES, "value": 256},
            {"name": "width", "label": "block width", "values": WIDTHS, "value": 64},
        ],
        "frames": [matmul_frame(n, width, timings[n], ceiling) for n in SIZES for width in WIDTHS],
    }


def time_ways(n: int, ways: list[str], width: int = 64) -> dict:
    """Time some ways of computing an n × n product."""
    timings = benchmark_matmul(n, width, ways=ways, budget=BUDGET)
    return {timing.way: timing for timing in timings}


def matmul_frame(n: int, width: int, recorded: dict, ceiling: float) -> dict:
    """Describe the bars of one size, with the recorded block width nearest to `width`."""
    width = min(recorded, key=lambda each: abs(each - width))
    timings = [recorded[width][way] for way in WAYS]
    whole = timings[-1]
    element, *others = [(digits(whole.gflops / t.gflops, 2), t.way) for t in timings[:-1]]
    ratios = ["{} times as fast as by {}".format(*element), *map(" by ".join, others)]
    return {
        "chart": "bar",
        "xlabel": "speed (GFLOP/s)",
        "bars": {
            "labels": list(WAYS),
            "values": [float(f"{t.gflops:.4g}") for t in timings],
            "notes": [digits(t.gflops, 3) + " *" * t.extrapolated for t in timings],
        },
        "marks": [{"axis": "x", "value": float(f"{ceiling:.4g}"), "label": "best speed recorded"}],
        "text": (
            f"A product of two {n} × {n} matrices, blocks {width} wide: in one call "
            f"{digits(whole.gflops, 3)} GFLOP/s ({digits(1000 * whole.seconds, 3)} ms). "
            f"That is {', '.join(ratios)}."
        ),
    }


def digits(value: float, count: int) -> str:
    """Write a number with so many digits that count."""
    return f"{float(f'{value:.{count}g}'):,}".removesuffix(".0")
