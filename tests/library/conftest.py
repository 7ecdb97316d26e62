from types import SimpleNamespace

import pytest
import torch
from hypothesis import settings

from mbsgd_lib import load_airfoil

torch.set_num_threads(1)  # two threads on a busy machine are slower, and less steady, than one

# The same examples every time, and none fails because the machine is busy.
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("steady")


# These start processes of their own, and take long: the workers begin with them.
SLOW = {"test_parallel", "test_bench", "test_frameworks"}


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in SLOW)


@pytest.fixture(scope="session")
def airfoil():
    return load_airfoil()


class Clock:
    """A clock that stands still until time is spent."""

    now = 0.0

    def spend(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    """Put a `Clock` in the place of the one that `Timer` and `measure` read."""
    clock = Clock()
    monkeypatch.setattr("mbsgd_lib.timer.time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock
