"""The record of one training run: what is asked for, when it is looked at, and what came out."""

import math
import numbers
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mbsgd_lib.schedules import check_positive
from mbsgd_lib.table import check_count
from mbsgd_lib.timer import Timer

if TYPE_CHECKING:  # other frameworks keep the same record where there is no PyTorch
    from torch import Tensor

LOSS_CAP = 1e6  # a run that gets here has diverged; nothing is gained by going on
MARK_EVERY = 200  # examples between two records, as in the source

SOURCE_RUNS = {  # the four experiments of the source
    "gd": {"batch_size": 1500, "lr": 1.0, "num_epochs": 10},
    "sgd": {"batch_size": 1, "lr": 0.005, "num_epochs": 2},
    "batch size 100": {"batch_size": 100, "lr": 0.4, "num_epochs": 2},
    "batch size 10": {"batch_size": 10, "lr": 0.05, "num_epochs": 2},
}


@dataclass(eq=False)
class Run:
    """One training run: its settings, its record and its last parameters.

    Attributes
    ----------
    updates, examples : ndarray of int, shape (m,)
        Counted at each mark: the start, the first update at or past each multiple of 200
        examples, and the end.
    epochs : ndarray, shape (m,)
        Passes over the data.
    seconds : ndarray, shape (m,)
        Time spent training; evaluating the loss is not counted.
    loss : ndarray, shape (m,)
        Mean squared loss over *all* rows; always finite, capped at 1e6.
    w : Tensor or ndarray, shape (d,)
    b : float
    diverged : bool
        The run ended no better than it began. A run at the cap stops early.
    device : str
        Where the updates were computed.
    """

    batch_size: int
    lr: float | Callable
    num_epochs: int
    method: str
    seed: int
    replacement: bool
    updates: np.ndarray
    examples: np.ndarray
    epochs: np.ndarray
    seconds: np.ndarray
    loss: np.ndarray
    w: "Tensor | np.ndarray"
    b: float
    diverged: bool
    device: str = "cpu"

    @property
    def final_loss(self) -> float:
        """Loss at the last mark."""
        return float(self.loss[-1])

    @property
    def sec_per_epoch(self) -> float:
        """Training seconds for one pass over the data."""
        return float(self.seconds[-1] / self.epochs[-1])

    @property
    def label(self) -> str:
        """Name of the run in a legend."""
        lr = self.lr if callable(self.lr) else f"{self.lr:g}"
        return f"batch size {self.batch_size}, lr {lr}"

    def seconds_to(self, target: float) -> float:
        """Return the seconds to the first mark with a loss of at most `target`, or inf."""
        reached = np.flatnonzero(self.loss <= target)
        return float(self.seconds[reached[0]]) if len(reached) else math.inf


def timed_updates(
    learner: object, lrs: list[float], draw_order: Callable, n: int, batch_size: int, timer: Timer
) -> Iterator[tuple[int, float]]:
    """Do one update for each learning rate; yield (updates, seconds of training) at each mark.

    The clock stands still while the caller looks at the mark.
    """
    per_epoch = math.ceil(n / batch_size)
    marks = mark_updates(n, batch_size, len(lrs))
    epoch_ends = range(per_epoch, len(lrs) + 1, per_epoch)
    done, seconds = 0, 0.0
    for stop in sorted({*marks, *epoch_ends}):
        timer.start()
        if done % per_epoch == 0:
            learner.begin_epoch(draw_order())
        learner.update(lrs[done:stop])
        seconds += timer.stop()
        done = stop
        if done in marks:
            yield done, seconds


def make_run(
    settings: tuple, record: list[tuple], theta: "Tensor | np.ndarray", n: int, device: str = "cpu"
) -> Run:
    """Turn the record of a run, (updates, seconds, loss) at each mark, into a `Run`."""
    updates, seconds, loss = map(np.array, zip(*record, strict=True))
    examples = examples_after(updates, n, settings[0])
    return Run(
        *settings,
        updates=updates, examples=examples, epochs=examples / n, seconds=seconds,
        loss=np.nan_to_num(loss, nan=LOSS_CAP).clip(max=LOSS_CAP),
        w=theta[:-1], b=float(theta[-1]),
        diverged=not loss[-1] <= loss[0], device=device,
    )  # fmt: skip


def examples_after(updates: np.ndarray, n: int, batch_size: int) -> np.ndarray:
    """Count the examples seen after so many updates; the last batch of an epoch may be short."""
    epochs, rest = np.divmod(updates, math.ceil(n / batch_size))
    return epochs * n + rest * batch_size


def mark_updates(n: int, batch_size: int, total: int) -> set[int]:
    """Return the updates to record: the first at or past each 200 examples, and the last."""
    examples = examples_after(np.arange(total + 1), n, batch_size)
    passed = np.flatnonzero(np.diff(examples // MARK_EVERY)) + 1
    return {*passed.tolist(), total}


def check_settings(batch_size, lr, num_epochs, method, seed, n, methods) -> None:
    """Raise ValueError for the first argument of a run that is out of range."""
    check_count("batch_size", batch_size, n)
    check_count("num_epochs", num_epochs)
    if not callable(lr):
        check_positive(lr=lr)
    if method not in methods:
        raise ValueError(f"method must be one of {methods}, got {method!r}")
    if not isinstance(seed, numbers.Integral) or seed is True or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")
