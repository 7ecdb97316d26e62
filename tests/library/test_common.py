"""What the frameworks share, tried with a method in plain NumPy."""

import numpy as np
import pytest
import torch

from mbsgd_lib import least_squares, load_airfoil, train
from mbsgd_lib.frameworks import common, speed


class Plain:
    """Minibatch SGD in a few lines of NumPy."""

    def __init__(self, X, y, theta, batch_size):
        self.Z, self.y = np.c_[X, np.ones(len(X), np.float32)], y  # (n, d+1)
        self.theta, self.batch_size = theta.copy(), batch_size

    def begin_epoch(self, order):
        size = self.batch_size
        self.batches = iter([order[i : i + size] for i in range(0, len(order), size)])

    def update(self, lrs):
        with np.errstate(over="ignore", invalid="ignore"):
            for lr in lrs:
                Z, y = self.Z[rows := next(self.batches)], self.y[rows]
                self.theta -= np.float32(lr) * (Z.T @ (Z @ self.theta - y) / len(y))


METHODS = {"plain": Plain}


def fit(batch_size=100, lr=0.1, *args, **kwargs):
    return common.train_with(METHODS, batch_size, lr, *args, **{"method": "plain"} | kwargs)


def test_same_data_as_in_pytorch(airfoil):
    X, y = common.airfoil()
    assert X.dtype == y.dtype == np.float32
    np.testing.assert_array_equal(X, airfoil.X)
    np.testing.assert_array_equal(y, airfoil.y)


def test_draws_of_a_seed():
    theta, orders = common.draws(3, 1500, 5, 2)
    again, _ = common.draws(3, 1500, 5, 4)
    np.testing.assert_array_equal(theta, again)
    assert theta.dtype == np.float32
    assert theta[-1] == 0
    assert 0 < np.abs(theta[:-1]).max() < 0.05
    assert orders.shape == (2, 1500)
    for order in orders:
        assert sorted(order) == list(range(1500))
    assert not np.array_equal(*orders)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 1500])
def test_record_has_the_marks_of_train(batch_size):
    ours, theirs = fit(batch_size, 0.01), train(batch_size, 0.01, method="numpy")
    for name in ("updates", "examples", "epochs"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert ours.loss[0] == pytest.approx(theirs.loss[0], rel=0.05)
    assert ours.final_loss < ours.loss[0]
    assert (np.diff(ours.seconds) > 0).all()
    assert not ours.diverged


def test_loss_is_that_of_all_rows():
    run = fit(64, 0.1, 3)
    data = load_airfoil()
    w = torch.from_numpy(run.w).double()
    residual = data.X.double() @ w + run.b - data.y.double()
    assert run.final_loss == pytest.approx(float((residual**2).mean() / 2), rel=1e-9)


def test_lowest_loss(airfoil):
    floor = least_squares(airfoil.X, airfoil.y).loss
    assert common.lowest_loss() == pytest.approx(floor, rel=1e-6)


def test_given_draws_are_used():
    order = np.arange(1500)[None]
    run = fit(1500, 1.0, 1, theta=np.ones(6), orders=order)
    X, y = common.airfoil()
    Z = np.c_[X, np.ones(1500)]
    expected = np.ones(6) - Z.T @ (Z @ np.ones(6) - y) / 1500
    np.testing.assert_allclose([*run.w, run.b], expected, atol=1e-5)
    first = fit(1, 0.01, 1, orders=order)
    assert first.final_loss != fit(1, 0.01, 1, orders=order[:, ::-1]).final_loss


def test_divergence_ends_the_run():
    run = fit(1, 1.0)
    assert run.diverged
    assert run.updates[-1] < 3000
    assert run.final_loss == 1e6
    assert np.isfinite(run.loss).all()


BAD = {
    "batch_size": [0, 1501, 2.5, True],
    "lr": [0, -1, float("nan"), "fast"],
    "num_epochs": [0, 1.5],
    "method": ["eager", None],
    "seed": [-1, 0.5],
    "theta": [np.zeros(5), np.full(6, np.nan), np.zeros((6, 1))],
    "orders": [np.zeros((1, 1500), int), np.full((2, 1500), 1500), np.full((2, 1500), -1),
               np.zeros((2, 1500))],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_bad_argument_is_named(name, value):
    with pytest.raises(ValueError, match=f"^{name} must"):
        fit(**{name: value})


@pytest.mark.parametrize(("us", "longest"), [(2, 1500), (2000, speed.PART)])
def test_microseconds_of_an_update(us, longest, clock):
    done = []

    class Costly(Plain):
        def update(self, lrs):
            clock.spend(1e-6 * us * len(lrs))
            done.append(len(lrs))

    for size in (1, 10, 1500):
        assert speed.us_per_update({"costly": Costly}, "costly", size) == pytest.approx(us)
    assert max(done) == longest  # of a slow method a part is enough


def test_speed_of_a_product(clock):
    def product(B, C, width):
        clock.spend(width * len(B) * 1e-6)

    B, C = np.zeros((10, 20)), np.zeros((20, 30))
    assert speed.gflops(product, B, C, 3) == pytest.approx(2 * 10 * 20 * 30 / 30e-6 / 1e9)
    assert speed.gflops(product, B[:5], C, 3) == pytest.approx(speed.gflops(product, B, C, 3))


def test_timings_are_plain_numbers_and_text(monkeypatch):
    monkeypatch.setattr(speed, "us_per_update", lambda methods, method, size: 1.5 * size)
    told = speed.timings("NumPy", "2", METHODS, {"whole": 3.0})
    assert told["us_per_update"] == {"plain": {"1": 1.5, "10": 15, "100": 150, "1500": 2250}}
    assert told["gflops"] == {"whole": 3.0}
    assert told["processor"]
    assert {"framework": "NumPy", "version": "2"}.items() <= told.items()
