"""Record what the sliders of the built book replay: training runs and matrix products.

Run as ``python book/record.py FOLDER``; writes training.json and matmul.json there.
"""

import json
import platform
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from record_matmul import record_matmul

from mbsgd_lib import (
    SOURCE_RUNS,
    Run,
    least_squares,
    load_airfoil,
    stability_limit,
    train,
)
from mbsgd_lib.processor import processor

# Epochs by batch size: enough to see the noise floor of the small ones and, at the largest, the
# slow explosion above 2 / λmax.
EPOCHS = {1: 10, 2: 10, 5: 10, 10: 10, 20: 12, 50: 20, 100: 30, 200: 40, 500: 60, 750: 70,
          1000: 80, 1500: 120}  # fmt: skip
FULL = max(EPOCHS)  # all rows in one batch
RATES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1]
TITLES = {"gd": "Gradient descent", "sgd": "SGD"}
MARKS = 60  # points kept of a curve
LOSS_CLIP = 100  # far off any plot
REPEATS = 2  # of a short run
SHORT = 500  # updates


def record_training(progress) -> dict:
    """Train on every batch size and learning rate of the grid."""
    data = load_airfoil()
    floor = least_squares(data.X, data.y).loss
    target = round(1.005 * floor, 3)  # the finishing line of a race
    train(FULL, 0.1, 10)  # the first call of PyTorch's autograd is slow
    grid = []
    for number, (batch_size, epochs) in enumerate(EPOCHS.items()):
        runs = []
        for lr in RATES:
            progress((number + len(runs) / len(RATES)) / len(EPOCHS), f"batch size {batch_size}")
            runs.append(steady_run(batch_size, lr, epochs))
        grid.append(encode(runs, target))
    source = [
        {"title": TITLES.get(name, name.capitalize()),
         "b": run["batch_size"], "lr": run["lr"], "epochs": run["num_epochs"]}
        for name, run in SOURCE_RUNS.items()
    ]  # fmt: skip
    limit = stability_limit(data.X)
    return {
        "about": about() | {"method": "autograd", "seed": 0},
        "n": len(data.X), "floor": round(floor, 6), "target": target,
        "limit": round(limit, 4), "limitPlace": place(limit), "clip": LOSS_CLIP,
        "rates": RATES, "source": source, "grid": grid,
    }  # fmt: skip


def place(lr: float) -> float:
    """Return where a learning rate lies on the slider, whose positions count from 0."""
    return round(float(np.interp(np.log(lr), np.log(RATES), range(len(RATES)))), 3)


def steady_run(batch_size: int, lr: float, epochs: int) -> Run:
    """Train, repeatedly where it is so short that a pause of the machine would show.

    Between two marks the fastest repeat counts: everything else is the same in all of them.
    """
    repeats = REPEATS if FULL / batch_size * epochs < SHORT else 1
    runs = [train(batch_size, lr, epochs, method="autograd") for _ in range(repeats)]
    steps = np.min([np.diff(run.seconds) for run in runs], axis=0)
    return replace(runs[0], seconds=np.concatenate([[0], np.cumsum(steps)]))


def encode(runs: list[Run], target: float) -> dict:
    """Pack the runs of one batch size as whole numbers: updates once, then µs and 1e-5 of loss.

    A run that blew up early has fewer marks than the others.
    """
    marks = thin(runs, target)
    return {
        "b": runs[0].batch_size,
        "epochs": runs[0].num_epochs,
        "updates": marks,
        "runs": [encode_run(run, marks) for run in runs],
    }


def encode_run(run: Run, marks: list[int]) -> dict:
    """Pack the seconds between marks and the loss at marks."""
    kept = np.isin(run.updates, marks)
    microseconds = np.round(run.seconds[kept] * 1e6).astype(int)
    loss = np.round(run.loss[kept].clip(max=LOSS_CLIP) * 1e5).astype(int)
    return {
        "us": np.diff(microseconds).tolist(),
        "loss": loss.tolist(),
        "diverged": bool(run.diverged),
    }


def thin(runs: list[Run], target: float) -> list[int]:
    """Choose some 60 marks, denser early, those that a reader looks for among them.

    These are each run's first at the target and its last, and where the source stopped.
    """
    longest = max((run.updates for run in runs), key=len)
    steps = np.linspace(0, 1, MARKS) ** 1.5 * (len(longest) - 1)
    marks = {*longest[np.unique(steps.round().astype(int))].tolist(), *source_ends(runs[0])}
    for run in runs:
        reached = run.updates[run.loss <= target][:1]
        marks |= {*reached.tolist(), int(run.updates[-1])}
    return sorted(marks)


def source_ends(run: Run) -> list[int]:
    """Return the updates after which the source stopped its run of this batch size."""
    ends = {source["batch_size"]: source["num_epochs"] for source in SOURCE_RUNS.values()}
    return [ends[run.batch_size] * -(-FULL // run.batch_size)] if run.batch_size in ends else []


def about() -> dict:
    """Describe where and when the recording is made."""
    return {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "date": datetime.now(UTC).date().isoformat(),
    }


def show_progress(fraction: float, what: str, width: int = 40) -> None:
    """Redraw the progress bar of a terminal; elsewhere (a log file) say nothing."""
    if sys.stderr.isatty():
        bar = "█" * round(fraction * width)
        print(f"\r{bar:░<{width}} {fraction:4.0%}  {what:<28}", end="", file=sys.stderr, flush=True)


def main(folder: Path) -> None:
    """Record both grids, the slower one first, and write them."""
    torch.set_num_threads(1)
    training = record_training(lambda done, what: show_progress(0.8 * done, what))
    matmul = record_matmul(lambda done, what: show_progress(0.8 + 0.2 * done, what))
    matmul |= {"about": about()}
    show_progress(1, "recorded")
    folder.mkdir(parents=True, exist_ok=True)
    for name, recording in {"training": training, "matmul": matmul}.items():
        text = json.dumps(recording, allow_nan=False, separators=(",", ":"))
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    print(f"\nThe sliders' recording is in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
