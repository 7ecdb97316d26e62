"""The explorers of noise, stability, floors, critical batch sizes and batch normalization."""

import gzip
import json
import math

import numpy as np
import pytest

pytest.importorskip("numba")

from mbsgd_lib import explore, load_airfoil, stability_limit
from mbsgd_lib.explore.digits import short

NAMES = ["noise", "valley", "stability", "floor", "critical", "batchnorm"]


@pytest.fixture(scope="module")
def explorers():
    return {name: getattr(explore, f"{name}_explorer")() for name in NAMES}


def frame(explorers, name, **changes):
    explorer = explorers[name]
    settings = {key: control.value for key, control in explorer.controls.items()}
    return explorer.frame(settings | changes)


@pytest.mark.parametrize("name", NAMES)
def test_recording_is_small_and_plain(explorers, name):
    recording = explorers[name].recording()
    text = json.dumps(recording, allow_nan=False, separators=(",", ":"))
    assert len(gzip.compress(text.encode())) < 20_000
    positions = math.prod(len(control["values"]) for control in recording["controls"])
    assert len(recording["frames"]) == positions <= 150
    for each in recording["frames"]:
        assert each["xlabel"]
        assert each["ylabel"]
        assert each["text"].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_every_control_moves(explorers, name):
    explorer = explorers[name]
    for control in explorer.controls.values():
        before = control.value
        if hasattr(control, "options"):
            control.index = len(control.options) - 1
        else:
            control.value = getattr(control, "max", True)
        explorer.wait()
        control.value = before
        explorer.wait()
    assert "<svg" in explorer.picture.value


def test_noise_counts_every_batch_and_fits_its_curve(explorers):
    for size in (1, 100, 1400):
        shown = frame(explorers, "noise", batch_size=size)
        counts, curve = shown["histogram"]["counts"], shown["lines"][0]["y"]
        assert 950 <= sum(counts) <= 1000
        if size > 1:
            assert max(counts) == pytest.approx(max(curve), rel=0.3)


def test_valley_follows_gradient_descent(explorers):
    path = np.array(frame(explorers, "valley", lr=0.9)["lines"][0]["y"], dtype=float)
    factor = 1 - 0.9 * 2 / stability_limit(load_airfoil().X)
    np.testing.assert_allclose(path[1:6] / path[:5], factor, rtol=0.01)
    assert "outside of the picture" in frame(explorers, "valley", lr=1.2)["text"]
    assert "outside of the picture" not in frame(explorers, "valley", lr=0.4)["text"]


def test_stability_map_is_lost_above_the_lines(explorers):
    shown = frame(explorers, "stability", average="median")
    rates, z = np.array(shown["heat"]["y"]), np.array(shown["heat"]["z"], dtype=float)
    for line, sign in zip(shown["lines"], (-1, 1), strict=True):
        for column, limit in enumerate(line["y"][:6]):
            side = rates > 1.1 * limit if sign > 0 else rates < 0.8 * limit
            assert (sign * (z[side, column] - math.log10(0.25)) > 0).all()


def test_run_settles_on_the_line_of_its_floor(explorers):
    shown = frame(explorers, "floor", seeds=6, num_epochs=60)
    run, floor = (line["y"] for line in shown["lines"])
    assert np.mean(run[-10:]) == pytest.approx(floor[0], rel=0.3)
    assert "infinite" in frame(explorers, "floor", batch_size=1, lr=0.2)["text"]


def test_critical_counts_examples_as_updates_times_size(explorers):
    updates, examples = (
        np.array(frame(explorers, "critical", count=count)["lines"][0]["y"])
        for count in ("updates", "examples")
    )
    sizes = frame(explorers, "critical")["lines"][0]["x"]
    np.testing.assert_allclose(updates * sizes, examples, rtol=1e-3)


def test_batchnorm_correction_narrows(explorers):
    def counts(correction):
        return np.array(frame(explorers, "batchnorm", correction=correction)["histogram"]["counts"])

    assert all(counts(name).sum() == 1000 for name in ("small", "as Ioffe ends"))
    assert counts("as Ioffe ends").max() > 900 > 200 > counts("none (batch normalization)").max()


def test_numbers_are_short():
    assert short([1 / 3, math.inf, math.nan, 12345.678]) == [0.3333, None, None, 12350.0]
    assert short([[0.1234567], [2]], 2) == [[0.12], [2.0]]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_drawn_again_is_the_same(explorers, name):
    explorer = explorers[name]
    before = explorer.picture.value
    explorer.refresh()
    explorer.wait()
    assert explorer.picture.value == before
