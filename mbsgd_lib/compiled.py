"""Whole stretches of updates in one compiled function: no Python and no allocation an update."""

# ruff: noqa: D102 (the docstring of `methods` documents the three steps)
import numpy as np
import torch
from numba import njit
from torch import Tensor

from mbsgd_lib.theory import with_ones


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"}, error_model="numpy")
def run_updates(Z, y, order, theta, lrs, batch_size, start):
    """Do one update for each learning rate, from position `start` of the epoch; return the next.

    Parameters
    ----------
    Z : ndarray, shape (n, d + 1)
    y : ndarray, shape (n,)
    order : ndarray of int, shape (n,)
        Which row comes when.
    theta : ndarray, shape (d + 1,)
        Changed in place.
    lrs : ndarray, shape (k,)
    batch_size, start : int
    """
    gradient = np.empty_like(theta)
    for lr in lrs:
        stop = min(start + batch_size, len(y))
        gradient[:] = 0
        for i in order[start:stop]:
            residual = -y[i]
            for j in range(len(theta)):
                residual += Z[i, j] * theta[j]
            for j in range(len(theta)):
                gradient[j] += residual * Z[i, j]
        step = lr / np.float32(stop - start)
        for j in range(len(theta)):
            theta[j] -= step * gradient[j]
        start = stop
    return start


class Compiled:
    """The loop over updates and rows, compiled by Numba."""

    def __init__(self, X: Tensor, y: Tensor, theta: Tensor, batch_size: int):
        self.Z, self.y = with_ones(X).cpu().numpy(), y.cpu().numpy()
        self.batch_size, self.weights = batch_size, theta.cpu().numpy().copy()

    def begin_epoch(self, order: Tensor) -> None:
        self.order, self.position = order.cpu().numpy(), 0

    def update(self, lrs: list[float]) -> None:
        self.position = run_updates(
            self.Z, self.y, self.order, self.weights, np.array(lrs, dtype=np.float32),
            self.batch_size, self.position,
        )  # fmt: skip

    @property
    def theta(self) -> Tensor:
        return torch.from_numpy(self.weights)
