"""Gradient descent in NumPy and float64, with the mistakes that are easily made in it."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from mbsgd_lib.theory import with_ones


def problem(rows: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return random data of five features, X (rows, 5) and y (rows,), float64."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(rows, 5, generator=generator, dtype=torch.float64)
    return X, X.sum(1) + torch.randn(rows, generator=generator, dtype=torch.float64)


def new_net() -> nn.Linear:
    """Return a linear layer, float64, with the same first parameters every time."""
    net = nn.Linear(5, 1, dtype=torch.float64)
    with torch.no_grad():
        net.weight.copy_(torch.linspace(-0.2, 0.3, 5)[None])
        net.bias.fill_(0.1)
    return net


def parameters(net: nn.Module) -> np.ndarray:
    """Return all parameters as one vector, the bias last."""
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()]).numpy()


def gradient(Z: np.ndarray, y: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean of (z'theta - y)² / 2."""
    return Z.T @ (Z @ theta - y) / len(y)


def descend(
    batches: list[tuple], lrs: Iterable[float], *, scale: float = 1.0, keep: bool = False
) -> np.ndarray:
    """Do one update a batch and return the parameters; `keep` forgets to clear the gradient."""
    theta, total = parameters(new_net()), 0.0
    for (Z, y), lr in zip(batches, lrs, strict=True):
        total = scale * gradient(Z, y, theta) + (total if keep else 0.0)
        theta = theta - lr * total
    return theta


def cut(X: Tensor, y: Tensor, size: int) -> list[tuple]:
    """Cut data into batches (Z, y) of NumPy arrays, Z with a column of ones."""
    Z = with_ones(X)
    return [(a.numpy(), b.numpy()) for a, b in zip(Z.split(size), y.split(size), strict=True)]
