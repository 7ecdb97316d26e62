"""Learning rates that change while training: `train` takes one wherever it takes a number.

A schedule is a function of the epochs done so far, so that it means the same at every batch
size. The updates of an epoch are spread evenly over it.
"""

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Schedule:
    """A learning rate as a function of the epochs done, with a name for the legend.

    Parameters
    ----------
    name : str
    rate : callable
        From an array of epochs to an array of learning rates.
    """

    name: str
    rate: Callable[[np.ndarray], np.ndarray]

    def __call__(self, epochs: ArrayLike) -> np.ndarray:
        """Return the learning rate of the update that starts after so many epochs."""
        epochs = np.asarray(epochs, dtype=float)
        return np.broadcast_to(self.rate(epochs), epochs.shape)

    def __str__(self) -> str:
        return self.name


def constant(lr: float) -> Schedule:
    """Return the schedule that stays at `lr`."""
    check_positive(lr=lr)
    return Schedule(f"{lr:g}", lambda epochs: np.full_like(epochs, lr))


def step_decay(lr: float, factor: float = 0.1, every: float = 1.0) -> Schedule:
    """Multiply the learning rate by `factor` after every so many epochs."""
    check_positive(lr=lr, factor=factor, every=every)
    return Schedule(f"{lr:g} × {factor:g} every {every:g}", lambda t: lr * factor ** (t // every))


def inverse_time(lr: float, half: float = 1.0) -> Schedule:
    """Decay as lr / (1 + epochs / half): half of `lr` after `half` epochs, then as 1 / t.

    References
    ----------
    Robbins and Monro, "A stochastic approximation method", Annals of Mathematical Statistics
    22(3), 1951: such a decay converges, because its sum diverges and its sum of squares doesn't.
    """
    check_positive(lr=lr, half=half)
    return Schedule(f"{lr:g} / (1 + t / {half:g})", lambda epochs: lr / (1 + epochs / half))


def cosine(lr: float, num_epochs: float) -> Schedule:
    """Fall from `lr` to zero over `num_epochs` along half a wave, and stay there.

    References
    ----------
    Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts", ICLR 2017.
    """
    check_positive(lr=lr, num_epochs=num_epochs)

    def rate(epochs):
        return lr * (1 + np.cos(math.pi * np.minimum(epochs / num_epochs, 1))) / 2

    return Schedule(f"{lr:g} cosine to {num_epochs:g}", rate)


def warm_up(lr: float | Schedule, num_epochs: float = 1.0, start: float = 0.0) -> Schedule:
    """Raise the learning rate in a straight line to that of `lr`, then follow `lr`.

    Parameters
    ----------
    lr : float or Schedule
        What to follow.
    num_epochs : float
        How long the rise takes.
    start : float
        The share of `lr` to begin with, 0 to 1.

    References
    ----------
    Goyal et al., "Accurate, large minibatch SGD: Training ImageNet in 1 hour", 2017.
    """
    after = constant(lr) if isinstance(lr, numbers.Real) else lr
    check_positive(num_epochs=num_epochs)
    if not 0 <= start <= 1:
        raise ValueError(f"start must be a number from 0 to 1, got {start!r}")

    def rate(epochs):
        return after(epochs) * (start + (1 - start) * np.minimum(epochs / num_epochs, 1))

    return Schedule(f"{after} warm-up {num_epochs:g}", rate)


def check_positive(**values: float) -> None:
    """Raise ValueError for the first of `values` that is no positive, finite number."""
    for name, value in values.items():
        try:
            valid = isinstance(value, numbers.Real) and 0 < float(value) < math.inf
        except OverflowError:  # a whole number too large for a float
            valid = False
        if not valid:
            raise ValueError(f"{name} must be a positive, finite number, got {value!r}")


def learning_rates(lr: float | Callable, updates: int, per_epoch: int) -> list[float]:
    """Return the learning rate of each update: a constant, or a schedule read off.

    Parameters
    ----------
    lr : float or callable
        A number, or a function of the epochs done such as a `Schedule`.
    updates : int
        In all epochs together.
    per_epoch : int

    Raises
    ------
    ValueError
        If a rate is negative or not finite.
    """
    largest = float(np.finfo(np.float32).max)  # a rate beyond it diverges in any case
    if not callable(lr):
        return [min(float(lr), largest)] * updates
    rates = np.asarray(lr(np.arange(updates) / per_epoch), dtype=float)
    if rates.shape != (updates,) or not (np.isfinite(rates) & (rates >= 0)).all():
        raise ValueError(f"lr must give a finite rate of at least 0 for each update, got {lr!r}")
    return rates.clip(max=largest).tolist()
