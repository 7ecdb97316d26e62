"""The compiled loop gives the parameters of the others, and its absence is said clearly."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from mbsgd_lib import train
from mbsgd_lib.compiled import Compiled, run_updates
from mbsgd_lib.explore import training_explorer
from mbsgd_lib.machine import (
    DEPTH,
    cache_sizes,
    multiply_adds,
    peak_gflops,
    read_bandwidth,
    update_chain,
    update_latency,
)
from mbsgd_lib.methods import METHOD_NAMES
from mbsgd_lib.processor import processor

LRS = {1: 0.01, 7: 0.05, 64: 0.2, 100: 0.4, 1499: 0.05, 1500: 0.9}


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("batch_size", LRS)
def test_same_parameters_as_every_other_method(method, batch_size):
    settings = {"batch_size": batch_size, "lr": LRS[batch_size], "num_epochs": 2, "seed": 3}
    ours, other = train(**settings, method="compiled"), train(**settings, method=method)
    torch.testing.assert_close(ours.w, other.w, rtol=0, atol=1e-5)
    assert ours.b == pytest.approx(other.b, abs=1e-5)
    np.testing.assert_allclose(ours.loss, other.loss, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(ours.updates, other.updates)


@pytest.mark.parametrize("replacement", [False, True])
def test_with_replacement_too(replacement):
    settings = {"batch_size": 10, "lr": 0.05, "num_epochs": 2, "replacement": replacement}
    ours, other = train(**settings, method="compiled"), train(**settings, method="manual")
    torch.testing.assert_close(ours.w, other.w, rtol=0, atol=1e-5)


def test_data_in_float64(airfoil):
    run = train(7, 0.05, 1, method="compiled", data=(airfoil.X.double(), airfoil.y.double()))
    assert run.w.dtype == torch.float64
    torch.testing.assert_close(run.w.float(), train(7, 0.05, 1).w, rtol=0, atol=1e-5)


@pytest.mark.parametrize("columns", [1, 2, 9, 17])
def test_any_number_of_columns(columns):
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(90, columns, generator=generator), torch.randn(90, generator=generator)
    ours, other = (train(7, 0.02, 2, method=name, data=data) for name in ("compiled", "manual"))
    torch.testing.assert_close(ours.w, other.w, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("batch_size", "lr"), [(1, 5.0), (10, 3.0), (1500, 1e30), (1, 1e308)])
def test_divergence_is_flagged_and_finite(batch_size, lr):
    run = train(batch_size, lr, 10, method="compiled")
    assert run.diverged
    assert np.isfinite(run.loss).all()


def test_one_call_for_a_whole_epoch(airfoil, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "mbsgd_lib.compiled.run_updates", lambda *args: calls.append(1) or run_updates(*args)
    )
    learner = Compiled(airfoil.X, airfoil.y, torch.zeros(6), 1)
    learner.begin_epoch(torch.arange(1500))
    learner.update([0.005] * 1500)
    assert calls == [1]
    assert learner.position == 1500


def test_compiled_once_for_all_batch_sizes():
    for batch_size in (1, 7, 1500):
        train(batch_size, 0.01, 1, method="compiled")
    kinds = [signature[0].dtype.name for signature in run_updates.signatures]
    assert kinds.count("float32") == 1


def test_kept_on_disk():
    train(1, 0.01, 1, method="compiled")
    stats = run_updates.stats
    assert stats.cache_path
    assert stats.cache_hits or stats.cache_misses


NO_NUMBA = """
import sys
sys.modules["numba"] = None
from mbsgd_lib import train
from mbsgd_lib.grid import train_grid
print(train(10, 0.05, method="blocked").diverged, train_grid([10], [0.05]).diverged)
try:
    train(10, 0.05, method="compiled")
except ImportError as error:
    print(error)
"""


def test_without_numba_the_others_go_on_and_it_says_so():
    command = [sys.executable, "-W", "error", "-c", NO_NUMBA]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    first, last = result.stdout.splitlines()
    assert first == "False [[[False]]]"
    assert "Numba" in last
    assert "compiled" in last


def test_importing_the_library_does_not_import_numba():
    code = "import sys, mbsgd_lib; print('numba' in sys.modules, 'matplotlib' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["False", "False"]


def test_chain_is_sgd_on_one_row():
    z, w, lr = np.full(6, 0.5, np.float32), np.arange(6, dtype=np.float32), np.float32(0.1)
    total = update_chain(tuple(z), tuple(w), lr, 3)
    for _ in range(3):
        w = w - lr * (z @ w) * z
    assert total == pytest.approx(w.sum(), rel=1e-5)


def test_peak_loop_does_what_is_counted():
    x = np.ones(4, np.float32)
    multiply_adds(x, np.float32(0.5), 1)
    expected = 1.0
    for _ in range(DEPTH):
        expected = expected * 0.5 + 0.5
    np.testing.assert_allclose(x, expected)


def test_limits_are_positive_and_finite():
    for value in (update_latency(0.01), peak_gflops(0.01), read_bandwidth(4096, 0.01)):
        assert 0 < value < 1e6


def test_machine_is_described():
    assert processor()
    sizes = list(cache_sizes().values())
    assert sizes == sorted(sizes)


def test_the_wait_for_the_compiler_is_explained(monkeypatch):
    explorer = training_explorer()
    explorer.announce("blocked")
    assert "Compiling" not in explorer.text.value
    monkeypatch.delitem(sys.modules, "mbsgd_lib.compiled")
    explorer.announce("compiled")
    assert "Compiling" in explorer.text.value
