"""The airfoil table, standardised, and three ways to read it in minibatches."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from mbsgd_lib.table import NAMES, UNITS, check_count, standardised_table


@dataclass(frozen=True, eq=False)
class Airfoil:
    """Standardised airfoil data and the scaling that undoes it.

    Attributes
    ----------
    X : Tensor, shape (n, 5)
        Features, float32, without unit: (value - mean) / std of all 1,503 rows.
    y : Tensor, shape (n,)
        Sound pressure level, standardised in the same way.
    mean, std : ndarray, shape (6,)
        Of the raw columns, target last, in `units`.
    names, units : tuple of str
        One for each of the six columns.
    """

    X: Tensor
    y: Tensor
    mean: np.ndarray
    std: np.ndarray
    names: tuple[str, ...] = NAMES
    units: tuple[str, ...] = UNITS

    def decibels(self, y: Tensor) -> Tensor:
        """Turn standardised targets or predictions back into decibels."""
        return y * self.std[-1] + self.mean[-1]

    def to(self, device: torch.device | str) -> "Airfoil":
        """Return the data with `X` and `y` on another device."""
        return replace(self, X=self.X.to(device), y=self.y.to(device))


def load_airfoil(path: str | Path | None = None, n: int = 1500) -> Airfoil:
    """Load the first `n` rows, standardised with the mean and std of all rows.

    Parameters
    ----------
    path : path, optional
        Another copy of ``airfoil.csv``; the one inside the package by default.
    n : int
        Number of rows to keep, 1 to 1,503.

    Raises
    ------
    ValueError
        If the file is not the published table; the message says what is wrong.

    References
    ----------
    Brooks, Pope and Marcolini, *Airfoil self-noise and prediction*, NASA RP-1218, 1989.
    UCI Machine Learning Repository, doi:10.24432/C5VW2C.
    """
    table, mean, std = standardised_table(path, n)
    data = torch.from_numpy(table)
    return Airfoil(data[:, :-1].contiguous(), data[:, -1].contiguous(), mean, std)


def epoch_order(n: int, generator: torch.Generator, replacement: bool = False) -> Tensor:
    """Draw the order of one epoch: row numbers, shape (n,), int64.

    A permutation visits each row once; with `replacement` every row is an independent draw.
    """
    if replacement:
        return torch.randint(n, (n,), generator=generator)
    return torch.randperm(n, generator=generator)


def minibatches(
    X: Tensor, y: Tensor, batch_size: int, order: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Iterate over slices of the reordered data; the short last batch is kept.

    Parameters
    ----------
    X : Tensor, shape (n, d)
    y : Tensor, shape (n,)
    batch_size : int
        1 to n.
    order : Tensor of int64, shape (n,), optional
        Which row comes when, from `epoch_order`; as stored by default.

    Yields
    ------
    X_batch, y_batch : Tensor, shapes (b, d) and (b,)
    """
    batch_size = check_count("batch_size", batch_size, len(X))
    if order is not None:
        # One gather an epoch, three times as fast as X[order]; each batch is then a view.
        X, y = X.index_select(0, order), y.index_select(0, order)
    return zip(X.split(batch_size), y.split(batch_size), strict=True)


def data_loader(X: Tensor, y: Tensor, batch_size: int, order: Tensor | None = None) -> DataLoader:
    """PyTorch's `DataLoader`, which collates every batch example by example.

    Parameters and batches as `minibatches`; without `order` it shuffles by itself.
    """
    batch_size = check_count("batch_size", batch_size, len(X))
    sampler = None if order is None else order.tolist()
    return DataLoader(TensorDataset(X, y), batch_size, sampler=sampler, shuffle=order is None)
