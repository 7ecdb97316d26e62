"""What the chapters say of single runs holds on 20 starts and orders, not only on theirs."""

import math

import numpy as np
import pytest

from mbsgd_lib import SOURCE_RUNS, least_squares, train
from mbsgd_lib.growth import NEAR
from mbsgd_lib.schedules import step_decay

SEEDS = range(20)


@pytest.fixture(scope="module")
def runs():
    return {
        name: [train(**settings, method="manual", seed=seed) for seed in SEEDS]
        for name, settings in SOURCE_RUNS.items()
    }


@pytest.fixture(scope="module")
def floor(airfoil):
    return least_squares(airfoil.X, airfoil.y).loss


def examples_to(run, target):
    reached = run.examples[run.loss <= target]
    return reached[0] if len(reached) else math.inf


def ends(runs):
    return np.array([run.final_loss for run in runs])


def test_every_run_begins_near_one_half(runs):
    for run in (run for each in runs.values() for run in each):
        assert run.loss[0] == pytest.approx(0.5, abs=0.02)


def test_gradient_descent_turns_around(runs):
    for run in runs["gd"]:
        turn = run.loss.argmin()
        assert 4 <= turn <= 8
        assert run.loss[turn] < 0.25
        assert (np.diff(run.loss)[turn:] > 0).all()


def test_gradient_descent_hardly_ever_gets_within_half_a_percent(runs, floor):
    assert sum(run.loss.min() <= NEAR * floor for run in runs["gd"]) <= 2


def test_below_its_limit_it_always_does(floor):
    for seed in SEEDS:
        assert train(1500, 0.9, 20, method="manual", seed=seed).loss.min() <= NEAR * floor


def test_sgd_and_minibatches_need_fewer_examples_than_gradient_descent(runs):
    gd = np.array([examples_to(run, 0.245) for run in runs["gd"]])
    for name in ("sgd", "batch size 10", "batch size 100"):
        others = np.array([examples_to(run, 0.245) for run in runs[name]])
        assert (2 * others < gd).all()


def test_touching_a_low_loss_is_luck(runs):
    for name in ("sgd", "batch size 10", "batch size 100"):
        touched = sum(math.isfinite(examples_to(run, 0.243)) for run in runs[name])
        assert 0 < touched < len(SEEDS)


def test_the_decline_of_sgd_all_but_ends_after_an_epoch(runs):
    for run in runs["sgd"]:
        start, middle, end = np.interp([0, 1, 2], run.epochs, run.loss)
        assert start - middle > 10 * abs(middle - end)


def test_small_batches_end_about_alike(runs, floor):
    one, ten, hundred = (ends(runs[n]) for n in ("sgd", "batch size 10", "batch size 100"))
    assert max(one.max(), ten.max(), hundred.max()) < 1.05 * floor
    assert (hundred < 1.03 * one).all()


def test_a_tenth_after_each_epoch_smooths_the_curve_and_lowers_the_last_epoch():
    for seed in SEEDS:
        constant, decayed = (
            train(10, lr, 4, method="compiled", seed=seed).loss[-8:]  # the marks of an epoch
            for lr in (0.05, step_decay(0.05))
        )
        assert np.ptp(decayed) < np.ptp(constant) / 10
        assert decayed.mean() < constant.mean()
