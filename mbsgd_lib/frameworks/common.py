"""What the frameworks share: the data, the draws of a seed, one entry point. NumPy only.

A method of a framework is a class with the three steps of `mbsgd_lib.methods`: the constructor
takes ``(X, y, theta, batch_size)``, all arrays float32, ``begin_epoch(order)`` the order of the
rows, and ``update(lrs)`` does one update for each learning rate in the list and returns when the
work is done, not only asked for. `theta` gives the parameters (w, b), shape (d + 1,).
"""

import functools
import math
from collections.abc import Callable, Mapping

import numpy as np

from mbsgd_lib.run import LOSS_CAP, Run, check_settings, make_run, timed_updates
from mbsgd_lib.schedules import learning_rates
from mbsgd_lib.table import standardised_table
from mbsgd_lib.timer import Timer


@functools.cache
def airfoil() -> tuple[np.ndarray, np.ndarray]:
    """Return the standardised features, shape (1500, 5), and targets, (1500,), as float32."""
    table, _, _ = standardised_table()
    return table[:, :-1].copy(), table[:, -1].copy()


def draws(seed: int, n: int, d: int, num_epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the first parameters, shape (d + 1,), and the orders, shape (num_epochs, n)."""
    rng = np.random.default_rng(seed)
    theta = np.append(0.01 * rng.standard_normal(d), 0).astype(np.float32)
    return theta, np.array([rng.permutation(n) for _ in range(num_epochs)])


def mean_loss(theta: np.ndarray) -> float:
    """Return half the mean squared error over all rows, in float64."""
    X, y = airfoil()
    theta = theta.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # `train_with` flags divergence
        return float(np.mean((X @ theta[:-1] + theta[-1] - y) ** 2) / 2)


def lowest_loss() -> float:
    """Return the loss of the least-squares fit, which no linear model can beat."""
    X, y = airfoil()
    theta, *_ = np.linalg.lstsq(np.c_[X, np.ones(len(X))], y, rcond=None)
    return mean_loss(theta)


def train_with(
    methods: Mapping[str, type],
    batch_size: int,
    lr: float | Callable,
    num_epochs: int = 2,
    *,
    method: str = "eager",
    seed: int = 0,
    orders: np.ndarray | None = None,
    theta: np.ndarray | None = None,
) -> Run:
    """Fit linear regression to the airfoil data by minibatch SGD in some framework.

    Parameters
    ----------
    methods : mapping of str to class
        The framework's ways to do an update, see the top of this file.
    batch_size : int
        1 to 1,500; the short last batch of an epoch is kept, averaged over its true size.
    lr : float or callable
        Learning rate, positive; or a schedule, as in `mbsgd_lib.train`.
    num_epochs : int
    method : str
        A key of `methods`.
    seed : int
        Of the first parameters and the orders, equal in all frameworks.
    orders : ndarray of int, shape (num_epochs, 1500), optional
        Which row comes when, in place of those of the seed.
    theta : ndarray, shape (6,), optional
        First parameters (w, b), in place of those of the seed.

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.
    """
    X, y = airfoil()
    n, d = X.shape
    check_settings(batch_size, lr, num_epochs, method, seed, n, list(methods))
    first, permutations = draws(seed, n, d, num_epochs)
    theta = check_theta(first if theta is None else theta, d)
    remaining = iter(check_orders(permutations if orders is None else orders, num_epochs, n))
    learner = methods[method](X, y, theta, int(batch_size))
    per_epoch = math.ceil(n / batch_size)
    lrs = learning_rates(lr, per_epoch * int(num_epochs), per_epoch)
    record = [(0, 0.0, mean_loss(theta))]  # updates, seconds, loss
    marks = timed_updates(learner, lrs, lambda: next(remaining), n, int(batch_size), Timer())
    for updates, seconds in marks:
        record.append((updates, seconds, mean_loss(learner.theta)))
        if not record[-1][-1] < LOSS_CAP:  # true for NaN too
            break
    settings = (int(batch_size), lr, int(num_epochs), method, int(seed), False)
    return make_run(settings, record, learner.theta, n)


def check_theta(theta: np.ndarray, d: int) -> np.ndarray:
    """Return the first parameters as float32, or raise ValueError."""
    theta = np.asarray(theta, dtype=np.float32)
    if theta.shape != (d + 1,) or not np.isfinite(theta).all():
        raise ValueError(f"theta must be {d + 1} finite numbers, (w, b), got {theta!r}")
    return theta


def check_orders(orders: np.ndarray, num_epochs: int, n: int) -> np.ndarray:
    """Return the orders as an array of row numbers, or raise ValueError."""
    orders = np.asarray(orders)
    shaped = orders.shape == (num_epochs, n) and np.issubdtype(orders.dtype, np.integer)
    if not shaped or orders.min() < 0 or orders.max() >= n:
        raise ValueError(
            f"orders must be row numbers from 0 to {n - 1}, shape {(num_epochs, n)}, "
            f"got {orders.dtype} of shape {orders.shape}"
        )
    return orders


def product_shape(B: object, C: object) -> tuple[int, int]:
    """Return the shape of BC, (m, n), or raise ValueError where there is no product."""
    if len(B.shape) != 2 or len(C.shape) != 2 or B.shape[1] != C.shape[0]:
        shapes = f"{tuple(B.shape)} and {tuple(C.shape)}"
        raise ValueError(f"B and C must have shapes (m, k) and (k, n), got {shapes}")
    return B.shape[0], C.shape[1]
