"""Whole stretches of updates in one compiled function: no Python and no allocation an update."""

# ruff: noqa: D102 (the docstring of `methods` documents the three steps)
import numpy as np
import torch
from numba import njit
from torch import Tensor

from mbsgd_lib.theory import with_ones

# "reassoc" lets the compiler add up a dot product in any order, and so in vector registers.
compiled = njit(cache=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")


@compiled
def run_updates(Z, y, order, theta, gradient, steps, batch_size, start):
    """Do one update for each step length, from position `start` of the epoch; return the next.

    Parameters
    ----------
    Z : ndarray, shape (n, d + 1)
    y : ndarray, shape (n,)
    order : ndarray of int, shape (n,)
        Which row comes when.
    theta, gradient : ndarray, shape (d + 1,)
        Parameters, changed in place, and room for a gradient.
    steps : ndarray, shape (k,)
        Learning rates.
    batch_size, start : int
    """
    for lr in steps:
        stop = min(start + batch_size, len(y))
        if stop - start == 1:  # the shortest way from one residual to the next
            i = order[start]
            step = lr * residual(Z, y, i, theta)
            for j in range(len(theta)):
                theta[j] -= step * Z[i, j]
        else:
            gradient[:] = 0
            for i in order[start:stop]:
                r = residual(Z, y, i, theta)
                for j in range(len(theta)):
                    gradient[j] += r * Z[i, j]
            step = lr / (stop - start)
            for j in range(len(theta)):
                theta[j] -= step * gradient[j]
        start = stop
    return start


@compiled
def residual(Z, y, i, theta):
    """Return prediction minus target of row i."""
    r = -y[i]
    for j in range(len(theta)):
        r += Z[i, j] * theta[j]
    return r


class Compiled:
    """The loop over updates and rows, compiled by Numba."""

    def __init__(self, X: Tensor, y: Tensor, theta: Tensor, batch_size: int):
        self.Z, self.y = with_ones(X).cpu().numpy(), y.cpu().numpy()
        self.batch_size, self.weights = batch_size, theta.cpu().numpy().copy()
        self.gradient = np.empty_like(self.weights)

    def begin_epoch(self, order: Tensor) -> None:
        self.order, self.position = order.cpu().numpy(), 0

    def update(self, lrs: list[float]) -> None:
        with np.errstate(over="ignore"):  # beyond float32 a learning rate is infinite
            steps = np.asarray(lrs).astype(self.weights.dtype)
        self.position = run_updates(
            self.Z, self.y, self.order, self.weights, self.gradient, steps,
            self.batch_size, self.position,
        )  # fmt: skip

    @property
    def theta(self) -> Tensor:
        return torch.from_numpy(self.weights)
