import numpy as np
import pytest
import torch

from mbsgd_lib import Timer, measure

SPENT = [0.25, 2.0, 0.5]


def test_timer_records_and_adds_up(clock):
    timer = Timer()
    for seconds in SPENT:
        clock.spend(100)  # between two measurements
        timer.start()
        clock.spend(seconds)
        assert timer.stop() == seconds
    assert timer.times == SPENT
    assert timer.sum() == 2.75
    assert timer.avg() == pytest.approx(2.75 / 3)
    assert timer.cumsum() == [0.25, 2.25, 2.75]


def test_start_again_starts_anew(clock):
    timer = Timer()
    timer.start()
    clock.spend(5)
    timer.start()
    clock.spend(1)
    assert timer.stop() == 1


def test_with_statement_records_even_when_it_fails(clock):
    def fail():
        clock.spend(3)
        raise KeyError

    timer = Timer()
    with pytest.raises(KeyError), timer:
        fail()
    with timer as same:
        clock.spend(1)
    assert same is timer
    assert timer.times == [3, 1]


def test_real_clock_never_runs_backwards():
    timer = Timer()
    for _ in range(100):
        with timer:
            pass
    assert min(timer.times) >= 0


def test_timer_out_of_order():
    timer = Timer()
    assert timer.sum() == 0
    assert timer.cumsum() == []
    with pytest.raises(RuntimeError, match=r"stop\(\) without start\(\)"):
        timer.stop()
    with pytest.raises(RuntimeError, match=r"avg\(\) before"):
        timer.avg()
    with timer:
        pass
    with pytest.raises(RuntimeError, match=r"stop\(\) without start\(\)"):
        timer.stop()


GPU = torch.device("cuda", 1)


@pytest.mark.parametrize(("device", "seconds"), [("cuda:1", 7), (GPU, 7), ("cpu", 0)])
def test_timer_waits_for_the_gpu(clock, monkeypatch, device, seconds):
    queued = []

    def synchronize(where):
        assert torch.device(where) == GPU
        while queued:
            clock.spend(queued.pop())

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    timer = Timer(device)
    queued.append(100)  # work from before the start is not counted
    timer.start()
    queued.append(7)
    assert timer.stop() == seconds


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_timer_waits_for_a_real_gpu():
    A = torch.randn(4096, 4096, device="cuda")
    done = torch.cuda.Event()
    with Timer("cuda") as timer:
        for _ in range(20):
            A @ A
        done.record()
    assert done.query()
    assert timer.sum() > 0


def spender(clock, seconds):
    """Return a function whose calls take the given seconds, one after another, then the last."""
    left = list(seconds)
    return lambda: clock.spend(left.pop(0) if len(left) > 1 else left[0])


def test_measure_leaves_the_warm_up_out(clock):
    result = measure(spender(clock, [9, 8, 1, 4, 2, 3, 5]), repeats=5, warmup=2, budget=100)
    assert result.times == (1, 4, 2, 3, 5)
    assert result.min == 1
    assert result.median == 3
    assert result.iqr == 2  # from 2 to 4


@pytest.mark.parametrize(("budget", "repeats"), [(0, 1), (9.5, 8), (100, 21)])
def test_measure_stays_within_its_budget(clock, budget, repeats):
    result = measure(spender(clock, [1]), budget=budget)
    assert result.times == (1,) * repeats


def test_measure_outlives_a_stall(clock):
    assert measure(spender(clock, [50, 1]), budget=10).min == 1


def test_measure_loops_very_short_work(clock):
    result = measure(spender(clock, [1e-6]), repeats=3)
    assert np.allclose(result.times, 1e-6)
    assert clock.now > 5e-4


def test_measure_for_real():
    result = measure(lambda: None)
    assert len(result.times) == 21
    assert 0 < result.min <= result.median
    assert result.iqr >= 0


@pytest.mark.parametrize("repeats", [0, -1, 2.5, None])
def test_measure_repeats_out_of_range(repeats):
    with pytest.raises(ValueError, match="repeats must be a whole number of at least 1, got"):
        measure(lambda: None, repeats=repeats)
