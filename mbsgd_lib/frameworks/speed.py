"""How fast the frameworks are: one update at the source's batch sizes, and the products."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from mbsgd_lib.frameworks.common import airfoil, draws
from mbsgd_lib.processor import processor
from mbsgd_lib.timer import measure

SIZES = (1, 10, 100, 1500)  # batch sizes of the source, where the frameworks are compared
PART = 50  # updates that show how slow a method is
SLOW = 1e-4  # seconds an update, from which on they are enough of it
BUDGET = 0.3  # seconds for a measurement, where the work allows


def us_per_update(methods: Mapping[str, type], method: str, batch_size: int) -> float:
    """Return the microseconds of one update, reading the data included: the minimum.

    Timed are whole epochs (of a slow method, the first `PART` updates of one), each after the
    gather of its order, without evaluations and after a first pass that isn't counted.
    """
    X, y = airfoil()
    theta, orders = draws(0, len(X), X.shape[1], 1)
    learner = methods[method](X, y, theta, batch_size)

    def seconds(updates):
        def run():
            learner.begin_epoch(orders[0])
            learner.update([1e-3] * updates)

        run()  # compiles where there is something to compile, which may outlast the budget
        return measure(run, warmup=1, budget=BUDGET).min / updates

    per_epoch = math.ceil(len(X) / batch_size)
    part = min(PART, per_epoch)
    result = seconds(part)
    return 1e6 * (result if part == per_epoch or result > SLOW else seconds(per_epoch))


def gflops(product: Callable[..., object], B: object, C: object, *extra: object) -> float:
    """Return the speed of ``product(B, C, *extra)`` in GFLOP/s (minimum of the repeats).

    The product must have been computed when the function returns. For a slow way give some rows of
    B: every row takes the same work, and the speed is that of the whole product.
    """
    work = 2 * B.shape[0] * B.shape[1] * C.shape[1] / 1e9
    return work / measure(lambda: product(B, C, *extra), budget=BUDGET).min


def timings(
    framework: str, version: str, methods: Mapping[str, type], products: Mapping[str, float]
) -> dict:
    """Return what the comparison shows of a framework: plain text and numbers.

    Parameters
    ----------
    framework, version : str
    methods : mapping of str to class
        Timed here, at each batch size of `SIZES`.
    products : mapping of str to float
        GFLOP/s of the matrix product by way: "element", "column", "panel", "whole".
    """
    return {
        "framework": framework,
        "version": version,
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "us_per_update": {
            method: {str(size): us_per_update(methods, method, size) for size in SIZES}
            for method in methods
        },
        "gflops": dict(products),
    }
