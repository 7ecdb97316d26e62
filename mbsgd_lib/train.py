"""The training loop and the record that it keeps: one entry point, several methods."""

import functools
import math
import numbers
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.data import check_count, epoch_order, load_airfoil
from mbsgd_lib.methods import CPU_ONLY, METHOD_NAMES, find_method, linreg, sgd, squared_loss
from mbsgd_lib.run import LOSS_CAP, Run
from mbsgd_lib.schedules import check_positive, learning_rates
from mbsgd_lib.theory import Quadratic
from mbsgd_lib.timer import Timer

__all__ = ["SOURCE_RUNS", "Run", "linreg", "sgd", "squared_loss", "train"]

MARK_EVERY = 200  # examples between two records, as in the source

SOURCE_RUNS = {  # the four experiments of the source
    "gd": {"batch_size": 1500, "lr": 1.0, "num_epochs": 10},
    "sgd": {"batch_size": 1, "lr": 0.005, "num_epochs": 2},
    "batch size 100": {"batch_size": 100, "lr": 0.4, "num_epochs": 2},
    "batch size 10": {"batch_size": 10, "lr": 0.05, "num_epochs": 2},
}

_airfoil = functools.cache(load_airfoil)


def train(
    batch_size: int,
    lr: float | Callable,
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
    lr : float or callable
        Learning rate, positive; or a schedule, a function of the epochs done such as those of
        `mbsgd_lib.schedules`, at least 0.
    num_epochs : int
    method : str
        One of `mbsgd_lib.methods.METHOD_NAMES`; "compiled" compiles once, for some seconds.
        "numpy" and "compiled" compute on the CPU only.
    seed : int
    replacement : bool
        Draw every row of an epoch independently instead of by a permutation.
    data : (X, y), optional
        Tensors of shapes (n, d) and (n,), on the device that is to compute; the airfoil data
        by default, on the CPU.
    on_mark : callable, optional
        Called with the fraction done at each record. What it raises ends the run.

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.
    """
    X, y = data or (_airfoil().X, _airfoil().y)
    check_data(X, y)
    check_arguments(batch_size, lr, num_epochs, method, seed, X)
    generator = torch.Generator().manual_seed(int(seed))
    theta = torch.cat([0.01 * torch.randn(X.shape[1], generator=generator), torch.zeros(1)])
    learner = find_method(method)(X, y, theta.to(X), int(batch_size))
    per_epoch = math.ceil(len(X) / batch_size)
    lrs = learning_rates(lr, per_epoch * int(num_epochs), per_epoch)
    loss = Quadratic(X, y).loss
    record = [(0, 0.0, loss(theta))]  # updates, seconds, loss

    def draw_order() -> Tensor:
        return epoch_order(len(X), generator, replacement).to(X.device)

    for updates, seconds in timed_updates(learner, lrs, draw_order, len(X), int(batch_size)):
        record.append((updates, seconds, loss(learner.theta)))
        if on_mark:
            on_mark(updates / len(lrs))
        if not record[-1][-1] < LOSS_CAP:  # true for NaN too
            break
    settings = (int(batch_size), lr, int(num_epochs), method, int(seed), replacement)
    return make_run(settings, record, learner.theta, len(X))


def timed_updates(
    learner: object, lrs: list[float], draw_order: Callable[[], Tensor], n: int, batch_size: int
) -> Iterator[tuple[int, float]]:
    """Do one update for each learning rate; yield (updates, seconds of training) at each mark.

    The clock stands still while the caller looks at the mark.
    """
    per_epoch = math.ceil(n / batch_size)
    marks = mark_updates(n, batch_size, len(lrs))
    epoch_ends = range(per_epoch, len(lrs) + 1, per_epoch)
    timer, done, seconds = Timer(learner.theta.device), 0, 0.0
    for stop in sorted({*marks, *epoch_ends}):
        timer.start()
        if done % per_epoch == 0:
            learner.begin_epoch(draw_order())
        learner.update(lrs[done:stop])
        seconds += timer.stop()
        done = stop
        if done in marks:
            yield done, seconds


def make_run(settings: tuple, record: list[tuple], theta: Tensor, n: int) -> Run:
    """Turn the record of a run, (updates, seconds, loss) at each mark, into a `Run`."""
    updates, seconds, loss = map(np.array, zip(*record, strict=True))
    examples = examples_after(updates, n, settings[0])
    device, theta = str(theta.device), theta.cpu().clone()
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


def check_data(X: Tensor, y: Tensor) -> None:
    """Raise ValueError unless X is a table of floating-point numbers and y its targets."""
    tensors = isinstance(X, Tensor) and isinstance(y, Tensor)
    if not tensors or X.ndim != 2 or y.shape != X.shape[:1] or not X.dtype.is_floating_point:
        got = [(tuple(a.shape), str(a.dtype)) for a in (X, y) if hasattr(a, "shape")]
        raise ValueError(
            f"data must be two floating-point tensors of shapes (n, d) and (n,), got {got}"
        )
    if X.dtype != y.dtype or len(X) == 0:
        raise ValueError(f"data must have rows of one number format, got {X.dtype}, {y.dtype}")


def check_arguments(batch_size, lr, num_epochs, method, seed, X) -> None:
    """Raise ValueError for the first argument of `train` that is out of range."""
    check_count("batch_size", batch_size, len(X))
    check_count("num_epochs", num_epochs)
    if not callable(lr):
        check_positive(lr=lr)
    if method not in METHOD_NAMES:
        raise ValueError(f"method must be one of {METHOD_NAMES}, got {method!r}")
    if method in CPU_ONLY and X.device.type != "cpu":
        raise ValueError(f"method {method!r} computes on the CPU only, got data on {X.device}")
    if not isinstance(seed, numbers.Integral) or seed is True or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")
