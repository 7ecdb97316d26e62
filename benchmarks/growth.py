"""Time and memory until gradient descent and minibatches are near the lowest loss, by rows."""

from benchmarks.timing import duration, progress, run_python, table

KINDS = {"copies": 0.0, "changed copies": 0.05}  # standard deviation of the change
COPIES = [1, 10, 100, 1000]
CODE = """
import json, torch
from mbsgd_lib.growth import grown_airfoil, time_to_loss
torch.set_num_threads(1)
data = grown_airfoil({copies}, {jitter})
ways = {{"gradient descent": (1500 * {copies}, 0.9), "batches of 100": (100, 0.4)}}
print(json.dumps({{
    f"{{way}}, {{reader}}": min(
        time_to_loss(data, *settings, shuffle=reader == "shuffled") for _ in range({repeats})
    )
    for way, settings in ways.items() for reader in ("shuffled", "as needed")
}}))
"""


def measure_growth(quick: bool) -> dict:
    """Return seconds and peak memory by kind of rows and their number."""
    results = {}
    for name, jitter in KINDS.items():
        if quick and jitter:
            continue
        results[name] = {}
        for copies in COPIES[:2] if quick else COPIES:
            progress(f"{1500 * copies:,} rows, {name}")
            code = CODE.format(copies=copies, jitter=jitter, repeats=3)
            seconds, memory = run_python(code)
            results[name][str(1500 * copies)] = {"seconds": seconds, "peak (MB)": memory}
    return results


def print_growth(results: dict) -> None:
    """Print a table for each kind of rows."""
    for name, sizes in results.items():
        ways = list(next(iter(sizes.values()))["seconds"])
        rows = [
            [f"{int(n):,}", *(duration(each["seconds"][way]) for way in ways),
             f"{each['peak (MB)']:,.0f} MB"]
            for n, each in sizes.items()
        ]  # fmt: skip
        print(table([f"rows ({name})", *ways, "peak memory"], rows), end="\n\n")
