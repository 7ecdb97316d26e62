"""The airfoil table, standardised, and three ways to read it in minibatches."""

import csv
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

SHA256 = "d54dc751073fe2ef7fb2c49c88699076c63c94db01f161113741394e527f5a08"
HEADER = "frequency_hz,attack_deg,chord_m,velocity_m_s,thickness_m,sound_pressure_db"
ROWS = 1503
NAMES = (
    "frequency",
    "angle of attack",
    "chord length",
    "free-stream velocity",
    "displacement thickness",
    "sound pressure level",
)
UNITS = ("Hz", "deg", "m", "m/s", "m", "dB")


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
    check_count("n", n, ROWS)
    file = files(__package__) / "airfoil.csv" if path is None else Path(path)
    table = read_table(file.read_bytes(), str(path or "airfoil.csv"))
    mean, std = table.mean(axis=0), table.std(axis=0)
    data = torch.tensor((table - mean) / std, dtype=torch.float32)[:n]
    return Airfoil(data[:, :-1].contiguous(), data[:, -1].contiguous(), mean, std)


def read_table(content: bytes, name: str) -> np.ndarray:
    """Parse the raw table, shape (1503, 6), and check that nothing in it changed."""
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ValueError(f"{name}: {what_is_wrong(content)}")
    return np.loadtxt(io.BytesIO(content), delimiter=",", skiprows=1)


def what_is_wrong(content: bytes) -> str:
    """Say in one line how `content` differs from the published CSV file."""
    text = content.decode("utf-8", errors="replace")
    if not text.strip():
        return "the file is empty"
    if text.lstrip().startswith("<"):
        return "this is an HTML page, not a CSV table (a failed download?)"
    if "\r" in text:
        return "its line ends were converted: CR found, the table has LF only"
    lines = text.splitlines()
    if lines[0] != HEADER:
        return f"the first line must be the header {HEADER!r}, got {lines[0][:80]!r}"
    for number, row in enumerate(csv.reader(lines[1:]), start=2):
        if problem := row_problem(row):
            return f"line {number} {problem}"
    if len(lines) - 1 < ROWS:
        return f"truncated: {len(lines) - 1} rows, expected {ROWS}"
    if len(lines) - 1 > ROWS:
        return f"too long: {len(lines) - 1} rows, expected {ROWS}"
    if not text.endswith("\n"):
        return "truncated: the last line end is missing"
    return f"edited: the values differ from the published table (SHA-256 {SHA256[:8]}…)"


def row_problem(row: list[str]) -> str | None:
    """Say what is wrong with one row of the CSV file, or None."""
    if len(row) != len(NAMES):
        return f"has {len(row)} columns, expected {len(NAMES)}"
    for cell in row:
        try:
            value = float(cell)
        except ValueError:
            return f"holds {cell!r}, which is not a number"
        if not math.isfinite(value):
            return f"holds {cell!r}, expected a finite number"
    return None


def check_count(name: str, value: int, high: int | None = None) -> int:
    """Return `value` as an int, or raise ValueError unless it is whole and from 1 to `high`."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < 1 or (high is not None and value > high):
        allowed = f"from 1 to {high}" if high is not None else "of at least 1"
        raise ValueError(f"{name} must be a whole number {allowed}, got {value!r}")
    return int(value)


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
        X, y = X[order], y[order]  # one gather an epoch; each batch is then a view
    return zip(X.split(batch_size), y.split(batch_size), strict=True)


def data_loader(X: Tensor, y: Tensor, batch_size: int, order: Tensor | None = None) -> DataLoader:
    """PyTorch's `DataLoader`, which collates every batch example by example.

    Parameters and batches as `minibatches`; without `order` it shuffles by itself.
    """
    batch_size = check_count("batch_size", batch_size, len(X))
    sampler = None if order is None else order.tolist()
    return DataLoader(TensorDataset(X, y), batch_size, sampler=sampler, shuffle=order is None)
