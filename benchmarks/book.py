"""Building the book from nothing and again, and recording what its sliders replay."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import ROOT, duration, progress, run, table

SKIP = shutil.ignore_patterns(".git", ".venv*", "_build", "__pycache__", ".*_cache")


def measure_book(quick: bool) -> dict:
    """Return seconds and peak resident memory of each; nothing if time is short."""
    if quick:
        return {}
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "course")
        shutil.copytree(ROOT, copy, ignore=SKIP)  # whatever is built in the project stays
        (copy / ".venv").symlink_to(ROOT / ".venv")
        record = [sys.executable, "book/record.py", str(Path(folder, "replay"))]
        for name, command in {
            "recording the replay": record,
            "make book, cold": ["make", "book"],
            "make book, warm": ["make", "book"],
        }.items():
            progress(name)
            _, seconds, memory = run(
                command, cwd=copy, stderr=subprocess.DEVNULL, env=dict(os.environ)
            )
            results[name] = {"seconds": seconds, "peak (MB)": memory}
    return results


def print_book(results: dict) -> None:
    """Print one row a step."""
    rows = [
        [name, duration(each["seconds"]), f"{each['peak (MB)']:,.0f} MB"]
        for name, each in results.items()
    ]
    if rows:
        print(table(["the book", "time", "peak memory"], rows), end="\n\n")
