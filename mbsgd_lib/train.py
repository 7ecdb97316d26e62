"""The training loop and the record that it keeps: one entry point, several methods."""

import functools
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.data import check_count, epoch_order, load_airfoil
from mbsgd_lib.methods import METHOD_NAMES, find_method, linreg, sgd, squared_loss
from mbsgd_lib.theory import Quadratic
from mbsgd_lib.timer import Timer

__all__ = ["SOURCE_RUNS", "Run", "linreg", "sgd", "squared_loss", "train"]

MARK_EVERY = 200  # examples between two records, as in the source
LOSS_CAP = 1e6  # a run that gets here has diverged; nothing is gained by going on

SOURCE_RUNS = {  # the four experiments of the source
    "gd": {"batch_size": 1500, "lr": 1.0, "num_epochs": 10},
    "sgd": {"batch_size": 1, "lr": 0.005, "num_epochs": 2},
    "batch size 100": {"batch_size": 100, "lr": 0.4, "num_epochs": 2},
    "batch size 10": {"batch_size": 10, "lr": 0.05, "num_epochs": 2},
}

_airfoil = functools.cache(load_airfoil)


@dataclass
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
    w : Tensor, shape (d,)
    b : float
    diverged : bool
        The run ended no better than it began. A run at the cap stops early.
    """

    batch_size: int
    lr: float
    num_epochs: int
    method: str
    seed: int
    replacement: bool
    updates: np.ndarray
    examples: np.ndarray
    epochs: np.ndarray
    seconds: np.ndarray
    loss: np.ndarray
    w: Tensor
    b: float
    diverged: bool

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
        return f"batch size {self.batch_size}, lr {self.lr:g}"

    def seconds_to(self, target: float) -> float:
        """Return the seconds to the first mark with a loss of at most `target`, or inf."""
        reached = np.flatnonzero(self.loss <= target)
        return float(self.seconds[reached[0]]) if len(reached) else math.inf


def train(
    batch_size: int,
    lr: float,
    num_epochs: int = 2,
    *,
    method: str = "autograd",
    seed: int = 0,
    replacement: bool = False,
    data: tuple[Tensor, Tensor] | None = None,
    on_mark: Callable[[float], None] | None = None,
) -> Run:
    """Fit linear regression by minibatch SGD.

    The same seed gives the same first parameters and the same order of the rows, so that
    every method arrives at the same parameters; only the time differs.

    Parameters
    ----------
    batch_size : int
        1 to n; the short last batch of an epoch is kept, averaged over its true size.
    lr : float
        Learning rate, positive.
    num_epochs : int
    method : str
        One of `mbsgd_lib.methods.METHOD_NAMES`; "compiled" compiles once, for some seconds.
    seed : int
    replacement : bool
        Draw every row of an epoch independently instead of by a permutation.
    data : (X, y), optional
        Tensors of shapes (n, d) and (n,); the airfoil data by default.
    on_mark : callable, optional
        Called with the fraction done at each record. What it raises ends the run.

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.
    """
    X, y = data or (_airfoil().X, _airfoil().y)
    check_arguments(batch_size, lr, num_epochs, method, seed, len(X))
    generator = torch.Generator().manual_seed(seed)
    theta = torch.cat([0.01 * torch.randn(X.shape[1], generator=generator), torch.zeros(1)])
    learner = find_method(method)(X, y, theta.to(X), batch_size)
    evaluate = Quadratic(X, y).loss
    marks = mark_updates(len(X), batch_size, num_epochs)
    per_epoch = math.ceil(len(X) / batch_size)
    epoch_ends = range(per_epoch, per_epoch * num_epochs + 1, per_epoch)
    record = [(0, 0.0, evaluate(theta))]  # updates, seconds, loss
    timer, done, seconds = Timer(X.device), 0, 0.0
    for stop in sorted({*marks, *epoch_ends}):
        timer.start()
        if done % per_epoch == 0:
            order = epoch_order(len(X), generator, replacement)
            learner.begin_epoch(order.to(X.device))
        learner.update([lr] * (stop - done))
        seconds += timer.stop()
        done = stop
        if stop not in marks:
            continue
        record.append((done, seconds, evaluate(learner.theta)))
        if on_mark:
            on_mark(done / epoch_ends[-1])
        if not record[-1][2] < LOSS_CAP:  # true for NaN too
            break
    updates, seconds, loss = map(np.array, zip(*record, strict=True))
    examples = examples_after(updates, len(X), batch_size)
    theta = learner.theta.cpu().clone()
    return Run(
        batch_size, lr, num_epochs, method, seed, replacement,
        updates=updates, examples=examples, epochs=examples / len(X), seconds=seconds,
        loss=np.nan_to_num(loss, nan=LOSS_CAP).clip(max=LOSS_CAP),
        w=theta[:-1], b=float(theta[-1]),
        diverged=not loss[-1] <= loss[0],
    )  # fmt: skip


def examples_after(updates: np.ndarray, n: int, batch_size: int) -> np.ndarray:
    """Count the examples seen after so many updates; the last batch of an epoch may be short."""
    epochs, rest = np.divmod(updates, math.ceil(n / batch_size))
    return epochs * n + rest * batch_size


def mark_updates(n: int, batch_size: int, num_epochs: int) -> set[int]:
    """Return the updates to record: the first at or past each 200 examples, and the last."""
    total = math.ceil(n / batch_size) * num_epochs
    examples = examples_after(np.arange(total + 1), n, batch_size)
    passed = np.flatnonzero(np.diff(examples // MARK_EVERY)) + 1
    return {*passed.tolist(), total}


def check_arguments(batch_size, lr, num_epochs, method, seed, n) -> None:
    """Raise ValueError for the first argument of `train` that is out of range."""
    check_count("batch_size", batch_size, n)
    check_count("num_epochs", num_epochs)
    if not isinstance(lr, numbers.Real) or not 0 < lr < math.inf:
        raise ValueError(f"lr must be a positive, finite number, got {lr!r}")
    if method not in METHOD_NAMES:
        raise ValueError(f"method must be one of {METHOD_NAMES}, got {method!r}")
    if not isinstance(seed, numbers.Integral) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")
