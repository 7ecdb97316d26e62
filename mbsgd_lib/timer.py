"""A clock that waits for the device, and repeated measurement."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mbsgd_lib.table import check_count

if TYPE_CHECKING:  # other frameworks are timed where there is no PyTorch
    import torch


class Timer:
    """Record any number of running times, in seconds.

    Parameters
    ----------
    device : torch.device or str, optional
        Where the work runs. A GPU returns before its work is done, so the clock first waits.

    Examples
    --------
    >>> timer = Timer()
    >>> with timer:
    ...     _ = sum(range(1000))
    >>> len(timer.times)
    1
    """

    def __init__(self, device: "torch.device | str | None" = None):
        self.times: list[float] = []
        self._started: float | None = None
        self._wait = wait_for(device)

    def _now(self) -> float:
        self._wait()
        return time.perf_counter()

    def start(self) -> None:
        """Start the clock, anew if it was running."""
        self._started = self._now()

    def stop(self) -> float:
        """Stop the clock; record and return the seconds since `start`."""
        if self._started is None:
            raise RuntimeError("stop() without start()")
        self.times.append(self._now() - self._started)
        self._started = None
        return self.times[-1]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    def sum(self) -> float:
        """Return the total of all recorded times, in seconds."""
        return sum(self.times)

    def avg(self) -> float:
        """Return the mean recorded time, in seconds."""
        if not self.times:
            raise RuntimeError("avg() before the first stop()")
        return self.sum() / len(self.times)

    def cumsum(self) -> list[float]:
        """Return the accumulated times, in seconds."""
        return np.cumsum(self.times).tolist()


def wait_for(device: "torch.device | str | None") -> Callable[[], None]:
    """Return the function that waits until `device` has done all its work."""
    if device is not None:
        import torch

        if torch.device(device).type == "cuda":
            return functools.partial(torch.cuda.synchronize, device)
    return lambda: None


@dataclass(frozen=True)
class Measurement:
    """Seconds per call of one function, measured several times.

    The minimum is the headline: noise of the machine only ever adds time.
    """

    times: tuple[float, ...]

    @property
    def min(self) -> float:
        """Shortest time: the headline."""
        return min(self.times)

    @property
    def median(self) -> float:
        """Middle time, in seconds."""
        return float(np.median(self.times))

    @property
    def iqr(self) -> float:
        """Interquartile range: how much the repeats differ, in seconds."""
        low, high = np.percentile(self.times, [25, 75])
        return float(high - low)


def measure(
    fn: Callable[[], object],
    *,
    repeats: int = 21,  # the minimum of about 21 is steady to 1%
    warmup: int = 2,
    budget: float = 2.0,
    device: "torch.device | str | None" = None,
) -> Measurement:
    """Time `fn()` after a warm-up, several times.

    Parameters
    ----------
    fn : callable without arguments
    repeats : int
        Times to record; fewer (at least one) when `budget` is spent.
    warmup : int
        Calls that are not counted.
    budget : float
        Seconds to stay within, warm-up included, where the work allows: one call that is not
        counted and one that is are made of the slowest work, too.
    device : torch.device or str, optional
        Where the work runs, see `Timer`.
    """
    check_count("repeats", repeats)
    deadline = time.perf_counter() + budget
    single = Timer(device)
    for _ in range(max(1, warmup)):
        with single:
            fn()
        if time.perf_counter() > deadline:
            break  # one call is still timed: the machine may just have stalled
    # Very short work is looped, or the clock itself would be timed.
    calls = max(1, round(2e-4 / max(min(single.times), 1e-9)))
    timer = Timer(device)
    for _ in range(repeats):
        with timer:
            for _ in range(calls):
                fn()
        if time.perf_counter() > deadline:
            break
    return Measurement(tuple(seconds / calls for seconds in timer.times))


@contextmanager
def num_threads(threads: int) -> Iterator[None]:
    """Let PyTorch use `threads` threads inside the block."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
