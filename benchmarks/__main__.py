"""Run the benchmarks: ``python -m benchmarks [--quick] [--only PART ...]``."""

import argparse
import json
import platform
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks import book, explorers, growth, methods
from benchmarks.timing import BUILD
from mbsgd_lib.processor import processor

PARTS = {
    "methods": (methods.measure_methods, methods.print_methods),
    "limits": (methods.measure_limits, methods.print_limits),
    "explorers": (explorers.measure_explorers, explorers.print_explorers),
    "growth": (growth.measure_growth, growth.print_growth),
    "book": (book.measure_book, book.print_book),
}


def about() -> dict:
    """Return what was measured on."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, print tables, and write ``_build/bench.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, under a minute")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=BUILD / "bench.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # more are unsteady on a busy machine
    results = {"about": about()}
    print(" · ".join(f"{key} {value}" for key, value in results["about"].items()), end="\n\n")
    for part in options.only:
        measure, show = PARTS[part]
        results[part] = measure(options.quick)
        show(results[part])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(f"Written to {options.out}")


if __name__ == "__main__":
    main()
