"""How long a reader waits: from a control that moves to the figure that has followed."""

import time

import numpy as np

from benchmarks.timing import duration, progress, table
from mbsgd_lib import explore
from mbsgd_lib.explore.frames import values

MEASURING = {"growth_explorer", "matmul_explorer"}  # their answer is itself a measurement


def moves(explorer: object) -> list[dict]:
    """Return every position of every control, one control at a time."""
    return [
        {name: value} for name, control in explorer.controls.items() for value in positions(control)
    ]


def positions(control: object) -> list:
    """Return the positions of a control, at most some twenty of them."""
    if isinstance(getattr(control, "options", None), dict):
        return list(control.options.values())
    every = values(control)
    return every[:: -(-len(every) // 20)]


def latencies(name: str, quick: bool) -> list[float]:
    """Return the seconds from each move to the updated figure."""
    explorer = getattr(explore, name)()
    start = {key: control.value for key, control in explorer.controls.items()}
    seconds = []
    for move in moves(explorer)[:: 5 if quick else 1]:
        clock = time.perf_counter()
        explorer.set(**move)
        explorer.wait()
        seconds.append(time.perf_counter() - clock)
        explorer.set(**start)
        explorer.wait()
    return seconds


def measure_explorers(quick: bool) -> dict:
    """Return median and 95th percentile of the wait by explorer, in seconds."""
    names = [name for name in explore.__all__ if name.endswith("_explorer")]
    results = {}
    for name in names:
        if name in MEASURING or (quick and name != "training_explorer"):
            continue
        progress(f"slider to figure, {name}")
        seconds = latencies(name, quick)
        results[name] = {
            "moves": len(seconds),
            "median": float(np.median(seconds)),
            "95 %": float(np.percentile(seconds, 95)),
        }
    return results


def print_explorers(results: dict) -> None:
    """Print one row an explorer."""
    rows = [
        [name, str(each["moves"]), duration(each["median"]), duration(each["95 %"])]
        for name, each in results.items()
    ]
    print(table(["slider to figure", "moves", "median", "95 %"], rows), end="\n\n")
