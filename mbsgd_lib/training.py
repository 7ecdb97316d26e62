"""The training loop: one entry point, several methods."""

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

from mbsgd_lib.data import epoch_order, load_airfoil
from mbsgd_lib.methods import CPU_ONLY, METHOD_NAMES, find_method, linreg, sgd, squared_loss
from mbsgd_lib.run import LOSS_CAP, SOURCE_RUNS, Run, check_settings, make_run, timed_updates
from mbsgd_lib.schedules import learning_rates
from mbsgd_lib.theory import Quadratic
from mbsgd_lib.timer import Timer

__all__ = ["SOURCE_RUNS", "Run", "linreg", "sgd", "squared_loss", "train"]

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

    timer = Timer(X.device)
    for updates, seconds in timed_updates(learner, lrs, draw_order, len(X), int(batch_size), timer):
        record.append((updates, seconds, loss(learner.theta)))
        if on_mark:
            on_mark(updates / len(lrs))
        if not record[-1][-1] < LOSS_CAP:  # true for NaN too
            break
    settings = (int(batch_size), lr, int(num_epochs), method, int(seed), replacement)
    return make_run(settings, record, learner.theta.cpu().clone(), len(X), str(X.device))


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
    check_settings(batch_size, lr, num_epochs, method, seed, len(X), METHOD_NAMES)
    if method in CPU_ONLY and X.device.type != "cpu":
        raise ValueError(f"method {method!r} computes on the CPU only, got data on {X.device}")
