import inspect
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from mbsgd_lib import SOURCE_RUNS, Quadratic, Run, train
from mbsgd_lib.methods import METHOD_NAMES, METHODS, Manual


def slow_marks(n, batch_size, num_epochs):
    """Count (updates, examples) at each mark, example by example."""
    marks, examples, updates = [(0, 0)], 0, 0
    for _ in range(num_epochs):
        for first in range(0, n, batch_size):
            due = False
            for _ in range(first, min(first + batch_size, n)):
                examples += 1
                due |= examples % 200 == 0
            updates += 1
            if due:
                marks.append((updates, examples))
    return marks if marks[-1] == (updates, examples) else [*marks, (updates, examples)]


def check_marks(run, n):
    expected = slow_marks(n, run.batch_size, run.num_epochs)
    assert list(zip(run.updates.tolist(), run.examples.tolist(), strict=True)) == expected
    np.testing.assert_allclose(run.epochs, run.examples / n)
    assert run.epochs[-1] == run.num_epochs
    assert len(run.loss) == len(run.seconds) == len(expected)
    assert run.seconds[0] == 0
    assert (np.diff(run.seconds) >= 0).all()
    assert np.isfinite(run.loss).all()


@given(st.data())
def test_marks_for_any_size(data):
    n = data.draw(st.integers(1, 1200))
    batch_size = data.draw(st.integers(1, n))
    pair = torch.ones(n, 1), torch.zeros(n)
    num_epochs = data.draw(st.integers(1, 4))
    check_marks(train(batch_size, 0.01, num_epochs, method="manual", data=pair), n)


@given(batch_size=st.integers(1, 1500), num_epochs=st.integers(1, 3))
@example(batch_size=1, num_epochs=2)
@example(batch_size=199, num_epochs=3)
@example(batch_size=200, num_epochs=3)
@example(batch_size=201, num_epochs=3)
@example(batch_size=1499, num_epochs=3)
@example(batch_size=1500, num_epochs=10)
def test_marks_on_the_airfoil_data(batch_size, num_epochs):
    check_marks(train(batch_size, 0.001, num_epochs, method="manual"), 1500)


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("batch_size", [70, 1500])
def test_marks_are_the_same_for_every_method(method, batch_size):
    check_marks(train(batch_size, 0.01, 2, method=method), 1500)


def test_losses_are_those_of_all_rows(airfoil):
    run = train(100, 0.4, 2)
    residual = airfoil.X.double() @ run.w.double() + run.b - airfoil.y.double()
    assert run.final_loss == pytest.approx(float((residual**2).mean()) / 2)
    assert run.loss[0] == pytest.approx(0.5, abs=0.05)  # weights near zero, targets of variance 1


def test_only_training_is_timed(clock, monkeypatch):
    class Learner(Manual):
        def begin_epoch(self, order):
            clock.spend(10)
            super().begin_epoch(order)

        def update(self, lrs):
            clock.spend(len(lrs))
            super().update(lrs)

    class Evaluation(Quadratic):
        def loss(self, theta):
            clock.spend(1000)
            return super().loss(theta)

    monkeypatch.setitem(METHODS, "manual", Learner)
    monkeypatch.setattr(sys.modules["mbsgd_lib.training"], "Quadratic", Evaluation)
    run = train(70, 0.01, 3, method="manual", on_mark=lambda _: clock.spend(1000))
    epochs_begun = np.ceil(run.examples / 1500)
    np.testing.assert_array_equal(run.seconds, run.updates + 10 * epochs_begun)
    assert run.sec_per_epoch == 10 + 22


def test_settings_are_kept_in_the_run():
    settings = {"batch_size": 100, "lr": 0.3, "num_epochs": 1}
    settings |= {"method": "numpy", "seed": 7, "replacement": True}
    run = train(**settings)
    assert {name: getattr(run, name) for name in settings} == settings
    assert run.w.shape == (5,)
    assert isinstance(run.b, float)
    assert run.diverged is False
    assert run.label == "batch size 100, lr 0.3"


def test_defaults():
    run = train(100, 0.4)
    defaults = (run.num_epochs, run.method, run.seed, run.replacement)
    assert defaults == (2, "autograd", 0, False)


def test_seconds_to_a_loss():
    record = np.array([0, 1, 2, 3])
    fields = dict.fromkeys(inspect.signature(Run).parameters, record)
    fields |= {"seconds": record / 10, "loss": np.array([0.5, 0.3, 0.2, 0.25])}
    run = Run(**fields)
    targets = {0.6: 0, 0.5: 0, 0.3: 0.1, 0.25: 0.2, 0.19: math.inf}
    assert {target: run.seconds_to(target) for target in targets} == targets
    assert run.final_loss == 0.25
    assert run.sec_per_epoch == pytest.approx(0.1)


def test_experiments_of_the_source():
    settings = [tuple(run.values()) for run in SOURCE_RUNS.values()]
    assert settings == [(1500, 1, 10), (1, 0.005, 2), (100, 0.4, 2), (10, 0.05, 2)]
    for run in SOURCE_RUNS.values():
        assert list(run) == ["batch_size", "lr", "num_epochs"]


@pytest.mark.parametrize("batch_size", [1, 70, 1500])
def test_on_mark_is_told_how_much_is_done(batch_size):
    fractions = []
    run = train(batch_size, 0.001, 3, method="manual", on_mark=fractions.append)
    np.testing.assert_allclose(fractions, run.updates[1:] / run.updates[-1])


def test_what_on_mark_raises_ends_the_run():
    calls = []

    def stop(fraction):
        calls.append(fraction)
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        train(1, 0.005, 100, method="manual", on_mark=stop)
    assert len(calls) == 1


def test_a_run_at_the_cap_stops_early():
    run = train(10, 5.0, 100, method="manual")
    assert run.diverged
    assert run.epochs[-1] < 100
    assert run.final_loss == run.loss.max() == 1e6


BAD = {
    "batch_size": ([0, -1, 1.5, 1501, True, None, "10", math.nan], "whole number from 1 to 1500"),
    "num_epochs": ([0, -1, 1.5, True, None, math.inf], "whole number of at least 1"),
    "lr": ([0, -0.1, math.nan, math.inf, -math.inf, None, "1", 1j, 10**400], "positive, finite"),
    "method": (["adam", "", None, 3, ["manual"]], r"one of \['loader', .*'numpy', .*\]"),
    "seed": ([-1, 1.5, None, "0", 2**63, True], "whole number from 0 to"),
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, (values, _) in BAD.items() for value in values],
    ids=lambda part: str(part)[:12],
)
def test_out_of_range(name, value):
    settings = {"batch_size": 10, "lr": 0.1, "num_epochs": 1, name: value}
    with pytest.raises(ValueError, match=f"^{name} must be .*{BAD[name][1]}.*, got ") as error:
        train(**settings)
    assert str(error.value).endswith(f"got {value!r}")


@pytest.mark.parametrize(
    "setting",
    [
        {"lr": np.float32(0.5)}, {"lr": np.float64(0.5)}, {"batch_size": np.int64(100)},
        {"num_epochs": np.int32(1)}, {"seed": np.int64(0)},
    ],
    ids=str,
)  # fmt: skip
def test_numbers_from_numpy(setting):
    usual = {"batch_size": 100, "lr": 0.5, "num_epochs": 1}
    assert train(**usual | setting).final_loss == train(**usual).final_loss


@pytest.mark.parametrize("lr", [1e-300, 1e-8])
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_rate_too_small_to_move_is_no_divergence(lr, method):
    assert not train(1500, lr, 1, method=method).diverged
