"""PyTorch beside the other frameworks: the course's own methods, fed with NumPy arrays.

Needs PyTorch, so it runs in the course's own environment.
"""

import numpy as np
import torch

from mbsgd_lib.blocked import Blocked
from mbsgd_lib.methods import Autograd, Loader, Manual, Optim


def fed_with_arrays(method: type) -> type:
    """Return a method that takes the arrays and the orders of `common`."""

    class Fed(method):
        def __init__(self, X: np.ndarray, y: np.ndarray, theta: np.ndarray, batch_size: int):
            super().__init__(*map(torch.from_numpy, (X, y, theta)), batch_size)

        def begin_epoch(self, order: np.ndarray) -> None:
            super().begin_epoch(torch.from_numpy(order))

    return Fed


METHODS = {
    "eager": fed_with_arrays(Autograd),
    "loader": fed_with_arrays(Loader),
    "concise": fed_with_arrays(Optim),
    "manual": fed_with_arrays(Manual),
    "blocked": fed_with_arrays(Blocked),
}
