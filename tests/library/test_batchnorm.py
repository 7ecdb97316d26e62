import itertools
import math

import numpy as np
import pytest
import torch

from mbsgd_lib.batchnorm import batch_norm, one_among_many, statistics_spread

VALUES = torch.tensor([-1.0, 0.0, 0.5, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5])
def test_spread_by_enumeration(batch_size):
    batches = np.array(list(itertools.product(VALUES.numpy(), repeat=batch_size)))
    spread = statistics_spread(VALUES, batch_size)
    assert spread.mean == pytest.approx(batches.mean(1).std())
    assert spread.variance == pytest.approx(batches.var(1).std(), abs=1e-9)


def test_default_is_pytorchs_batch_normalization():
    batch = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.batch_norm(batch.T, None, None, training=True).T
    torch.testing.assert_close(batch_norm(batch), expected)
    torch.testing.assert_close(batch_norm(batch, mean=3.0, std=2.0), expected)


def test_without_bounds_only_the_statistics_of_all_data_count():
    batch = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    free = batch_norm(batch, 0.5, 2.0, r_max=math.inf, d_max=math.inf)
    torch.testing.assert_close(free, (batch - 0.5) / 2)


def test_bounds_hold():
    """Two values 0 and 2 have mean 1 and std 1: r and d would be 0.1 and -0.9."""
    batch = torch.tensor([0.0, 2.0], dtype=torch.float64)
    result = batch_norm(batch, 10.0, 10.0, r_max=2.0, d_max=0.5)
    torch.testing.assert_close(result, torch.tensor([-1.0, 0.0]).double(), atol=1e-4, rtol=0)


def test_one_among_many():
    batches = one_among_many(VALUES, 3, 5, draws=200, seed=1)
    assert batches.shape == (200, 5)
    assert (batches[:, 0] == 4).all()
    assert set(batches[:, 1:].flatten().tolist()) == set(VALUES.tolist())
    assert torch.equal(batches, one_among_many(VALUES, 3, 5, draws=200, seed=1))


@pytest.mark.parametrize("bad", [{"r_max": 0.5}, {"r_max": math.nan}, {"d_max": -1}], ids=str)
def test_bounds_out_of_range(bad):
    (name,) = bad
    with pytest.raises(ValueError, match=rf"^{name} must be a number of at least \d, got"):
        batch_norm(VALUES, **bad)


def test_batch_size_out_of_range():
    for function in (statistics_spread, lambda v, b: one_among_many(v, 0, b)):
        with pytest.raises(ValueError, match=r"^batch_size must be a whole number of at least 1"):
            function(VALUES, 0)
