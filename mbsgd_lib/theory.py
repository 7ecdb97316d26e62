"""What the measurements are held against: closed forms of the squared loss.

All parameters stand in one vector theta = (w, b) of length d + 1, the bias last.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Quadratic:
    """The mean squared loss of linear regression, as the quadratic that it is.

    With Z = (X, 1) of shape (n, d + 1) the loss is
    ``theta' H theta / 2 - g' theta + c / 2`` with H = Z'Z / n, g = Z'y / n, c = y'y / n,
    so that after one pass over the data each evaluation costs (d + 1)² operations.

    Parameters
    ----------
    X : Tensor, shape (n, d)
    y : Tensor, shape (n,)
    """

    def __init__(self, X: Tensor, y: Tensor):
        Z, y = with_ones(X).double(), y.double()
        self.H = Z.T @ Z / len(Z)  # (d+1, d+1)
        self.g = Z.T @ y / len(Z)  # (d+1,)
        self.c = float(y @ y / len(Z))

    def loss(self, theta: Tensor) -> float:
        """Return the mean of (prediction - y)² / 2 over all rows."""
        theta = theta.to(self.H)
        # theta' (H theta / 2 - g) in two calls: it is computed at every mark of a run
        return float(torch.addmv(self.g, self.H, theta, beta=-1, alpha=0.5) @ theta) + self.c / 2


def with_ones(X: Tensor) -> Tensor:
    """Append a column of ones for the bias: (n, d) to (n, d + 1)."""
    return torch.cat([X, torch.ones_like(X[:, :1])], dim=1)


class LeastSquares(NamedTuple):
    """The best linear fit: weights (d,), bias, and its loss, the floor of every run."""

    w: Tensor
    b: float
    loss: float


def least_squares(X: Tensor, y: Tensor) -> LeastSquares:
    """Solve linear regression in closed form, in float64.

    Parameters
    ----------
    X : Tensor, shape (n, d)
    y : Tensor, shape (n,)
    """
    quadratic = Quadratic(X, y)
    # The pseudo-inverse also serves columns that depend on each other, on any device.
    theta = torch.linalg.pinv(quadratic.H, hermitian=True) @ quadratic.g
    return LeastSquares(theta[:-1], float(theta[-1]), quadratic.loss(theta))


def hessian_spectrum(X: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of the Hessian of the mean squared loss, bias included.

    Parameters
    ----------
    X : Tensor, shape (n, d)

    Returns
    -------
    eigenvalues : Tensor, shape (d + 1,)
        In ascending order: the curvature along each eigenvector.
    eigenvectors : Tensor, shape (d + 1, d + 1)
        One a column.
    """
    return tuple(torch.linalg.eigh(Quadratic(X, X[:, 0]).H))
