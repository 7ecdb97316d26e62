"""How far the gradient of a minibatch is from that of all rows, and what follows from it.

All of it is for linear regression with squared loss at the parameters (w, b), bias included:
the gradient of one example is (z'theta - y) z with z = (x, 1). Σ is the covariance matrix of
these gradients over the rows.
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.data import epoch_order, load_airfoil
from mbsgd_lib.stability import variance_share
from mbsgd_lib.table import check_count
from mbsgd_lib.theory import with_ones

Data = tuple[Tensor, Tensor]


@functools.cache
def airfoil_data() -> Data:
    """Return the features and targets of the airfoil table, read once."""
    airfoil = load_airfoil()
    return airfoil.X, airfoil.y


class GradientStd(NamedTuple):
    """Standard deviation of the minibatch gradient, (k,) each: as drawn, and by the formula."""

    measured: np.ndarray
    predicted: np.ndarray


class NoiseScale(NamedTuple):
    """The trace of Σ and the squared length of the full gradient, exact or estimated."""

    trace: float
    squared_gradient: float

    @property
    def scale(self) -> float:
        """Batch size at which noise and gradient are equally long; inf where none is seen."""
        return self.trace / self.squared_gradient if self.squared_gradient > 0 else math.inf


def example_gradients(w: Tensor, b: float = 0.0, *, data: Data | None = None) -> Tensor:
    """Return the gradient of every example, shape (n, d + 1), float64; data as for `train`."""
    X, y = data or airfoil_data()
    residual = X.double() @ w.to(X.device).double() + b - y.double()
    return residual[:, None] * with_ones(X).double()


def gradient_std(
    batch_size: int | Sequence[int],
    w: Tensor,
    b: float = 0.0,
    *,
    data: Data | None = None,
    replacement: bool = False,
    draws: int = 500,
    seed: int = 0,
) -> GradientStd:
    """Measure and predict how far minibatch gradients are from the full one.

    The square root of the mean of |g_B - g|²: of `draws` random batches, and by
    tr Σ / batch_size, times (n - batch_size) / (n - 1) for batches of distinct rows.

    Parameters
    ----------
    batch_size : int or sequence of int, k of them
        1 to n; each draw gives a batch of every size, by a running sum.
    w : Tensor, shape (d,)
    b : float
    data : (X, y), optional
        The airfoil data by default.
    replacement : bool
        Draw each row independently instead of from a permutation.
    draws, seed : int

    References
    ----------
    Cochran, *Sampling Techniques*, 3rd edition, 1977, section 2.6.
    """
    gradients = example_gradients(w, b, data=data)
    n, sizes = len(gradients), np.atleast_1d(batch_size)
    for size in sizes:
        check_count("batch_size", size, n)
    check_count("draws", draws)
    gradients = gradients - gradients.mean(0)
    generator = torch.Generator().manual_seed(seed)
    squares, counts = np.zeros(len(sizes)), torch.from_numpy(sizes)
    for _ in range(draws):
        order = epoch_order(n, generator, replacement)
        means = gradients[order].cumsum(0)[counts - 1] / counts[:, None]  # (k, d + 1)
        squares += means.square().sum(1).numpy()
    variance = float(gradients.square().sum() / n) * variance_share(sizes, n, replacement)
    return GradientStd(np.sqrt(squares / draws), np.sqrt(variance))


def noise_scale(w: Tensor, b: float = 0.0, *, data: Data | None = None) -> NoiseScale:
    """Return the simple noise scale tr Σ / |g|², exactly; `.scale` is inf at the optimum.

    References
    ----------
    McCandlish et al., "An empirical model of large-batch training", arXiv:1812.06162, 2018.
    """
    gradients = example_gradients(w, b, data=data)
    second = float(gradients.square().sum(1).mean())  # tr Σ + |g|²
    squared = float(gradients.mean(0).square().sum())
    rounding = len(gradients) * np.finfo(float).eps
    return NoiseScale(second - squared, squared if squared > rounding**2 * second else 0.0)


def estimate_noise_scale(
    w: Tensor,
    b: float = 0.0,
    *,
    small: int = 10,
    large: int = 100,
    draws: int = 1,
    data: Data | None = None,
    seed: int = 0,
) -> NoiseScale:
    """Estimate the noise scale as one must in a large model, from batches of two sizes.

    |g_B|² is on average |g|² + tr Σ / B: two sizes give two equations. Both estimates are
    right on average over draws with replacement, and both may be negative; a negative
    |g|² says that the gradient is lost in the noise of so few draws, and `.scale` is inf.

    Parameters
    ----------
    w : Tensor, shape (d,)
    b : float
    small, large : int
        The two batch sizes, small < large.
    draws : int
        Pairs of batches to average over, before any division.
    data : (X, y), optional
    seed : int

    References
    ----------
    McCandlish et al., arXiv:1812.06162, 2018, appendix A.1.
    """
    check_count("large", large)
    check_count("small", small, large - 1)
    check_count("draws", draws)
    gradients = example_gradients(w, b, data=data)
    generator = torch.Generator().manual_seed(seed)

    def squared_length(size: int) -> float:
        rows = torch.randint(len(gradients), (draws, size), generator=generator)
        return float(gradients[rows].mean(1).square().sum(1).mean())

    at_small, at_large = squared_length(small), squared_length(large)
    squared = (large * at_large - small * at_small) / (large - small)
    return NoiseScale((at_small - at_large) / (1 / small - 1 / large), squared)
