"""The matrix product A = BC in six ways, from single elements to one call."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mbsgd_lib.table import check_count
from mbsgd_lib.timer import Measurement, measure, num_threads


def matmul_element(B: Tensor, C: Tensor) -> Tensor:
    """A = BC one element at a time: A[i, j] is the dot product of a row and a column."""
    A = empty_product(B, C)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j] = torch.dot(B[i, :], C[:, j])
    return A


def matmul_row(B: Tensor, C: Tensor) -> Tensor:
    """A = BC one row at a time: A[i, :] = B[i, :] C."""
    A = empty_product(B, C)
    for i in range(A.shape[0]):
        A[i, :] = torch.mv(C.T, B[i, :])
    return A


def matmul_column(B: Tensor, C: Tensor) -> Tensor:
    """A = BC one column at a time: A[:, j] = B C[:, j]."""
    A = empty_product(B, C)
    for j in range(A.shape[1]):
        A[:, j] = torch.mv(B, C[:, j])
    return A


def matmul_panel(B: Tensor, C: Tensor, width: int = 64) -> Tensor:
    """A = BC by panels: `width` columns of C, a "minibatch" of them, at a time."""
    check_count("width", width)
    A = empty_product(B, C)
    for j in range(0, A.shape[1], width):
        A[:, j : j + width] = torch.mm(B, C[:, j : j + width])
    return A


def matmul_tile(B: Tensor, C: Tensor, width: int = 64) -> Tensor:
    """A = BC by tiles: both matrices cut into blocks of `width` × `width`."""
    check_count("width", width)
    A = empty_product(B, C).zero_()
    for i in range(0, A.shape[0], width):
        for j in range(0, A.shape[1], width):
            for k in range(0, B.shape[1], width):
                tile = B[i : i + width, k : k + width], C[k : k + width, j : j + width]
                A[i : i + width, j : j + width].addmm_(*tile)
    return A


def matmul_whole(B: Tensor, C: Tensor) -> Tensor:
    """A = BC in one call; the library cuts the tiles itself."""
    empty_product(B, C)
    return torch.mm(B, C)


WAYS: dict[str, Callable[..., Tensor]] = {
    "element": matmul_element,
    "row": matmul_row,
    "column": matmul_column,
    "panel": matmul_panel,
    "tile": matmul_tile,
    "whole": matmul_whole,
}


def empty_product(B: Tensor, C: Tensor) -> Tensor:
    """Return room for BC, shape (m, n), or raise ValueError where there is no product."""
    if B.ndim != 2 or C.ndim != 2 or B.shape[1] != C.shape[0]:
        shapes = f"{tuple(B.shape)} and {tuple(C.shape)}"
        raise ValueError(f"B and C must have shapes (m, k) and (k, n), got {shapes}")
    return B.new_empty(B.shape[0], C.shape[1])


def gflop(m: int, k: int, n: int) -> float:
    """Return the work of an (m, k) by (k, n) product: 2mkn additions and products, in 1e9."""
    return 2 * m * k * n / 1e9


@dataclass(frozen=True)
class MatmulTiming:
    """How long one way took for an n × n product."""

    way: str
    n: int
    rows: int  # of A, really computed; fewer than `n` where the way is slow
    measurement: Measurement  # of those rows, in seconds

    @property
    def extrapolated(self) -> bool:
        """Only some rows were computed."""
        return self.rows < self.n

    @property
    def seconds(self) -> float:
        """Seconds of the whole product, scaled up from `rows` (minimum of the repeats)."""
        return self.measurement.min * self.n / self.rows

    @property
    def gflops(self) -> float:
        """Speed in GFLOP/s (minimum of the repeats)."""
        return gflop(self.n, self.n, self.n) / self.seconds


MAX_CALLS = 4096  # at some 5 µs each; a slow way is timed on the rows that these compute


def benchmark_matmul(
    n: int = 256,
    width: int = 64,
    *,
    ways: Iterable[str] | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    threads: int = 1,  # more are unsteady on a busy machine
    repeats: int = 21,
    budget: float = 1.0,
) -> list[MatmulTiming]:
    """Time A = BC with random n × n matrices.

    Parameters
    ----------
    n : int
        Rows and columns of each matrix.
    width : int
        Columns of a panel, rows and columns of a tile.
    ways : iterable of str, optional
        Keys of `WAYS`; all by default.
    threads : int
        Processor threads that PyTorch may use.
    repeats, budget
        See `measure`; the budget in seconds holds for each way.

    Returns
    -------
    list of MatmulTiming
    """
    for name, value in {"n": n, "width": width, "threads": threads}.items():
        check_count(name, value)
    ways = list(WAYS if ways is None else ways)
    if unknown := set(ways) - set(WAYS):
        raise ValueError(f"ways must be among {list(WAYS)}, got {sorted(unknown)}")
    generator = torch.Generator().manual_seed(0)
    B, C = torch.randn(2, n, n, generator=generator).to(device, dtype)
    with num_threads(threads):
        return [time_way(way, B, C, width, repeats, budget) for way in ways]


def time_way(
    way: str, B: Tensor, C: Tensor, width: int, repeats: int, budget: float
) -> MatmulTiming:
    """Time one way of computing BC, on a few rows where it is slow."""
    n = len(B)
    rows = rows_to_time(way, n, width)
    extra = (width,) if way in ("panel", "tile") else ()
    product = partial(WAYS[way], B[:rows], C, *extra)
    measurement = measure(product, repeats=repeats, budget=budget, device=B.device)
    return MatmulTiming(way, n, rows, measurement)


def rows_to_time(way: str, n: int, width: int) -> int:
    """Return how many rows of A to compute, so that even the slow ways answer soon."""
    if way == "element":
        return min(n, max(1, MAX_CALLS // n))
    if way == "row":
        return min(n, MAX_CALLS // 16)  # each call reads all of C
    if way == "tile":
        calls = math.ceil(n / width) ** 2  # for each `width` rows
        return min(n, width * max(1, MAX_CALLS // calls))
    return n
