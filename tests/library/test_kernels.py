import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mbsgd_lib import benchmark_matmul, gflop, kernels
from mbsgd_lib.kernels import WAYS, rows_to_time

BLOCKED = ["panel", "tile"]
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
SIZES = st.integers(1, 9)


def random(m, n, seed=0):
    return torch.randn(m, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def assert_product(A, B, C, tolerance):
    """Check A = BC against NumPy in float64."""
    assert A.dtype == B.dtype
    assert A.device == B.device
    expected = B.cpu().double().numpy() @ C.cpu().double().numpy()
    np.testing.assert_allclose(A.cpu().double(), expected, rtol=0, atol=tolerance)


def test_ways_in_their_order():
    assert list(WAYS) == ["element", "row", "column", "panel", "tile", "whole"]
    assert list(WAYS.values()) == [getattr(kernels, f"matmul_{way}") for way in WAYS]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-13), (torch.bfloat16, 0.5)]
)
@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (3, 5, 7), (65, 70, 67), (1, 130, 2)])
def test_product(way, dtype, tolerance, m, k, n):
    B, C = random(m, k).to(dtype), random(k, n, seed=1).to(dtype)
    assert_product(WAYS[way](B, C), B, C, tolerance)


@needs_gpu
@pytest.mark.parametrize("way", WAYS)
def test_product_on_a_gpu(way):
    B, C = random(65, 70).cuda(), random(70, 67, seed=1).cuda()
    assert_product(WAYS[way](B, C), B, C, 1e-12)
    (timing,) = benchmark_matmul(64, ways=[way], device="cuda", repeats=3)
    assert timing.gflops > 0


@given(m=SIZES, k=SIZES, n=SIZES, width=st.integers(1, 12), way=st.sampled_from(BLOCKED))
def test_any_width(m, k, n, width, way):
    B, C = random(m, k), random(k, n, seed=1)
    assert_product(WAYS[way](B, C, width), B, C, 1e-13)


@pytest.mark.parametrize("way", WAYS)
def test_whole_numbers(way):
    B, C = (torch.randint(-9, 10, shape) for shape in ((5, 70), (70, 6)))
    assert_product(WAYS[way](B, C), B, C, 0)


@pytest.mark.parametrize("way", WAYS)
def test_views_that_are_not_contiguous(way):
    B, C = random(70, 20).T[::2], random(140, 30)[::2, 1::3]
    before = B.clone(), C.clone()
    assert_product(WAYS[way](B, C), B, C, 1e-13)
    assert torch.equal(B, before[0])
    assert torch.equal(C, before[1])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("m", "k", "n"), [(0, 3, 2), (3, 0, 2), (3, 2, 0)])
def test_empty_matrices(way, m, k, n):
    assert torch.equal(WAYS[way](torch.ones(m, k), torch.ones(k, n)), torch.zeros(m, n))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("B", "C"), [((2, 3), (2, 3)), ((3,), (3, 2)), ((2, 3), (3,)), ((), ())])
def test_shapes_without_a_product(way, B, C):
    with pytest.raises(ValueError, match=r"B and C must have shapes \(m, k\) and \(k, n\), got"):
        WAYS[way](torch.ones(B), torch.ones(C))


@pytest.mark.parametrize("way", BLOCKED)
@pytest.mark.parametrize("width", [0, -64, 1.5, True, None])
def test_width_out_of_range(way, width):
    with pytest.raises(ValueError, match="width must be a whole number of at least 1, got"):
        WAYS[way](torch.ones(2, 2), torch.ones(2, 2), width)


@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (2, 3, 5), (1, 100, 1)])
def test_gflop_counts_every_operation(m, k, n):
    products = additions = m * k * n  # the first addition of a sum is counted, as is usual
    assert gflop(m, k, n) == (products + additions) / 1e9


def test_gflop_of_the_source():
    assert gflop(256, 256, 256) == pytest.approx(0.0336, abs=1e-4)  # and not 2


@pytest.mark.parametrize("n", [1, 2, 16, 300])
def test_benchmark_of_all_ways(n):
    timings = benchmark_matmul(n, repeats=2)
    assert [timing.way for timing in timings] == list(WAYS)
    for timing in timings:
        assert timing.n == n
        assert 1 <= timing.rows <= n
        assert 1 <= len(timing.measurement.times) <= 2
        assert timing.extrapolated == (timing.rows < n)
        assert timing.seconds == pytest.approx(timing.measurement.min * n / timing.rows)
        assert timing.gflops == pytest.approx(2 * n**3 / 1e9 / timing.seconds)
    assert timings[0].extrapolated == (n == 300)  # an element at a time would take too long
    assert not timings[-1].extrapolated


@given(way=st.sampled_from(list(WAYS)), n=st.integers(1, 5000), width=st.integers(1, 5000))
def test_every_way_computes_some_rows(way, n, width):
    assert 1 <= rows_to_time(way, n, width) <= n


def test_only_the_timed_rows_are_computed(monkeypatch):
    shapes = []
    monkeypatch.setitem(WAYS, "element", lambda B, C: shapes.append((B.shape, C.shape)))
    (timing,) = benchmark_matmul(300, ways=["element"], repeats=1)
    assert set(shapes) == {((timing.rows, 300), (300, 300))}


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_benchmark_passes_its_settings_on(monkeypatch, dtype):
    seen = []

    def spy(B, C, width):
        seen.append((*B.shape, *C.shape, B.dtype, C.dtype, width, torch.get_num_threads()))
        return B

    monkeypatch.setitem(WAYS, "panel", spy)
    benchmark_matmul(8, 3, ways=["panel"], dtype=dtype, threads=2, repeats=1)
    assert set(seen) == {(8, 8, 8, 8, dtype, dtype, 3, 2)}
    assert torch.get_num_threads() == 1


def test_threads_are_restored_after_an_error(monkeypatch):
    def fail(B, C):
        raise ZeroDivisionError

    monkeypatch.setitem(WAYS, "whole", fail)
    with pytest.raises(ZeroDivisionError):
        benchmark_matmul(8, ways=["whole"], threads=2)
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("name", ["n", "width", "threads", "repeats"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, None, "8"])
def test_benchmark_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got"):
        benchmark_matmul(**{"n": 2, name: value})
    assert torch.get_num_threads() == 1


def test_benchmark_of_unknown_ways():
    with pytest.raises(ValueError, match=r"ways must be among \['element', .*got \['diagonal'\]"):
        benchmark_matmul(2, ways=["row", "diagonal"])
