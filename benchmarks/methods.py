"""Seconds per epoch of every method, beside D2L's own functions; and the limits of the machine."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import (
    BUILD,
    ROOT,
    duration,
    progress,
    run_python,
    side_by_side,
    summary,
    table,
)
from mbsgd_lib import benchmark_matmul, load_airfoil, train
from mbsgd_lib.compiled import Compiled
from mbsgd_lib.machine import fastest, peak_gflops, update_latency
from mbsgd_lib.methods import METHOD_NAMES

LRS = {1: 0.005, 10: 0.05, 100: 0.4, 1500: 0.9}
SLOW = {"loader", "optim", "autograd"}
PEER = Path(os.environ.get("D2L_PYTHON", BUILD / "d2l/bin/python"))
HINT = (
    "D2L itself was not measured: `python3.11 -m venv _build/d2l && _build/d2l/bin/pip install "
    "d2l==1.0.3 torch==2.13.0 'ipython<8.24'` sets it up in an environment of its own."
)


class Peer:
    """D2L's functions in a process of their own, with its own packages."""

    def __enter__(self):
        if not PEER.exists():
            return None
        self.process = subprocess.Popen(
            [PEER, "-W", "ignore", ROOT / "benchmarks/d2l_peer.py"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"},
        )  # fmt: skip
        return self

    def __exit__(self, *exception):
        if PEER.exists():
            self.process.communicate()

    def seconds(self, batch_size: int) -> float:
        """Train with D2L's functions and return their own seconds per epoch."""
        print(batch_size, file=self.process.stdin, flush=True)
        if not (answer := self.process.stdout.readline()):
            raise RuntimeError(f"D2L's process ended; its message stands above. Python: {PEER}")
        return float(answer)


def seconds_per_epoch(method: str, batch_size: int) -> float:
    """Train by one of our methods, for as many epochs as a clock can see."""
    num_epochs = 2 if method in SLOW else 10
    return train(batch_size, LRS[batch_size], num_epochs, method=method).sec_per_epoch


def measure_methods(quick: bool) -> dict:
    """Return seconds per epoch by batch size and method, with the ratio to `loader`."""
    budget, results = 0.6 if quick else 6.0, {}
    with Peer() as peer:
        for batch_size in LRS:
            progress(f"one epoch by every method, batch size {batch_size}")
            ways: dict[str, Callable] = {
                name: partial(seconds_per_epoch, name, batch_size) for name in METHOD_NAMES
            }
            if peer:
                ways["D2L"] = partial(peer.seconds, batch_size)
            timings = side_by_side(ways, rounds=1 if quick else 21, budget=budget)
            loader = timings["loader"].min
            results[str(batch_size)] = {
                name: summary(timing) | {"times faster than loader": loader / timing.min}
                for name, timing in timings.items()
            }
    return results


def print_methods(results: dict) -> None:
    """Print a table for each batch size."""
    for batch_size, timings in results.items():
        rows = [
            [name, *(duration(each[key]) for key in ("min", "median", "iqr")),
             f"{each['times faster than loader']:,.3g} ×"]
            for name, each in timings.items()
        ]  # fmt: skip
        head = [f"one epoch, batch size {batch_size}", "minimum", "median", "IQR", "vs loader"]
        print(table(head, rows), end="\n\n")
    if "D2L" not in results["1"]:
        print(HINT, end="\n\n")


def measure_limits(quick: bool) -> dict:
    """Return how far the compiled loop and the matrix product are from what is possible."""
    progress("limits of the machine")
    sizes = [256, 512, 1024, *([] if quick else [2048])]
    rounds = [measure_round(sizes) for _ in range(2 if quick else 6)]
    waits, loops, peaks, *products = zip(*rounds, strict=True)
    imports = [run_python(IMPORT)[0] for _ in range(1 if quick else 5)]
    return {
        "one update must wait (s)": min(waits),
        "compiled loop, one update (s)": min(loops),
        "peak (GFLOP/s)": max(peaks),
        "whole product (GFLOP/s)": {
            str(n): max(speeds) for n, speeds in zip(sizes, products, strict=True)
        },
        "import mbsgd_lib after torch (s)": min(imports),
    }


def measure_round(sizes: list[int], budget: float = 0.3) -> list[float]:
    """Measure each limit and what comes near it in turn: a slow spell of the machine hits all."""
    products = [benchmark_matmul(n, ways=["whole"], budget=3 * budget)[0].gflops for n in sizes]
    return [update_latency(budget), compiled_update(budget), peak_gflops(budget), *products]


IMPORT = """
import time, torch
start = time.perf_counter()
from mbsgd_lib import *  # a name is imported where it is first used
print(time.perf_counter() - start)
"""


def compiled_update(budget: float) -> float:
    """Return the seconds of one update at batch size 1 inside the compiled loop."""
    airfoil = load_airfoil()
    learner = Compiled(airfoil.X, airfoil.y, torch.zeros(6), 1)
    lrs, order = np.full(1500, 0.005), torch.randperm(1500)

    def epoch():
        learner.begin_epoch(order)
        learner.update(lrs)

    return fastest(epoch, budget) / 1500


def print_limits(results: dict) -> None:
    """Print each limit with what comes nearest to it."""
    wait, loop, peak, products, imports = results.values()
    whole = ", ".join(f"n = {n}: {speed / peak:.0%}" for n, speed in products.items())
    rows = [
        ["chain w, residual, w: one update must wait", duration(wait), ""],
        ["compiled, one update of a whole epoch", duration(loop), f"{loop / wait:.2f} × the wait"],
        ["peak by multiply-adds, one core", f"{peak:.0f} GFLOP/s", ""],
        ["whole matrix product", f"{max(products.values()):.0f} GFLOP/s", whole],
        ["import mbsgd_lib, after torch", duration(imports), ""],
    ]
    print(table(["limit", "measured", "share"], rows), end="\n\n")
