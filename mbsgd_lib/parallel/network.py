"""What data parallelism costs: a latency-bandwidth model of the ring all-reduce.

In a ring of N workers each sends 2 (N - 1) messages, every one an N-th of the gradient: once
around to add up, once around to hand out the sums. A message costs a latency and, for its
bytes, a share of the bandwidth.

References
----------
Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations",
Journal of Parallel and Distributed Computing 69(2), 2009.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mbsgd_lib.table import check_count


class Network(NamedTuple):
    """Latency in seconds a message, bandwidth in bytes a second."""

    latency: float
    bandwidth: float

    def all_reduce(self, workers: int, nbytes: float) -> float:
        """Return the seconds until every worker has the sum of all vectors of `nbytes`."""
        check_count("workers", workers)
        return 2 * (workers - 1) * (self.latency + nbytes / workers / self.bandwidth)

    def efficiency(self, workers: int, nbytes: float, compute: float) -> float:
        """Return the share of an update that is computation, if nothing overlaps.

        Parameters
        ----------
        workers : int
        nbytes : float
            Of the gradient: 4 for each parameter in float32.
        compute : float
            Seconds that a worker computes on its share of the batch.
        """
        return compute / (compute + self.all_reduce(workers, nbytes))


def fit_network(
    workers: int | Sequence[int], nbytes: Sequence[float], seconds: Sequence[float]
) -> Network:
    """Fit latency and bandwidth to measured times, by least squares of the *relative* error.

    Parameters
    ----------
    workers : int or sequence of int
        At least 2; one for all points, or one each.
    nbytes, seconds : sequence of float
        Two sizes or more.

    Raises
    ------
    ValueError
        If the times do not grow with the size, so that no bandwidth can be seen in them.
    """
    nbytes, seconds = np.asarray(nbytes, float), np.asarray(seconds, float)
    messages = 2 * (np.asarray(workers) - 1) / seconds
    columns = [messages * np.ones_like(nbytes), messages * nbytes / np.asarray(workers)]
    weighted = np.stack(columns, axis=1)  # (points, 2)
    latency, per_byte = np.linalg.lstsq(weighted, np.ones_like(seconds), rcond=None)[0]
    if min(latency, per_byte) <= 0:
        raise ValueError("seconds must grow with nbytes, from a positive start")
    return Network(float(latency), float(1 / per_byte))
