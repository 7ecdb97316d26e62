"""How large a learning rate may be: limits of full-batch and of minibatch gradient descent."""

import math

import torch
from torch import Tensor

from mbsgd_lib.table import check_count
from mbsgd_lib.theory import hessian_spectrum, with_ones


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
        The first is exact; the second simulated with independent draws, to about 1%.
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
    X: Tensor, batch_size: int, lrs: Tensor, *, steps: int = 750, seed: int = 0
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
    chains = math.ceil(128 / math.sqrt(batch_size))  # the larger a batch, the steadier its chain
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
    return torch.stack(growth[steps // 5 :]).log().mean((0, 1, 2))
