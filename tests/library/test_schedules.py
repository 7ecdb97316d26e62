import math

import numpy as np
import pytest
import torch

from mbsgd_lib import train
from mbsgd_lib.methods import METHOD_NAMES
from mbsgd_lib.schedules import (
    Schedule,
    constant,
    cosine,
    inverse_time,
    learning_rates,
    step_decay,
    warm_up,
)

SCHEDULES = {
    "constant": constant(0.2),
    "step": step_decay(0.2),
    "inverse": inverse_time(0.2, half=0.5),
    "cosine": cosine(0.2, 2),
    "warm-up": warm_up(0.2, 0.5),
    "warm-up cosine": warm_up(cosine(0.2, 2), 1, start=0.1),
}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (constant(0.3), [0.3, 0.3, 0.3, 0.3]),
        (step_decay(0.4), [0.4, 0.4, 0.04, 0.004]),
        (step_decay(0.4, factor=0.5, every=0.5), [0.4, 0.2, 0.1, 0.025]),
        (inverse_time(0.6), [0.6, 0.4, 0.3, 0.2]),
        (cosine(1.0, 2), [1, (1 + math.sqrt(0.5)) / 2, 0.5, 0]),
        (warm_up(0.8, 2), [0, 0.2, 0.4, 0.8]),
        (warm_up(step_decay(1.0), 1, start=0.2), [0.2, 0.6, 0.1, 0.01]),
    ],
    ids=str,
)
def test_closed_forms(schedule, expected):
    np.testing.assert_allclose(schedule([0, 0.5, 1, 2]), expected, atol=1e-15)
    assert schedule(0.5) == pytest.approx(expected[1])


def test_step_decay_against_pytorch():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
    for epoch in range(4):
        assert step_decay(0.4)(epoch) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()


def test_cosine_stays_at_zero():
    np.testing.assert_allclose(cosine(0.5, 3)([3, 4, 100]), 0, atol=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("batch_size", [1, 7, 100, 1500])
def test_every_method_follows_a_schedule(name, batch_size):
    pytest.importorskip("numba")
    schedule = SCHEDULES[name]
    methods = METHOD_NAMES if batch_size > 1 else ["manual", "numpy", "blocked", "compiled"]
    runs = [train(batch_size, schedule, method=method) for method in methods]
    for run in runs:
        assert run.lr is schedule
        assert run.label == f"batch size {batch_size}, lr {schedule}"
        torch.testing.assert_close(run.w, runs[0].w, atol=2e-5, rtol=0)


def test_a_schedule_by_hand():
    """Every update of full-batch descent has its own rate: epochs 0, 1, 2."""
    X, y = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([1.0, 3.0, 2.0])
    run = train(3, inverse_time(0.1), 3, data=(X, y))
    w, b = train(3, 1e-300, 1, data=(X, y)).w, 0.0  # the start
    for lr in (0.1, 0.05, 0.1 / 3):
        residual = X[:, 0] * w + b - y
        w, b = w - lr * (residual * X[:, 0]).mean(), b - lr * residual.mean()
    torch.testing.assert_close(run.w, w)
    assert run.b == pytest.approx(float(b), abs=1e-6)


def test_constant_equals_the_number():
    for batch_size in (1, 10, 1500):
        one, other = (train(batch_size, lr, method="manual") for lr in (0.05, constant(0.05)))
        np.testing.assert_array_equal(one.loss, other.loss)


def test_learning_rates_of_each_update():
    assert learning_rates(0.1, 3, 2) == [0.1, 0.1, 0.1]
    assert learning_rates(step_decay(1.0), 4, 2) == pytest.approx([1, 1, 0.1, 0.1])
    assert learning_rates(lambda epochs: 1 + epochs, 4, 2) == [1, 1.5, 2, 2.5]


@pytest.mark.parametrize(
    "bad",
    [lambda t: t - 1, lambda t: t * np.nan, lambda t: np.inf + t, lambda t: 0.5],
    ids=range(4),
)
def test_a_schedule_out_of_range(bad):
    with pytest.raises(ValueError, match=r"^lr must give a finite rate of at least 0 for each"):
        train(100, bad)


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, "1", None, 10**400], ids=str)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("lr", constant),
        ("lr", step_decay),
        ("factor", lambda value: step_decay(1, factor=value)),
        ("every", lambda value: step_decay(1, every=value)),
        ("half", lambda value: inverse_time(1, value)),
        ("num_epochs", lambda value: cosine(1, value)),
        ("num_epochs", lambda value: warm_up(1, value)),
    ],
)
def test_out_of_range(name, make, bad):
    with pytest.raises(ValueError, match=f"^{name} must be a positive, finite number, got"):
        make(bad)


@pytest.mark.parametrize("start", [-0.1, 1.1, math.nan])
def test_start_out_of_range(start):
    with pytest.raises(ValueError, match=r"^start must be a number from 0 to 1, got"):
        warm_up(0.1, start=start)


def test_a_schedule_says_its_name():
    assert str(Schedule("mine", lambda t: t)) == "mine"
    assert str(warm_up(0.1, 2)) == "0.1 warm-up 2"
