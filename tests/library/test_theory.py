import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mbsgd_lib import (
    SOURCE_RUNS,
    Quadratic,
    hessian_spectrum,
    least_squares,
    stability_limit,
    train,
)
from mbsgd_lib.stability import lyapunov_exponents

SEEDS = range(3)


def random_data(seed, n=50, d=4):
    """Return correlated features and noisy targets."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, d, generator=generator) @ (torch.eye(d) + 0.3)
    y = X.sum(1) + 2 + torch.randn(n, generator=generator)
    return X, y


def with_ones(X):
    return np.column_stack([X.double().numpy(), np.ones(len(X))])


def direct_loss(X, y, theta):
    """Return the loss by its definition, in float64."""
    return np.mean((with_ones(X) @ np.asarray(theta, float) - y.double().numpy()) ** 2) / 2


@pytest.fixture(params=["airfoil", *SEEDS])
def data(request, airfoil):
    return (airfoil.X, airfoil.y) if request.param == "airfoil" else random_data(request.param)


@given(theta=st.lists(st.floats(-50, 50), min_size=5, max_size=5), seed=st.integers(0, 5))
def test_quadratic_is_the_mean_squared_loss(theta, seed):
    X, y = random_data(seed)
    expected = direct_loss(X, y, theta)
    assert Quadratic(X, y).loss(torch.tensor(theta)) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_quadratic_near_the_optimum(data):
    theta = np.append(*least_squares(*data)[:2])
    for shift in (0, 1e-3):
        exact = direct_loss(*data, theta + shift)
        assert Quadratic(*data).loss(torch.from_numpy(theta + shift)) == pytest.approx(exact, 1e-12)


def test_least_squares_against_numpy(data):
    X, y = data
    fit = least_squares(X, y)
    theta = np.linalg.lstsq(with_ones(X), y.double().numpy())[0]
    np.testing.assert_allclose(fit.w, theta[:-1], atol=1e-10)
    assert fit.b == pytest.approx(theta[-1], abs=1e-10)
    assert fit.loss == pytest.approx(direct_loss(X, y, theta), rel=1e-12)


@pytest.mark.parametrize("column", range(5))
def test_least_squares_with_a_column_twice(airfoil, column):
    X = torch.cat([airfoil.X, airfoil.X[:, [column]]], dim=1)
    assert least_squares(X, airfoil.y).loss == pytest.approx(0.24169, abs=5e-6)


def test_floor_of_the_airfoil_data(airfoil):
    assert least_squares(airfoil.X, airfoil.y).loss == pytest.approx(0.24169, abs=5e-6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SOURCE_RUNS)
def test_no_run_gets_below_the_floor(airfoil, name, seed):
    floor = least_squares(airfoil.X, airfoil.y).loss
    assert train(**SOURCE_RUNS[name], method="manual", seed=seed).loss.min() >= floor


def test_spectrum_is_that_of_the_second_derivatives(data):
    X, y = data
    Z = torch.from_numpy(with_ones(X))
    loss = lambda theta: ((Z @ theta - y.double()) ** 2).mean() / 2  # noqa: E731
    H = torch.autograd.functional.hessian(loss, torch.zeros(Z.shape[1], dtype=torch.float64))
    eigenvalues, V = hessian_spectrum(X)
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(H.numpy()), atol=1e-10)
    np.testing.assert_allclose(V @ torch.diag(eigenvalues) @ V.T, H, atol=1e-10)
    np.testing.assert_allclose(V.T @ V, np.eye(len(V)), atol=1e-12)
    assert stability_limit(X) == pytest.approx(2 / np.linalg.eigvalsh(H.numpy())[-1])


def test_spectrum_of_the_airfoil_data(airfoil):
    eigenvalues = hessian_spectrum(airfoil.X)[0]
    assert eigenvalues[0] == pytest.approx(0.174, abs=5e-4)
    assert eigenvalues[-1] == pytest.approx(2.098, abs=5e-4)
    assert stability_limit(airfoil.X) == pytest.approx(0.953, abs=5e-4)


def test_spectrum_of_one_feature_by_hand():
    eigenvalues, _ = hessian_spectrum(torch.tensor([[1.0], [3.0]]))  # H = [[5, 2], [2, 1]]
    np.testing.assert_allclose(eigenvalues, [3 - 8**0.5, 3 + 8**0.5])


def test_gradient_descent_converges_below_the_limit_and_diverges_above(data):
    X, y = data
    limit, floor = stability_limit(X), least_squares(X, y).loss
    settings = {"num_epochs": 1500, "method": "manual", "data": data}
    below, above = (train(len(X), factor * limit, **settings) for factor in (0.97, 1.03))
    assert not below.diverged
    assert above.diverged
    assert above.final_loss > 1e3
    assert below.final_loss == pytest.approx(floor, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_descent_of_the_source_gets_worse_after_a_few_steps(seed):
    run = train(**SOURCE_RUNS["gd"], seed=seed)
    assert 5 <= run.loss.argmin() <= 7
    assert run.final_loss > run.loss.min()
    assert train(1500, 1.0, 1000, method="manual", seed=seed).diverged


def test_gradient_descent_follows_its_closed_form(airfoil):
    """Along eigenvector v of curvature λ the error shrinks by 1 - lr·λ a step."""
    X, y = airfoil.X.double(), airfoil.y.double()
    best = least_squares(X, y)
    optimum = torch.cat([best.w, torch.tensor([best.b], dtype=torch.float64)])
    eigenvalues, V = hessian_spectrum(X)
    start = train(1500, 1e-300, 1, method="manual", data=(X, y))  # a step too short to move
    error = torch.cat([start.w, torch.tensor([start.b], dtype=torch.float64)]) - optimum
    for steps in (1, 10, 100):
        run = train(1500, 0.5, steps, method="manual", data=(X, y))
        expected = optimum + V @ ((1 - 0.5 * eigenvalues) ** steps * (V.T @ error))
        np.testing.assert_allclose(torch.cat([run.w, torch.tensor([run.b])]), expected, atol=1e-7)


def step_matrix(X, batch_size, lr, replacement):
    """Average the Kronecker square of one update's matrix over every batch there is."""
    Z, n = with_ones(X), range(len(X))
    batches = itertools.product(n, repeat=batch_size)
    if not replacement:
        batches = itertools.combinations(n, batch_size)
    eye = np.eye(Z.shape[1])
    steps = [eye - lr * Z[list(b)].T @ Z[list(b)] / batch_size for b in batches]
    return np.mean([np.kron(step, step) for step in steps], axis=0)


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_mean_square_limit_by_enumeration(batch_size, replacement, seed):
    X = random_data(seed, n=7, d=2)[0]
    limit = stability_limit(X, batch_size, replacement=replacement)
    for factor, sign in [(0.999, -1), (1, 0), (1.001, 1)]:
        matrix = step_matrix(X, batch_size, factor * limit, replacement)
        radius = np.abs(np.linalg.eigvals(matrix)).max()
        assert radius == pytest.approx(1, abs=1e-9) if sign == 0 else sign * (radius - 1) > 0


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_both_limits_of_one_row(scale):
    """A single row z: the only batch there is contracts by 1 - lr z'z, whatever its size."""
    X = torch.tensor([[scale]])
    for kind in ("mean-square", "almost-sure"):
        limit = stability_limit(X, 1, kind=kind, replacement=True)
        assert limit == pytest.approx(2 / (1 + scale**2), rel=0.01)


