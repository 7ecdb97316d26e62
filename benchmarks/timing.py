"""Measurements that take turns, so that a machine that slows down slows all of them down."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mbsgd_lib.timer import Measurement

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"


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
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **kwargs)
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return output, time.perf_counter() - start, usage.ru_maxrss * unit / 1e6


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
