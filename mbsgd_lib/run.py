"""The record of one training run."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

LOSS_CAP = 1e6  # a run that gets here has diverged; nothing is gained by going on


@dataclass(eq=False)
class Run:
    """One training run: its settings, its record and its last parameters.

    Attributes
    ----------
    updates, examples : ndarray of int, shape (m,)
        Counted at each mark: the start, the first update at or past each multiple of 200
        examples, and the end.
    epochs : ndarray, shape (m,)
        Passes over the data.
    seconds : ndarray, shape (m,)
        Time spent training; evaluating the loss is not counted.
    loss : ndarray, shape (m,)
        Mean squared loss over *all* rows; always finite, capped at 1e6.
    w : Tensor, shape (d,)
    b : float
    diverged : bool
        The run ended no better than it began. A run at the cap stops early.
    device : str
        Where the updates were computed.
    """

    batch_size: int
    lr: float | Callable
    num_epochs: int
    method: str
    seed: int
    replacement: bool
    updates: np.ndarray
    examples: np.ndarray
    epochs: np.ndarray
    seconds: np.ndarray
    loss: np.ndarray
    w: Tensor
    b: float
    diverged: bool
    device: str = "cpu"

    @property
    def final_loss(self) -> float:
        """Loss at the last mark."""
        return float(self.loss[-1])

    @property
    def sec_per_epoch(self) -> float:
        """Training seconds for one pass over the data."""
        return float(self.seconds[-1] / self.epochs[-1])

    @property
    def label(self) -> str:
        """Name of the run in a legend."""
        lr = self.lr if callable(self.lr) else f"{self.lr:g}"
        return f"batch size {self.batch_size}, lr {lr}"

    def seconds_to(self, target: float) -> float:
        """Return the seconds to the first mark with a loss of at most `target`, or inf."""
        reached = np.flatnonzero(self.loss <= target)
        return float(self.seconds[reached[0]]) if len(reached) else math.inf
