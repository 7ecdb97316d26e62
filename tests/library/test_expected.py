import itertools
import math

import numpy as np
import pytest
import torch

from mbsgd_lib import least_squares, stability_limit
from mbsgd_lib.expected import ExpectedLoss, critical_batch_size, noise_scale_at, tuned
from mbsgd_lib.floor import noise_floor
from mbsgd_lib.grid import train_grid


def small_data(seed, n=4, d=2):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return X, torch.randn(n, generator=generator, dtype=torch.float64)


def every_run(data, batch_size, lr, updates, replacement):
    """Average the loss over every sequence of batches there is."""
    X, y = data
    Z, n = np.column_stack([X, np.ones(len(X))]), range(len(X))
    batches = itertools.product(n, repeat=batch_size)
    if not replacement:
        batches = itertools.combinations(n, batch_size)
    losses = []
    for sequence in itertools.product(list(batches), repeat=updates):
        theta = np.zeros(Z.shape[1])
        for rows in map(list, sequence):
            theta = theta - lr / batch_size * Z[rows].T @ (Z[rows] @ theta - y.numpy()[rows])
        losses.append(np.mean((Z @ theta - y.numpy()) ** 2) / 2)
    return np.mean(losses)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_loss_by_enumeration(batch_size, replacement, seed):
    data = small_data(seed)
    expected = ExpectedLoss(data, replacement=replacement)
    for updates in range(4 if batch_size == 1 else 3):
        exact = every_run(data, batch_size, 0.3, updates, replacement)
        assert expected.loss(updates, batch_size, 0.3) == pytest.approx(exact, rel=1e-9)


def test_settles_on_the_noise_floor():
    expected = ExpectedLoss()
    for batch_size, lr in [(1, 0.05), (10, 0.4), (1500, 0.5)]:
        floor = expected.floor + noise_floor(batch_size, lr, replacement=True)
        assert expected.loss(2**14, batch_size, lr) == pytest.approx(floor, rel=1e-6)


def test_grows_above_the_limit(airfoil):
    expected, limit = ExpectedLoss(), stability_limit(airfoil.X, 10, replacement=True)
    below, above = (expected.loss(3000, 10, factor * limit) for factor in (0.99, 1.01))
    assert above > 100 * below


@pytest.mark.parametrize(("batch_size", "lr"), [(10, 0.05), (100, 0.4), (1500, 0.5)])
def test_against_runs(batch_size, lr):
    pytest.importorskip("numba")
    losses = train_grid([batch_size], [lr], 2, seeds=range(60), replacement=True).loss[0, 0]
    exact = ExpectedLoss().loss(2 * -(-1500 // batch_size), batch_size, lr)
    assert abs(losses.mean() - exact) < 4 * losses.std() / math.sqrt(60) + 1e-4


@pytest.mark.parametrize(("batch_size", "lr"), [(1, 0.01), (30, 0.1), (1500, 0.5), (10_000, 0.8)])
def test_updates_to_is_the_first(batch_size, lr):
    expected, targets = ExpectedLoss(), [0.4, 0.27, 0.252]
    for target, updates in zip(targets, expected.updates_to(targets, batch_size, lr), strict=True):
        assert expected.loss(updates, batch_size, lr) <= target
        assert expected.loss(updates - 1, batch_size, lr) > target


def test_updates_to_the_unreachable_and_to_the_start():
    expected = ExpectedLoss()
    assert expected.updates_to([0.2, 0.6], 10, 0.05) == [math.inf, 0]
    assert expected.updates_to([0.2425], 1, 0.1) == [math.inf]  # below this rate's floor
    assert expected.updates_to([0.25], 1, 5.0) == [math.inf]  # diverges


def test_tuned_takes_the_fewest():
    expected, lrs = ExpectedLoss(), [0.01, 0.05, 0.2]
    (best,) = tuned(expected, [0.25], 10, lrs)
    assert best == min((expected.updates_to([0.25], 10, lr)[0], lr) for lr in lrs)


def test_critical_batch_size_of_the_hyperbola():
    sizes = np.geomspace(1, 1e7, 400)
    assert critical_batch_size(sizes, 30 * (1 + 250 / sizes)) == pytest.approx(250, rel=0.01)


def test_noise_scale_grows_toward_the_optimum(airfoil):
    scales = [noise_scale_at(target) for target in (0.4, 0.25, 0.243)]
    assert scales == sorted(scales)
    assert 5000 < scales[-1] < 9000
    floor = least_squares(airfoil.X, airfoil.y).loss
    with pytest.raises(ValueError, match=r"^target must be above the least-squares loss, got"):
        noise_scale_at(floor)


def test_out_of_range():
    with pytest.raises(
        ValueError, match=r"^batch_size must be a whole number of at least 1, got 0"
    ):
        ExpectedLoss().loss(1, 0, 0.1)
    with pytest.raises(ValueError, match=r"^batch_size must be a whole number from 1 to 1500"):
        ExpectedLoss(replacement=False).loss(1, 1501, 0.1)
    with pytest.raises(ValueError, match=r"^lr must be a positive, finite number, got 0"):
        ExpectedLoss().loss(1, 1, 0)
