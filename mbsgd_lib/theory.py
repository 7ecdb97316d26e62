"""What the measurements are held against: closed forms of the squared loss.

All parameters stand in one vector theta = (w, b) of length d + 1, the bias last.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mbsgd_lib.data import check_count


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


def stability_limit(
    X: Tensor,
    batch_size: int | None = None,
    *,
    kind: str = "mean-square",
    replacement: bool = False,
    seed: int = 0,
) -> float:
    """Return the learning rate from which on (minibatch) gradient descent diverges.

    For all rows at once it is 2 / λmax. With random batches there are two limits: above the
    mean-square limit the *average* over runs grows, driven by rare large errors, and only
    above the almost-sure limit does every single run.

    Parameters
    ----------
    X : Tensor, shape (n, d)
    batch_size : int, optional
        1 to n; all rows by default.
    kind : {"mean-square", "almost-sure"}
        The first is exact; the second simulated with independent draws, to about 1 %.
    replacement : bool
        Draw the rows of a batch independently; they are distinct by default.
    seed : int
        Of the simulation.

    Raises
    ------
    ValueError
        If `batch_size` or `kind` is out of range.

    References
    ----------
    Nesterov, *Introductory Lectures on Convex Optimization*, 2004, section 2.1.5. Mulayoff and
    Michaeli, "Exact mean square linear stability analysis for SGD", COLT 2024. Furstenberg and
    Kesten, "Products of random matrices", Annals of Mathematical Statistics 31(2), 1960.
    """
    if kind not in ("mean-square", "almost-sure"):
        raise ValueError(f"kind must be 'mean-square' or 'almost-sure', got {kind!r}")
    check_count("batch_size", len(X) if batch_size is None else batch_size, len(X))
    full = 2 / float(hessian_spectrum(X)[0][-1])
    if batch_size is None or (batch_size == len(X) and not replacement):
        return full
    if kind == "mean-square":
        linear, quadratic = second_moments(X, batch_size, replacement)
        return 1 / float(torch.linalg.eigvals(torch.linalg.solve(linear, quadratic)).real.max())
    low, high = 0.0, 4 * full
    for _ in range(2):  # the second look is sixteen times as close
        lrs = torch.linspace(low, high, 17, dtype=torch.float64)
        growth = lyapunov_exponents(X, batch_size, lrs, seed=seed)
        first = 1 + int((growth[1:] > 0).int().argmax())
        low, high = lrs[first - 1 : first + 1].tolist()
    below, above = growth[first - 1 : first + 1].tolist()
    return low + (high - low) * below / (below - above)


def second_moments(X: Tensor, batch_size: int, replacement: bool = False) -> tuple[Tensor, Tensor]:
    """Describe how one update changes S, the second moments of the error, on average.

    An update with learning rate lr turns S, stacked to a vector, into ``S - lr L S + lr² Q S``.
    So S stands still where Q S = L S / lr, and the mean-square limit is one over the largest
    eigenvalue of L⁻¹ Q. Directions without curvature are left out.

    Parameters
    ----------
    X : Tensor, shape (n, d)
    batch_size : int
    replacement : bool

    Returns
    -------
    L, Q : Tensor, shape (r², r²)
        In the coordinates of the r eigenvectors of the Hessian with curvature.
    """
    Z = curved_rows(X)
    n, r = Z.shape
    H, eye = Z.T @ Z / n, torch.eye(r).to(Z)
    pairs = (Z[:, :, None] * Z[:, None]).reshape(n, r * r)
    product = torch.kron(H, H)
    noise = pairs.T @ pairs / n - product
    share = variance_share(batch_size, n, replacement)
    return torch.kron(H, eye) + torch.kron(eye, H), product + share * noise


def curved_rows(X: Tensor) -> Tensor:
    """Return the rows (x, 1) along the r eigenvectors with curvature, shape (n, r), float64."""
    curvatures, V = hessian_spectrum(X)
    return with_ones(X).double() @ V[:, curvatures > 1e-12 * curvatures[-1]]


def variance_share(batch_size, n: int, replacement: bool):
    """Return the variance of a batch's mean over that of one row (Cochran 1977, section 2.6)."""
    return 1 / batch_size if replacement else (n - batch_size) / max(n - 1, 1) / batch_size


def lyapunov_exponents(
    X: Tensor, batch_size: int, lrs: Tensor, *, steps: int = 1500, seed: int = 0
) -> Tensor:
    """Return the mean growth of log |error| per update for targets without noise.

    Parameters
    ----------
    X : Tensor, shape (n, d)
    batch_size : int
        Drawn independently; each batch serves all rates.
    lrs : Tensor, shape (k,)
    steps, seed : int

    Returns
    -------
    Tensor, shape (k,)
    """
    chains = math.ceil(64 / math.sqrt(batch_size))  # the larger a batch, the steadier its chain
    generator = torch.Generator().manual_seed(seed)
    Z = curved_rows(X)
    error = torch.randn(chains, Z.shape[1], len(lrs), generator=generator).to(Z)
    growth = []
    for _ in range(steps):
        rows = torch.randint(len(Z), (chains, batch_size), generator=generator)
        batch = Z[rows]  # (chains, batch_size, r)
        error = error - lrs / batch_size * (batch.mT @ (batch @ error))
        growth.append(error.norm(dim=1, keepdim=True))
        error = error / growth[-1]
    return torch.stack(growth[steps // 10 :]).log().mean((0, 1, 2))
