"""Measurements that take turns, so that a machine that slows down slows all of them down."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mbsgd_lib.timer import Measurement

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"

# A process starts with the peak of the one that forked it, so a small one stands in between.
LAUNCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def progress(text: str) -> None:
    """Say on the terminal what is being measured."""
    print(f"  {text} …", file=sys.stderr, flush=True)


def side_by_side(
    functions: Mapping[str, Callable[[], float]], *, rounds: int = 21, budget: float = 5.0
) -> dict[str, Measurement]:
    """Call all functions in turn, round after round.

    Parameters
    ----------
    functions : dict of name to callable
        Each returns the seconds that it measured; the first call is a warm-up.
    rounds : int
    budget : float
        Seconds after which a function drops out, once it was counted three times.
    """
    times = {name: [] for name in functions}
    spent = dict.fromkeys(functions, 0.0)
    for number in range(rounds + 1):
        for name, function in functions.items():
            if spent[name] > budget and len(times[name]) >= 3:
                continue
            start = time.perf_counter()
            seconds = function()
            spent[name] += time.perf_counter() - start
            if number:
                times[name].append(seconds)
    return {name: Measurement(tuple(each)) for name, each in times.items()}


def summary(measurement: Measurement) -> dict[str, float]:
    """Return what is reported: minimum first, median and spread beside it, in seconds."""
    return {"min": measurement.min, "median": measurement.median, "iqr": measurement.iqr}


def run(command: list[str], **kwargs) -> tuple[str, float, float]:
    """Run a program; return its output, its seconds and its peak resident memory in MB.

    The memory is that of the largest process among it and those it started.
    """
    with tempfile.TemporaryDirectory() as folder:
        peak = Path(folder, "peak")
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-S", "-c", LAUNCH, peak, *command],
            stdout=subprocess.PIPE, text=True, check=True, **kwargs,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
        return done.stdout, seconds, int(peak.read_text()) * unit / 1e6


def run_python(code: str) -> tuple[object, float]:
    """Run Python code that prints JSON in a fresh interpreter; return that and the peak in MB."""
    output, _, memory = run([sys.executable, "-c", code], cwd=ROOT)
    return json.loads(output), memory


def duration(seconds: float) -> str:
    """Write a time with three digits and a fitting unit."""
    for size, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out rows under a head, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in [head, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines)
