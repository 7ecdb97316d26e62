"""The noise floor: how far above the optimum a constant learning rate keeps the loss."""

import math

import torch
from torch import Tensor

from mbsgd_lib.noise import Data, airfoil_data, example_gradients
from mbsgd_lib.schedules import check_positive
from mbsgd_lib.stability import second_moments, stability_limit, variance_share
from mbsgd_lib.table import check_count
from mbsgd_lib.theory import hessian_spectrum, least_squares


def noise_floor(
    batch_size: int, lr: float, *, replacement: bool = False, data: Data | None = None
) -> float:
    """Predict the mean loss above the optimum once a run at constant `lr` has settled.

    For independent draws it is exact at every rate: about lr tr Σ / (4 batch_size) at small
    ones, infinite from the mean-square limit on. A permutation's errors cancel within each
    epoch; its floor takes the noise as it is at the optimum, which holds for small rates.

    Parameters
    ----------
    batch_size : int
        1 to n.
    lr : float
    replacement : bool
    data : (X, y), optional
        The airfoil data by default.

    References
    ----------
    Mandt, Hoffman and Blei, "Stochastic gradient descent as approximate Bayesian inference",
    JMLR 18(134), 2017. Gürbüzbalaban, Ozdaglar and Parrilo, "Why random reshuffling beats
    stochastic gradient descent", Mathematical Programming 186, 2021.
    """
    X, y = data or airfoil_data()
    check_count("batch_size", batch_size, len(X))
    check_positive(lr=lr)
    best = least_squares(X, y)
    curvatures, V = hessian_spectrum(X)
    curved = curvatures > 1e-12 * curvatures[-1]  # the others neither move nor count
    curvatures, V = curvatures[curved], V[:, curved]
    gradients = example_gradients(best.w, best.b, data=(X, y)) @ V  # (n, r)
    noise = gradients.T @ gradients / len(X) * variance_share(batch_size, len(X), replacement)
    if not replacement:
        variance = permutation_variance(lr * curvatures, math.ceil(len(X) / batch_size))
        return float(lr**2 * (curvatures * noise.diag() * variance).sum() / 2)
    if lr >= stability_limit(X, batch_size, replacement=True):
        return math.inf
    linear, quadratic = second_moments(X, batch_size, replacement=True)
    errors = torch.linalg.solve(linear - lr * quadratic, lr * noise.reshape(-1))  # (r²,)
    return float(curvatures @ errors.reshape(noise.shape).diag() / 2)


def permutation_variance(rates: Tensor, updates: int) -> Tensor:
    """Return the mean variance over an epoch of e ← (1 - rate) e + ξ, for each rate.

    The ξ of one epoch have variance 1 and sum to zero, as the batches of a permutation do, so
    that each pair of them has the correlation -1 / (updates - 1).

    Parameters
    ----------
    rates : Tensor, shape (r,)
        Learning rate times curvature, in (0, 2).
    updates : int
        In one epoch.
    """
    kept = (1 - rates)[:, None] ** torch.arange(updates + 1).to(rates)  # (r, updates + 1)
    rho = 1 / max(updates - 1, 1)
    squares, sums = kept[:, :-1].square().cumsum(1), kept[:, :-1].cumsum(1)
    within = (1 + rho) * squares - rho * sums**2  # by this epoch's ξ, (r, updates)
    before = within[:, -1:] / (1 - kept[:, -1:] ** 2)  # at the end of an epoch
    return (within + kept[:, 1:] ** 2 * before).mean(1)
