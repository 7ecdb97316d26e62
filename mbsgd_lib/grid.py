"""Many runs at once, only their ends: what heat maps of batch size and learning rate need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.data import epoch_order, load_airfoil
from mbsgd_lib.methods import find_method
from mbsgd_lib.run import LOSS_CAP
from mbsgd_lib.schedules import learning_rates
from mbsgd_lib.theory import Quadratic
from mbsgd_lib.training import check_arguments


@dataclass(frozen=True)
class Grid:
    """How runs of every batch size, learning rate and seed ended.

    Attributes
    ----------
    batch_sizes, lrs, seeds : tuple
        The axes of the arrays, in this order.
    loss : ndarray, shape (batch sizes, learning rates, seeds)
        Mean squared loss over all rows at the end; finite, capped at 1e6.
    diverged : ndarray of bool, same shape
        The run ended no better than it began.
    """

    batch_sizes: tuple[int, ...]
    lrs: tuple[float, ...]
    seeds: tuple[int, ...]
    loss: np.ndarray
    diverged: np.ndarray


def train_grid(
    batch_sizes: Sequence[int],
    lrs: Sequence[float | Callable],
    num_epochs: int = 2,
    *,
    seeds: Sequence[int] = (0,),
    method: str | None = None,
    replacement: bool = False,
    data: tuple[Tensor, Tensor] | None = None,
) -> Grid:
    """Train with every combination of batch size, learning rate and seed.

    The runs are those of `train`, without its marks: a seed gives the same first parameters
    and the same order of the rows to all of them.

    Parameters
    ----------
    batch_sizes, lrs, seeds : sequence
        Settings to combine; each as in `train`.
    num_epochs : int
    method : str, optional
        By default "compiled", or the slower "blocked" where Numba can't be imported.
    replacement, data
        As in `train`.

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.
    """
    X, y = data or ((airfoil := load_airfoil()).X, airfoil.y)
    method = method or fastest_method()
    axes = tuple(batch_sizes), tuple(lrs), tuple(seeds)
    for batch_size, lr, seed in product(*axes):
        check_arguments(batch_size, lr, num_epochs, method, seed, X)
    loss = np.empty([len(axis) for axis in axes])
    first_loss = np.empty(len(axes[2]))
    learner_class, evaluate = find_method(method), Quadratic(X, y).loss
    for s, seed in enumerate(axes[2]):
        theta, orders = draws(seed, X, num_epochs, replacement)
        first_loss[s] = evaluate(theta)
        for (i, batch_size), (j, lr) in product(enumerate(axes[0]), enumerate(axes[1])):
            learner = learner_class(X, y, theta, batch_size)
            loss[i, j, s] = evaluate(last_theta(learner, lr, orders, batch_size))
    loss = np.nan_to_num(loss, nan=LOSS_CAP).clip(max=LOSS_CAP)
    return Grid(*axes, loss, loss > first_loss)


def fastest_method() -> str:
    """Return "compiled", or "blocked" where Numba can't be imported."""
    try:
        find_method("compiled")
    except ImportError:
        return "blocked"
    return "compiled"


def draws(seed: int, X: Tensor, num_epochs: int, replacement: bool) -> tuple[Tensor, list[Tensor]]:
    """Return the first parameters (d + 1,) and the order of each epoch that `train` draws."""
    generator = torch.Generator().manual_seed(seed)
    theta = torch.cat([0.01 * torch.randn(X.shape[1], generator=generator), torch.zeros(1)])
    orders = [epoch_order(len(X), generator, replacement) for _ in range(num_epochs)]
    return theta.to(X), [order.to(X.device) for order in orders]


def last_theta(
    learner: object, lr: float | Callable, orders: list[Tensor], batch_size: int
) -> Tensor:
    """Run all epochs and return the parameters."""
    per_epoch = -(-len(orders[0]) // batch_size)
    lrs = learning_rates(lr, per_epoch * len(orders), per_epoch)
    for epoch, order in enumerate(orders):
        learner.begin_epoch(order)
        learner.update(lrs[epoch * per_epoch : (epoch + 1) * per_epoch])
    return learner.theta
