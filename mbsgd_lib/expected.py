"""The loss of SGD after any number of updates, averaged over all that chance can do: exactly.

With e = theta - optimum and the residuals r of the optimum, the gradient of one example is
z (z'e + r): one matrix K = [[zz', zr], [0, 0]] applied to (e, 1). So each update multiplies
(e, 1) by a random matrix, and its second moments by the mean of that matrix's Kronecker square.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.noise import Data, airfoil_data, noise_scale
from mbsgd_lib.schedules import check_positive
from mbsgd_lib.stability import stability_limit, variance_share
from mbsgd_lib.table import check_count
from mbsgd_lib.theory import Quadratic, least_squares, with_ones

DOUBLINGS = 18  # up to 2**18 updates


class ExpectedLoss:
    """Mean loss of SGD from theta = 0 with independent batches, for linear regression.

    Parameters
    ----------
    data : (X, y), optional
        The airfoil data by default.
    replacement : bool
        Draw the rows of a batch independently, or distinct from each other.

    References
    ----------
    Defossez and Bach, "Averaged least-mean-squares: bias-variance trade-offs and optimal
    sampling distributions", AISTATS 2015.
    """

    def __init__(self, data: Data | None = None, *, replacement: bool = True):
        X, y = data or airfoil_data()
        best = least_squares(X, y)
        self.n, self.replacement, self.floor = len(X), replacement, best.loss
        Z = with_ones(X).double()
        optimum = torch.cat([best.w, best.w.new_tensor([best.b])])
        r = Z @ optimum - y.double()
        d = Z.shape[1]
        K = torch.zeros(self.n, d + 1, d + 1).to(Z)
        K[:, :d] = Z[:, :, None] * torch.cat([Z, r[:, None]], dim=1)[:, None]
        self.mean = K.mean(0)  # (d + 1, d + 1)
        pairs = torch.einsum("nij,nkl->ikjl", K, K) / self.n
        self.pairs = pairs.reshape((d + 1) ** 2, (d + 1) ** 2)  # mean of K ⊗ K
        start = torch.cat([-optimum, torch.ones(1).to(Z)])
        self.start = torch.kron(start, start)
        weights = torch.zeros(d + 1, d + 1).to(Z)
        weights[:d, :d] = self.mean[:d, :d] / 2
        self.weights = weights.reshape(-1)  # the loss above the floor is weights @ moments

    def operator(self, batch_size: int, lr: float) -> Tensor:
        """Return the matrix by which an update multiplies the moments, ((d + 1)²,) on a side."""
        check_count("batch_size", batch_size, None if self.replacement else self.n)
        check_positive(lr=lr)
        share = variance_share(batch_size, self.n, self.replacement)
        eye, product = torch.eye(len(self.mean)).to(self.mean), torch.kron(self.mean, self.mean)
        linear = torch.kron(self.mean, eye) + torch.kron(eye, self.mean)
        step = lr**2 * (product + share * (self.pairs - product)) - lr * linear
        return torch.eye(len(step)).to(step) + step

    def loss(self, updates: int, batch_size: int, lr: float) -> float:
        """Return the mean loss after so many updates."""
        power = torch.linalg.matrix_power(self.operator(batch_size, lr), updates)
        return self.floor + float(self.weights @ power @ self.start)

    def updates_to(self, targets: list[float], batch_size: int, lr: float) -> list[float]:
        """Return after how many updates the mean loss is down at each target; inf for never.

        Parameters
        ----------
        targets : list of float
        batch_size : int
        lr : float
        """
        powers = [self.operator(batch_size, lr)]
        for _ in range(DOUBLINGS):
            powers.append(powers[-1] @ powers[-1])
        return [self._search(powers, target - self.floor) for target in targets]

    def _search(self, powers: list[Tensor], excess: float) -> float:
        """Add up powers of two, from the largest on, while the loss stays above the target."""
        moments, updates = self.start, 0
        if self.weights @ moments <= excess:
            return 0
        for k in reversed(range(len(powers))):
            further = powers[k] @ moments
            if not self.weights @ further <= excess:  # true for NaN too
                moments, updates = further, updates + 2**k
        return updates + 1 if updates < 2 ** len(powers) - 1 else math.inf


def tuned(
    expected: ExpectedLoss, targets: list[float], batch_size: int, lrs: list[float]
) -> list[tuple[float, float]]:
    """Return the fewest updates to each target and the learning rate that needs them."""
    table = [expected.updates_to(targets, batch_size, lr) for lr in lrs]
    return [min(zip(column, lrs, strict=True)) for column in zip(*table, strict=True)]


def critical_batch_size(sizes: Sequence[int], updates: Sequence[float]) -> float:
    """Return the batch size with twice as many updates as the largest; sizes ascending.

    Updates and examples then are each twice their least, if updates follow
    ``least * (1 + critical / size)``.

    References
    ----------
    McCandlish et al., arXiv:1812.06162, 2018, section 2.3.
    """
    logs = -np.log(updates)  # ascending, as `interp` wants it
    return float(np.exp(np.interp(logs[-1] - math.log(2), logs, np.log(sizes))))


def noise_scale_at(target: float, data: Data | None = None) -> float:
    """Return the noise scale where gradient descent with lr = 1 / λmax comes down to `target`."""
    X, y = data or airfoil_data()
    quadratic, theta = Quadratic(X, y), torch.zeros(X.shape[1] + 1).double()
    lr = stability_limit(X) / 2
    if not target > least_squares(X, y).loss:
        raise ValueError(f"target must be above the least-squares loss, got {target!r}")
    while quadratic.loss(theta) > target:
        theta = theta - lr * (quadratic.H @ theta - quadratic.g)
    return noise_scale(theta[:-1], float(theta[-1]), data=(X, y)).scale
