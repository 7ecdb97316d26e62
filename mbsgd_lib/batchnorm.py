"""Batch normalization and its correction: how much a batch's own statistics vary."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.table import check_count

EPS = 1e-5  # as in PyTorch: no division by zero where all values are equal


class Spread(NamedTuple):
    """Standard deviations of the mean and of the variance of a batch, from batch to batch."""

    mean: float
    variance: float


def batch_norm(batch: Tensor, mean: float = 0.0, std: float = 1.0, *, r_max=1.0, d_max=0.0):
    """Normalize batches by their own mean and variance, corrected toward those of all data.

    The normalized values x become x r + d with r = (batch std) / std within [1 / r_max, r_max]
    and d = (batch mean - mean) / std within [-d_max, d_max]. By default r = 1 and d = 0, which
    is batch normalization. Without bounds (inf) only the statistics of all data are left.

    Parameters
    ----------
    batch : Tensor, shape (..., b)
    mean, std : float
        Of all data; in training, running averages of those of the batches.
    r_max, d_max : float
        At least 1 and at least 0.

    References
    ----------
    Ioffe and Szegedy, "Batch normalization", ICML 2015. Ioffe, "Batch renormalization",
    NeurIPS 2017.
    """
    if not r_max >= 1:
        raise ValueError(f"r_max must be a number of at least 1, got {r_max!r}")
    if not d_max >= 0:
        raise ValueError(f"d_max must be a number of at least 0, got {d_max!r}")
    own = batch.mean(-1, keepdim=True)
    own_std = (batch.var(-1, keepdim=True, correction=0) + EPS).sqrt()
    r = (own_std / std).clamp(1 / r_max, r_max)
    d = ((own - mean) / std).clamp(-d_max, d_max)
    return (batch - own) / own_std * r + d


def statistics_spread(values: Tensor, batch_size: int) -> Spread:
    """Predict how the mean and the (biased) variance of a batch of independent draws vary.

    Parameters
    ----------
    values : Tensor, shape (n,)
    batch_size : int

    References
    ----------
    Cramér, *Mathematical Methods of Statistics*, 1946, section 27.4.
    """
    check_count("batch_size", batch_size)
    centered, b = values.double() - values.double().mean(), batch_size
    second, fourth = (float((centered**power).mean()) for power in (2, 4))
    variance = (b - 1) ** 2 / b**3 * (fourth - second**2 * (b - 3) / max(b - 1, 1))
    return Spread(float(np.sqrt(second / b)), float(np.sqrt(max(variance, 0.0))))


def one_among_many(
    values: Tensor, row: int, batch_size: int, *, draws: int = 1000, seed: int = 0
) -> Tensor:
    """Return batches (draws, batch_size) that begin with one value; the others are random."""
    check_count("batch_size", batch_size)
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(len(values), (draws, batch_size), generator=generator)
    rows[:, 0] = row
    return values[rows]
