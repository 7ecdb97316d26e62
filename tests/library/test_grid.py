"""Many runs at once end where single runs end."""

import numpy as np
import pytest

from mbsgd_lib import train
from mbsgd_lib.grid import train_grid
from mbsgd_lib.schedules import constant, inverse_time

SIZES, LRS, SEEDS = [1, 10, 64, 1500], [0.005, 0.1, 1.0], [0, 7]


@pytest.fixture(scope="module")
def grid():
    return train_grid(SIZES, LRS, seeds=SEEDS)


def test_each_end_is_that_of_a_single_run(grid):
    assert grid.loss.shape == grid.diverged.shape == (4, 3, 2)
    for i, j, s in np.ndindex(grid.loss.shape):
        run = train(SIZES[i], LRS[j], 2, method="manual", seed=SEEDS[s])
        assert grid.diverged[i, j, s] == run.diverged
        if not run.diverged:
            assert grid.loss[i, j, s] == pytest.approx(run.final_loss, abs=1e-5)


@pytest.mark.parametrize("method", ["numpy", "blocked"])
def test_slower_methods_give_the_same_numbers(grid, method):
    other = train_grid(SIZES, LRS, seeds=SEEDS, method=method)
    fine = ~grid.diverged
    np.testing.assert_array_equal(other.diverged, grid.diverged)
    np.testing.assert_allclose(other.loss[fine], grid.loss[fine], rtol=0, atol=1e-5)


def test_blocked_takes_over_where_numba_is_missing(grid, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mbsgd_lib.compiled", None)
    other = train_grid([10], [0.1], seeds=[7])
    assert other.loss[0, 0, 0] == pytest.approx(grid.loss[1, 1, 1], abs=1e-5)


def test_divergence_is_capped_and_flagged():
    grid = train_grid([1, 10, 1500], [0.01, 5.0, 1e6, 1e38], num_epochs=5)
    assert np.isfinite(grid.loss).all()
    assert grid.loss.max() == 1e6
    assert grid.diverged[:, 1:].all()
    assert not grid.diverged[:, 0].any()


def test_schedules_and_replacement():
    grid = train_grid([10], [constant(0.05), inverse_time(0.1)], 3, replacement=True)
    for j, lr in enumerate(grid.lrs):
        run = train(10, lr, 3, replacement=True)
        assert grid.loss[0, j, 0] == pytest.approx(run.final_loss, abs=1e-5)


def test_other_data(airfoil):
    data = airfoil.X[:100].double(), airfoil.y[:100].double()
    grid = train_grid([7, 100], [0.05], data=data)
    for i, batch_size in enumerate(grid.batch_sizes):
        run = train(batch_size, 0.05, data=data)
        assert grid.loss[i, 0, 0] == pytest.approx(run.final_loss, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("batch_size", {"batch_sizes": [10, 1501]}),
        ("lr", {"lrs": [0.1, -1]}),
        ("num_epochs", {"num_epochs": 0}),
        ("seed", {"seeds": [-1]}),
        ("method", {"method": "magic"}),
    ],
)
def test_bad_input_is_named(name, settings):
    with pytest.raises(ValueError, match=name):
        train_grid(**({"batch_sizes": [10], "lrs": [0.1]} | settings))
