"""How long it takes to reach a loss when there are more and more rows."""

import math

import torch
from torch import Tensor

from mbsgd_lib.data import load_airfoil
from mbsgd_lib.methods import find_method
from mbsgd_lib.run import LOSS_CAP, MARK_EVERY
from mbsgd_lib.table import check_count
from mbsgd_lib.theory import Quadratic
from mbsgd_lib.timer import Timer

LAZY = 20  # batches that are drawn at a time where rows are read as needed
NEAR = 1.005  # the loss to reach by default, in units of the lowest possible one


def grown_airfoil(copies: int, jitter: float = 0.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return the 1,500 rows `copies` times over, X (1500 copies, 5) and y.

    Parameters
    ----------
    copies : int
    jitter : float
        Standard deviation of the random change of each feature, in the features' own: the first
        1,500 rows stay as they are.
    """
    check_count("copies", copies)
    airfoil = load_airfoil()
    X, y = airfoil.X.repeat(copies, 1), airfoil.y.repeat(copies)
    if jitter:
        generator = torch.Generator().manual_seed(seed)
        X[len(airfoil.X) :] += jitter * torch.randn(X[len(airfoil.X) :].shape, generator=generator)
    return X, y


def time_to_loss(
    data: tuple[Tensor, Tensor],
    batch_size: int,
    lr: float,
    *,
    shuffle: bool = True,
    method: str = "autograd",
    seed: int = 0,
    limit: float = 20.0,
    target: float | None = None,
    loss: Quadratic | None = None,
) -> float:
    """Train until the loss of all rows first gets to a target; return the seconds it took.

    Parameters
    ----------
    data : (X, y)
    batch_size, lr, method, seed
        As in `train`.
    shuffle : bool
        Permute and gather *all* rows before each epoch, as `train` does. Otherwise rows are read
        as needed: in stored order when the batch holds all of them, by independent draws else.
    limit : float
        Seconds after which to give up.
    target : float, optional
        By default 0.5% above the minimum of the loss.
    loss : Quadratic, optional
        The loss over these rows, if it is at hand.

    Returns
    -------
    float
        inf if the target is not reached. Evaluating the loss is not counted.
    """
    X, y = data
    check_count("batch_size", batch_size, len(X))
    loss = loss or Quadratic(X, y)
    target = target or NEAR * loss.loss(torch.linalg.solve(loss.H, loss.g))
    generator, timer = torch.Generator().manual_seed(seed), Timer(X.device)
    theta = torch.cat([0.01 * torch.randn(X.shape[1], generator=generator), torch.zeros(1)])
    learner = find_method(method)(X, y, theta.to(X), batch_size)
    some = math.ceil(MARK_EVERY / batch_size)  # updates between two looks at the loss
    left = 0  # updates in this epoch
    value = math.inf  # of the loss
    while not timer.times or (timer.sum() < limit and value < LOSS_CAP):
        with timer:
            if left == 0:
                order = draw(len(X), batch_size, shuffle, generator)
                learner.begin_epoch(order)
                left = math.ceil(len(X if order is None else order) / batch_size)
            step = min(some, left)
            learner.update([lr] * step)
        left -= step
        value = loss.loss(learner.theta)
        if value <= target:
            return timer.sum()
    return math.inf


def draw(n: int, batch_size: int, shuffle: bool, generator: torch.Generator) -> Tensor | None:
    """Return the rows to read next: all of them, as stored if None, or enough for some batches."""
    if shuffle:
        return torch.randperm(n, generator=generator)
    if batch_size == n:
        return None  # their sum is the same in any order, so nothing is moved
    return torch.randint(n, (LAZY * batch_size,), generator=generator)
