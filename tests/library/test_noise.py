import itertools
import math

import numpy as np
import pytest
import torch

from mbsgd_lib import least_squares, train
from mbsgd_lib.floor import noise_floor, permutation_variance
from mbsgd_lib.noise import (
    NoiseScale,
    estimate_noise_scale,
    example_gradients,
    gradient_std,
    noise_scale,
)

ZERO = torch.zeros(5)
SIZES = [1, 3, 10, 100, 750, 1499]


def small_data(n=6, d=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator), torch.randn(n, generator=generator)


def manual(seed):
    return torch.Generator().manual_seed(seed)


def subset_std(w, b, data, batch_size, replacement):
    """Enumerate every batch there is."""
    gradients = example_gradients(w, b, data=data)
    n = range(len(gradients))
    batches = (
        itertools.product(n, repeat=batch_size)
        if replacement
        else itertools.combinations(n, batch_size)
    )
    far = [gradients[list(rows)].mean(0) - gradients.mean(0) for rows in batches]
    return torch.stack(far).square().sum(1).mean().sqrt()


@pytest.mark.parametrize("at", [0.0, 0.7])
def test_example_gradients_against_autograd(airfoil, at):
    theta = torch.full((6,), at, dtype=torch.float64, requires_grad=True)
    X, y = airfoil.X[:20].double(), airfoil.y[:20].double()
    gradients = example_gradients(theta[:-1].detach(), at, data=(X, y))
    for i in range(len(X)):
        loss = (X[i] @ theta[:-1] + theta[-1] - y[i]) ** 2 / 2
        (expected,) = torch.autograd.grad(loss, theta)
        torch.testing.assert_close(gradients[i], expected)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_predicted_std_by_enumeration(batch_size, replacement, seed):
    data, w = small_data(seed=seed), torch.tensor([0.3, -1.0])
    std = gradient_std(batch_size, w, 0.5, data=data, replacement=replacement, draws=1)
    assert std.predicted[0] == pytest.approx(
        float(subset_std(w, 0.5, data, batch_size, replacement)), rel=1e-9
    )


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_measured_std_is_as_predicted(replacement, seed):
    best = train(10, 0.05, method="manual", seed=seed)
    for w, b in [(ZERO, 0.0), (best.w, best.b)]:
        std = gradient_std(SIZES, w, b, replacement=replacement, seed=seed)
        np.testing.assert_allclose(std.measured, std.predicted, rtol=0.15)


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_from_each_half_has_less_noise(seed):
    """Two batches of 10, one from each half of the rows, against 20 draws from all: exactly."""
    order = torch.randperm(1500, generator=manual(seed))
    halves = example_gradients(ZERO)[order].reshape(2, 750, 6)
    from_each = sum(half.var(0, correction=0).sum() for half in halves) / 10 / 4
    from_all = halves.reshape(1500, 6).var(0, correction=0).sum() / 20
    assert 0.98 * from_all < from_each <= from_all


def test_std_of_all_rows_is_zero_without_replacement():
    std = gradient_std(1500, ZERO, draws=5)
    assert std.predicted == 0
    assert std.measured == pytest.approx(0, abs=1e-12)
    assert gradient_std(1500, ZERO, replacement=True).measured > 0.05


def test_std_falls_as_the_square_root_of_the_batch_size():
    one, hundred = gradient_std([1, 100], ZERO, replacement=True).predicted
    assert one / hundred == pytest.approx(10)


@pytest.mark.parametrize("bad", [0, 1501, 1.5, -3])
def test_std_refuses_batch_sizes_out_of_range(bad):
    with pytest.raises(ValueError, match=r"^batch_size must be a whole number from 1 to 1500, got"):
        gradient_std(bad, ZERO)
    with pytest.raises(ValueError, match=r"^draws must be a whole number of at least 1, got 0"):
        gradient_std(1, ZERO, draws=0)


def test_noise_scale_by_its_definition(airfoil):
    gradients = -airfoil.y.double().numpy()[:, None] * np.column_stack([airfoil.X, np.ones(1500)])
    mean = gradients.mean(0)
    noise = noise_scale(ZERO)
    assert noise.trace == pytest.approx(float(np.trace(np.cov(gradients.T, bias=True))))
    assert noise.squared_gradient == pytest.approx(float(mean @ mean))
    assert noise.scale == pytest.approx(noise.trace / noise.squared_gradient)
    assert 19 < noise.scale < 22


def test_noise_scale_grows_without_bound(airfoil):
    runs = [train(1500, 0.3, epochs, method="manual") for epochs in (1, 5, 20, 60)]
    scales = [noise_scale(run.w, run.b).scale for run in runs]
    assert scales == sorted(scales)
    best = least_squares(airfoil.X, airfoil.y)
    assert noise_scale(best.w, best.b).scale == math.inf


