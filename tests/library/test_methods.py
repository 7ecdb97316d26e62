"""Every method against minibatch SGD written out in NumPy and float64."""

import functools
import sys

import numpy as np
import pytest
import torch

from mbsgd_lib import epoch_order, linreg, load_airfoil, sgd, squared_loss, train
from mbsgd_lib.methods import CPU_ONLY, METHOD_NAMES

# Batch sizes that divide 1,500 and that don't; the last batch of 1,499 holds a single example.
LRS = {1: 0.01, 7: 0.05, 10: 0.05, 64: 0.2, 100: 0.4, 499: 0.1, 1499: 0.05, 1500: 0.9}


def start(seed):
    """Return the generator after drawing the first weights, and the weights."""
    generator = torch.Generator().manual_seed(seed)
    return generator, 0.01 * torch.randn(5, generator=generator).double().numpy()


@functools.cache
def reference(batch_size, lr, num_epochs, seed, replacement):
    """Return w, b and the loss at the start and after each update."""
    X, y = (tensor.double().numpy() for tensor in (load_airfoil().X, load_airfoil().y))
    (generator, w), b = start(seed), 0.0
    losses = [np.mean((X @ w + b - y) ** 2) / 2]
    for _ in range(num_epochs):
        order = epoch_order(len(X), generator, replacement).numpy()
        for first in range(0, len(X), batch_size):
            rows = order[first : first + batch_size]
            residual = X[rows] @ w + b - y[rows]
            w = w - lr * X[rows].T @ residual / len(rows)
            b = b - lr * residual.sum() / len(rows)
            losses.append(np.mean((X @ w + b - y) ** 2) / 2)
    return w, b, np.array(losses)


def check(method, batch_size, num_epochs=1, seed=0, replacement=False):
    settings = batch_size, LRS[batch_size], num_epochs
    run = train(*settings, method=method, seed=seed, replacement=replacement)
    w, b, losses = reference(*settings, seed, replacement)
    np.testing.assert_allclose(run.w, w, rtol=0, atol=1e-5)
    assert run.b == pytest.approx(b, abs=1e-5)
    np.testing.assert_allclose(run.loss, losses[run.updates], rtol=0, atol=1e-5)
    assert run.updates[-1] == len(losses) - 1
    assert not run.diverged


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("batch_size", LRS)
def test_same_parameters_as_the_reference(method, batch_size):
    check(method, batch_size)


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize(("num_epochs", "seed"), [(1, 1), (5, 2), (3, 12345)])
@pytest.mark.parametrize("batch_size", [64, 100, 1499])
def test_epochs_seeds_and_replacement(method, batch_size, num_epochs, seed, replacement):
    check(method, batch_size, num_epochs, seed, replacement)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_short_batch_is_averaged_over_its_true_size(method):
    """With one bias and equal targets, a step halves the error whatever the batch size."""
    data = torch.zeros(7, 1), torch.ones(7)
    for batch_size in range(1, 8):
        run = train(batch_size, 0.5, 1, method=method, data=data)
        assert run.b == pytest.approx(1 - 0.5 ** -(-7 // batch_size))


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_one_row_of_data(method):
    run = train(1, 0.5, 3, method=method, data=(torch.zeros(1, 2), torch.ones(1)))
    assert run.b == pytest.approx(1 - 0.5**3)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_data_in_float64(method, airfoil):
    data = airfoil.X.double(), airfoil.y.double()
    run = train(100, 0.4, 2, method=method, data=data)
    np.testing.assert_allclose(run.w, reference(100, 0.4, 2, 0, False)[0], rtol=0, atol=1e-5)
    assert run.w.dtype == torch.float64


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("method", sorted({*METHOD_NAMES} - {*CPU_ONLY}))
def test_data_on_a_gpu(method, airfoil):
    gpu = airfoil.to("cuda:0")
    run = train(100, 0.4, 2, method=method, data=(gpu.X, gpu.y))
    np.testing.assert_allclose(run.w, reference(100, 0.4, 2, 0, False)[0], rtol=0, atol=1e-5)
    assert run.device == "cuda:0"


@pytest.mark.parametrize("method", CPU_ONLY)
def test_what_cannot_use_a_gpu_says_so(method, airfoil):
    elsewhere = airfoil.to("meta")  # a device without memory stands for a GPU
    message = f"method '{method}' computes on the CPU only, got data on meta"
    with pytest.raises(ValueError, match=message):
        train(100, 0.4, 2, method=method, data=(elsewhere.X, elsewhere.y))
    assert train(100, 0.4, 2, method=method).device == "cpu"


TOO_FAST = [(1, 5.0), (7, 1e3), (10, 3.0), (1500, 10.0), (1500, 1e30), (1, 3e38)]


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize(("batch_size", "lr"), [*TOO_FAST, (100, sys.float_info.max)])
def test_divergence_is_flagged_and_recorded_in_finite_numbers(method, batch_size, lr):
    run = train(batch_size, lr, 10, method=method)
    assert run.diverged
    for record in (run.updates, run.examples, run.epochs, run.seconds, run.loss):
        assert len(record) == len(run.loss) >= 2
        assert np.isfinite(record).all()
    assert run.final_loss > run.loss[0]
    assert np.isfinite(run.sec_per_epoch)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_same_run_twice_whatever_else_was_drawn(method):
    first = train(100, 0.4, 1, method=method, seed=5)
    torch.rand(10)
    again, other = (train(100, 0.4, 1, method=method, seed=seed) for seed in (5, 6))
    assert torch.equal(first.w, again.w)
    np.testing.assert_array_equal(first.loss, again.loss)
    assert not torch.equal(first.w, other.w)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_data_is_left_as_it_was(method):
    X, y = torch.randn(20, 3), torch.randn(20)
    before = X.clone(), y.clone()
    train(3, 0.1, 2, method=method, data=(X, y))
    assert torch.equal(X, before[0])
    assert torch.equal(y, before[1])


@pytest.mark.parametrize("seed", range(3))
def test_linreg_and_loss_against_numpy(seed):
    rng = np.random.default_rng(seed)
    X, w, b, y = (rng.normal(size=size) for size in ((8, 3), (3, 1), 1, 8))
    y_hat = linreg(*map(torch.from_numpy, (X, w, b)))
    assert y_hat.shape == (8, 1)
    np.testing.assert_allclose(y_hat, X @ w + b)
    loss = squared_loss(y_hat, torch.from_numpy(y))
    assert loss.shape == (8, 1)  # (8, 8) if the shapes were broadcast
    np.testing.assert_allclose(loss[:, 0], (X @ w[:, 0] + b - y) ** 2 / 2)


def test_sgd_steps_in_place_and_clears_the_gradient():
    w, b = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor([3.0], requires_grad=True)
    (w.sum() * 10 + b.sum() * 20).backward()
    params = [w, b]
    assert sgd(params, None, {"lr": 0.1}) is None
    assert params[0] is w
    assert w.tolist() == [0, 1]
    assert b.tolist() == [1]
    assert w.grad.tolist() == [0, 0]
    assert b.grad.tolist() == [0]
    assert w.requires_grad


def test_compiled_without_numba_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "mbsgd_lib.compiled", raising=False)
    with pytest.raises(ImportError, match="needs Numba"):
        train(100, 0.4, method="compiled")
