"""What this processor can do at best: the ceilings that measurements are held against.

Needs Numba: the loops must be compiled, or they would measure Python.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from mbsgd_lib.compiled import compiled
from mbsgd_lib.timer import measure

CHAIN = 2000  # links of the chain that is timed
DEPTH = 8  # multiply-adds on each number: more than a load needs, few enough to overlap
WIDTH = 1024  # numbers: 4 KiB, well inside the nearest cache
REPEATS = 200  # a call costs as much as thousands of multiply-adds


@compiled
def update_chain(z, w, lr, updates):
    """Do one-row updates with nothing but the chain w, residual, w: all else is at hand.

    Parameters
    ----------
    z, w : tuple of six float32
        The row, and the first weights.
    lr : float32
    updates : int
    """
    z0, z1, z2, z3, z4, z5 = z
    w0, w1, w2, w3, w4, w5 = w
    for _ in range(updates):
        r = (z0 * w0 + z1 * w1) + (z2 * w2 + z3 * w3) + (z4 * w4 + z5 * w5)
        w0, w1, w2 = w0 - r * (lr * z0), w1 - r * (lr * z1), w2 - r * (lr * z2)
        w3, w4, w5 = w3 - r * (lr * z3), w4 - r * (lr * z4), w5 - r * (lr * z5)
    return w0 + w1 + w2 + w3 + w4 + w5


def update_latency(budget: float = 0.5) -> float:
    """Return the seconds that one update at batch size 1 must wait for the one before.

    The next residual needs the new weights, and these the residual: however many
    arithmetic units there are, that chain takes its time.
    """
    row, lr = (np.float32(0.5),) * 6, np.float32(0.01)
    return fastest(lambda: update_chain(row, row, lr, CHAIN), budget) / CHAIN


@compiled
def multiply_adds(x, factor, repeats):
    """Do `DEPTH` dependent multiply-adds on every number; neighbours run side by side."""
    for _ in range(repeats):
        for i in range(len(x)):
            v = x[i]
            for _ in range(DEPTH):
                v = v * factor + factor
            x[i] = v


def peak_gflops(budget: float = 0.5) -> float:
    """Return the float32 speed of one core that does nothing but multiply and add, in GFLOP/s."""
    x, factor = np.zeros(WIDTH, np.float32), np.float32(0.5)
    seconds = fastest(lambda: multiply_adds(x, factor, REPEATS), budget)
    return 2 * REPEATS * DEPTH * WIDTH / seconds / 1e9


@compiled
def add_up(x, passes):
    """Sum all numbers again and again: little arithmetic, so the time is that of reading."""
    total = np.float32(0)
    for _ in range(passes):
        for i in range(len(x)):
            total += x[i]
    return total


def read_bandwidth(size: int, budget: float = 0.2) -> float:
    """Return how fast one core reads `size` bytes again and again, in GB/s.

    Parameters
    ----------
    size : int
        Working set in bytes.
    """
    x = np.ones(max(1, size // 4), np.float32)
    passes = max(1, 2**18 // len(x))
    return 4e-9 * passes * len(x) / fastest(lambda: add_up(x, passes), budget)


def fastest(loop: Callable[[], object], budget: float) -> float:
    """Return the seconds of a compiled loop; its compilation is not counted."""
    loop()
    return measure(loop, budget=budget).min


def cache_sizes() -> dict[str, int]:
    """Return the data caches that the operating system names, in bytes; empty if it is silent."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (folder / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            found[f"L{level}"] = int(size.removesuffix("K")) * 1024
    return found