@pytest.mark.parametrize(("small", "large"), [(1, 2), (3, 50), (10, 100)])
def test_estimates_are_unbiased(small, large):
    exact = noise_scale(ZERO)
    each = [
        estimate_noise_scale(ZERO, small=small, large=large, draws=40, seed=seed)
        for seed in range(100)
    ]
    for estimates, value in zip(np.transpose(each), exact, strict=True):
        error = estimates.std() / math.sqrt(len(estimates))
        assert abs(estimates.mean() - value) < 4 * error


def test_an_estimate_of_the_squared_gradient_can_be_negative(airfoil):
    best = least_squares(airfoil.X, airfoil.y)
    estimates = [estimate_noise_scale(best.w, best.b, seed=seed) for seed in range(20)]
    negative = [estimate for estimate in estimates if estimate.squared_gradient < 0]
    assert len(negative) > 3
    assert all(estimate.scale == math.inf for estimate in negative)
    assert NoiseScale(2.0, 0.5).scale == 4


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"small": 0}, "small must be a whole number from 1 to 99, got 0"),
        ({"small": 100}, "small must be a whole number from 1 to 99, got 100"),
        ({"large": 0.5}, "large must be a whole number of at least 1, got 0.5"),
        ({"draws": -1}, "draws must be a whole number of at least 1, got -1"),
    ],
    ids=str,
)
def test_estimate_out_of_range(setting, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        estimate_noise_scale(ZERO, **setting)


def settled(batch_size, lr, replacement, floor, seeds=6, epochs=80):
    """Mean loss above the floor over the later epochs, one value a seed."""
    runs = [
        train(batch_size, lr, epochs, method="compiled", seed=seed, replacement=replacement)
        for seed in range(seeds)
    ]
    return np.array([run.loss[run.epochs > epochs / 4].mean() - floor for run in runs])


@pytest.mark.parametrize(
    ("batch_size", "lr"), [(1, 0.01), (1, 0.1), (10, 0.025), (10, 0.4), (100, 0.4)]
)
def test_floor_of_independent_draws(airfoil, batch_size, lr):
    pytest.importorskip("numba")
    excess = settled(batch_size, lr, True, least_squares(airfoil.X, airfoil.y).loss)
    assert noise_floor(batch_size, lr, replacement=True) == pytest.approx(excess.mean(), rel=0.1)


@pytest.mark.parametrize(("batch_size", "lr"), [(10, 0.025), (100, 0.05), (64, 0.05), (750, 0.3)])
def test_floor_of_a_permutation_is_lower(airfoil, batch_size, lr):
    pytest.importorskip("numba")
    excess = settled(batch_size, lr, False, least_squares(airfoil.X, airfoil.y).loss)
    floor = noise_floor(batch_size, lr)
    assert floor == pytest.approx(excess.mean(), rel=0.1)
    assert floor < 0.7 * noise_floor(batch_size, lr, replacement=True)


def test_floor_follows_the_law_at_small_rates(airfoil):
    best = least_squares(airfoil.X, airfoil.y)
    trace = noise_scale(best.w, best.b).trace
    for batch_size, lr in [(1, 1e-4), (10, 1e-3), (100, 1e-3)]:
        floor = noise_floor(batch_size, lr, replacement=True)
        assert floor == pytest.approx(lr * trace / 4 / batch_size, rel=2e-3)


def test_floor_of_all_rows_and_beyond_the_limit():
    assert noise_floor(1500, 0.5) == 0
    assert noise_floor(1, 0.17, replacement=True) < math.inf
    assert noise_floor(1, 0.19, replacement=True) == math.inf


def test_floor_ignores_a_column_that_comes_twice(airfoil):
    twice = torch.cat([airfoil.X, airfoil.X[:, :1]], dim=1)
    assert math.isfinite(noise_floor(10, 0.1, replacement=True, data=(twice, airfoil.y)))
    assert math.isfinite(noise_floor(10, 0.1, data=(twice, airfoil.y)))


@pytest.mark.parametrize(
    ("batch_size", "lr", "message"),
    [(0, 0.1, "batch_size must be"), (1501, 0.1, "batch_size must be"), (1, 0, "lr must be")],
)
def test_floor_out_of_range(batch_size, lr, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        noise_floor(batch_size, lr)


@pytest.mark.parametrize("updates", [1, 2, 5])
def test_permutation_variance_by_simulation(updates):
    """The noise of an epoch: independent draws less their mean, scaled to variance 1."""
    rates = torch.tensor([0.1, 0.9], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    error = torch.zeros(20000, 2, dtype=torch.float64)
    for _ in range(60):
        seen = []
        noise = torch.randn(20000, updates, generator=generator).double()
        noise = noise - noise.mean(1, keepdim=True)
        noise *= math.sqrt(updates / max(updates - 1, 1))
        for xi in noise.T:
            error = (1 - rates) * error + xi[:, None]
            seen.append(error.var(0))
    expected = permutation_variance(rates, updates)
    measured = torch.stack(seen).mean(0)
    if updates > 1:
        torch.testing.assert_close(measured, expected, rtol=0.05, atol=0)
    else:  # a single update sums to zero: no noise at all, where the share is zero as well
        assert measured.abs().max() < 1e-20
