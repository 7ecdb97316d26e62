"""Look-ahead is exact: the same parameters as the loop, in whatever pieces it is cut."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mbsgd_lib import train
from mbsgd_lib.blocked import BLOCK, WORTH, Blocked
from mbsgd_lib.theory import with_ones


def direct(X, y, theta, batch_size, lrs):
    """Return the parameters after each update of plain minibatch SGD, in NumPy."""
    Z, y, theta = with_ones(X).double().numpy(), y.double().numpy(), theta.double().numpy().copy()
    for lr, first in zip(lrs, range(0, len(y), batch_size), strict=False):
        rows = slice(first, first + batch_size)
        theta -= lr * Z[rows].T @ (Z[rows] @ theta - y[rows]) / len(y[rows])
    return theta


def data(n, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(n, 5, generator=generator, dtype=dtype),
        torch.randn(n, generator=generator, dtype=dtype),
        torch.randn(6, generator=generator, dtype=dtype),
    )


@given(n=st.integers(1, 500), batch_size=st.integers(1, 500), seed=st.integers(0, 99))
def test_exact_in_float64(n, batch_size, seed):
    batch_size = min(batch_size, n)
    X, y, theta = data(n, seed)
    lrs = np.linspace(0.05, 0.01, -(-n // batch_size)).tolist()  # any schedule will do
    learner = Blocked(X, y, theta, batch_size)
    learner.begin_epoch(torch.arange(n))
    learner.update(lrs)
    expected = direct(X, y, theta, batch_size, lrs)
    np.testing.assert_allclose(learner.theta, expected, rtol=0, atol=1e-10)


@given(cuts=st.lists(st.integers(1, 90), max_size=8), batch_size=st.sampled_from([1, 3, 7, 60]))
def test_pieces_make_no_difference(cuts, batch_size):
    X, y, theta = data(450)
    updates = -(-450 // batch_size)
    cuts = sorted({0, *(cut % updates for cut in cuts), updates})
    learner = Blocked(X, y, theta, batch_size)
    learner.begin_epoch(torch.arange(450))
    for first, last in pairwise(cuts):
        learner.update([0.02] * (last - first))
    expected = direct(X, y, theta, batch_size, [0.02] * updates)
    np.testing.assert_allclose(learner.theta, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("batch_size", [1, 3, 10, 49, 50, 51, 199, 200, 201, 1500])
def test_a_block_ends_where_a_batch_ends(batch_size, airfoil):
    learner = Blocked(airfoil.X, airfoil.y, torch.zeros(6), batch_size)
    assert learner.block % batch_size == 0
    assert learner.block <= max(BLOCK, batch_size)
    assert learner.block == batch_size or learner.block // batch_size >= WORTH


def test_one_solve_a_block(airfoil, monkeypatch):
    learner = Blocked(airfoil.X, airfoil.y, torch.zeros(6), 1)
    sizes, solve = [], Blocked._solve
    monkeypatch.setattr(
        Blocked, "_solve", lambda self, Z, y, a: (sizes.append(len(y)), solve(self, Z, y, a))
    )
    learner.begin_epoch(torch.arange(1500))
    learner.update([0.005] * 1500)
    assert sizes == [200] * 7 + [100]


@pytest.mark.parametrize("batch_size", [1, 2, 10, 64])
def test_loss_at_the_marks(batch_size):
    runs = [train(batch_size, 0.01, 2, method=name) for name in ("manual", "blocked")]
    np.testing.assert_array_equal(runs[0].updates, runs[1].updates)
    np.testing.assert_allclose(runs[0].loss, runs[1].loss, rtol=0, atol=1e-5)
