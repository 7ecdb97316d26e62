"""The airfoil table, checked and standardised, in plain NumPy."""

import csv
import hashlib
import io
import math
from importlib.resources import files
from pathlib import Path

import numpy as np

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


def standardised_table(
    path: str | Path | None = None, n: int = 1500
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the first `n` rows, standardised with the mean and std of all rows.

    Parameters
    ----------
    path : path, optional
        Another copy of ``airfoil.csv``; the one inside the package by default.
    n : int
        Number of rows to keep, 1 to 1,503.

    Returns
    -------
    table : ndarray of float32, shape (n, 6)
        Without unit, target last; columns as `NAMES`.
    mean, std : ndarray of float64, shape (6,)
        Of the raw columns, in `UNITS`.

    Raises
    ------
    ValueError
        If the file is not the published table; the message says what is wrong.
    """
    check_count("n", n, ROWS)
    file = files(__package__) / "airfoil.csv" if path is None else Path(path)
    table = read_table(file.read_bytes(), str(path or "airfoil.csv"))
    mean, std = table.mean(axis=0), table.std(axis=0)
    return ((table - mean) / std)[:n].astype(np.float32), mean, std


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