def test_mean_square_limit_of_normal_features():
    """By symmetry S = diag(s, …, s, t), t for the bias: a 2 × 2 matrix in place of L⁻¹Q."""
    d, generator = 3, torch.Generator().manual_seed(0)
    X = torch.randn(200_000, d, generator=generator, dtype=torch.float64)
    reduced = np.array([[d + 2, 1], [d, 1]]) / 2  # E[zz'Szz'] / 2, from Wick's formula
    assert 1 / stability_limit(X, 1) == pytest.approx(np.linalg.eigvals(reduced).max(), rel=0.02)


@pytest.mark.parametrize(("batch_size", "expected"), [(1, 0.180), (10, 0.798), (100, 0.942)])
def test_mean_square_limit_of_the_airfoil_data(airfoil, batch_size, expected):
    assert stability_limit(airfoil.X, batch_size) == pytest.approx(expected, abs=1e-3)
    independent = stability_limit(airfoil.X, batch_size, replacement=True)
    assert independent <= stability_limit(airfoil.X, batch_size)


def test_limit_of_large_batches_hardly_grows(airfoil):
    one, two, half, most = (stability_limit(airfoil.X, b) for b in (1, 2, 500, 1000))
    assert 1.75 < two / one < 2
    assert 1 <= most / half < 1.01


def test_limits_of_all_rows_agree(airfoil):
    full = stability_limit(airfoil.X)
    for kind in ("mean-square", "almost-sure"):
        assert stability_limit(airfoil.X, 1500, kind=kind) == full
    assert stability_limit(airfoil.X, 1499) == pytest.approx(full, rel=1e-5)
    assert stability_limit(airfoil.X, 1500, replacement=True) < full


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("batch_size", "expected"), [(1, 0.28), (10, 0.99)])
def test_almost_sure_limit_of_the_airfoil_data(airfoil, batch_size, expected, seed):
    limit = stability_limit(airfoil.X, batch_size, kind="almost-sure", seed=seed)
    assert limit == pytest.approx(expected, rel=0.02)
    assert limit > stability_limit(airfoil.X, batch_size)


def test_lyapunov_exponent_at_a_small_rate():
    """There noise is nothing yet: the error shrinks along the flattest direction, by lr λmin."""
    X = torch.tensor([[3.0], [-3.0]])
    lrs = torch.tensor([1e-3, 2e-3], dtype=torch.float64)
    np.testing.assert_allclose(lyapunov_exponents(X, 1, lrs, steps=6000), -lrs, rtol=0.1)


def test_an_empty_column_changes_no_limit(airfoil):
    X = torch.cat([airfoil.X, 0 * airfoil.X[:, :1]], dim=1)
    for kind in ("mean-square", "almost-sure"):
        limits = [stability_limit(data, 10, kind=kind) for data in (X, airfoil.X)]
        assert limits[0] == pytest.approx(limits[1], rel=0.02)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to 1500, got 0"),
        ({"batch_size": 1501}, "batch_size must be a whole number from 1 to 1500, got 1501"),
        ({"kind": "sure"}, "kind must be 'mean-square' or 'almost-sure', got 'sure'"),
    ],
    ids=str,
)
def test_stability_limit_out_of_range(airfoil, setting, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        stability_limit(airfoil.X, **setting)
