"""Checks of the exercises that ask for a learning rate."""

import functools
from collections.abc import Callable

import numpy as np
from torch import Tensor

from mbsgd_lib.data import load_airfoil
from mbsgd_lib.exercises.verdict import Wrong, close, number, recognize, result, table
from mbsgd_lib.expected import ExpectedLoss
from mbsgd_lib.floor import noise_floor
from mbsgd_lib.training import train

SIZES = {10: 300, 100: 30, 1000: 4}  # batch size: updates in two epochs
LR_GRID = np.geomspace(0.003, 0.9, 40)
ENOUGH = 2.5  # times the least mean loss above the optimum that any rate gives
TARGET = 0.001


@functools.cache
def exact() -> ExpectedLoss:
    """Return the exact mean losses on the airfoil data, prepared once."""
    return ExpectedLoss()


def above_optimum(batch_size: int, lr: float) -> float:
    """Return the mean loss above the optimum after two epochs; inf where it is lost."""
    loss = exact().loss(SIZES[batch_size], batch_size, lr) - exact().floor
    return loss if 0 < loss < 1 else np.inf


def check_batch_size(best_lr: object, seconds: object) -> str:
    """Check a good learning rate, and the seconds per epoch, for each of three batch sizes."""
    lrs, times = table(best_lr, (*SIZES,), "`best_lr`"), table(seconds, (*SIZES,), "`seconds`")
    for size, value in lrs.items():
        lr = number(value, f"`best_lr[{size}]`")
        if not lr > 0:
            raise Wrong(f"`best_lr[{size}]` is {lr:g}: a learning rate is positive.")
        reached = np.array([above_optimum(size, each) for each in LR_GRID])
        if not above_optimum(size, lr) <= ENOUGH * reached.min():
            small = lr < LR_GRID[reached.argmin()]
            raise Wrong(f"Batches of {size}: after two epochs {lr:g} " + (
                "is still on its way down. Try larger rates." if small else
                "stays too high above the optimum, or leaves it. Try smaller rates.") +
                " Average over some seeds, or you choose the luckiest rate.")  # fmt: skip
    check_seconds({size: number(value, f"`seconds[{size}]`") for size, value in times.items()})
    return (
        "Ten times the batch wants a rate up to ten times as large, the less the nearer the limit "
        "of gradient descent is; and an epoch gets cheaper, as it makes fewer calls."
    )


def check_seconds(times: dict[int, float]) -> None:
    """Refuse times in another unit or of another order; this machine's own set the scale."""
    if min(times.values()) <= 0:
        raise Wrong("A time per epoch is positive.")
    for size, time in times.items():
        here = min(train(size, 0.01, 1).sec_per_epoch for _ in range(2))
        if not here / 50 < time < here * 50:
            raise Wrong(
                f"An epoch with batches of {size} takes about {here:.2g} s here, and you have "
                f"{time:.2g}. Is it in seconds, and for one epoch?"
            )
    if not times[10] > times[1000]:
        raise Wrong(
            "150 updates in less time than two? Measure each several times, and take the least."
        )


def check_limit(limit: Callable) -> str:
    """Check ``limit(X)``, 2 / λmax of the Hessian with its bias, on several sets of rows."""
    table = load_airfoil().X
    for X in table, table[:50], table[200:230] + 1:
        answer = number(result(limit, X), f"`limit` of {len(X)} rows")
        if close(answer, 2 / top(X, bias=True), 1e-3):
            continue
        largest, wrong = top(X, bias=True), top(X, bias=False)
        raise recognize(answer, {
            "The bias is a parameter as well: give X a column of ones.": 2 / wrong,
            "At 1 / λ the step lands in the middle of the steepest valley. How far may it "
            "overshoot and still come nearer?": 1 / largest,
            "The loss is a mean: divide ZᵀZ by the number of rows.": 2 / largest / len(X),
            "These are the singular values of Z. The eigenvalues of ZᵀZ are their squares.":
            2 / (largest * len(X)) ** 0.5,
            "The flattest direction isn't the one that breaks first.": 2 / bottom(X),
            "That is the largest eigenvalue itself; the rate is 2 over it.": largest,
        }, f"For {len(X)} rows the limit is another. With Z = (X, 1): take the largest eigenvalue "
           "of ZᵀZ / n, for instance by `torch.linalg.eigvalsh`.")  # fmt: skip
    return "2 / λmax, on all rows and on some."


def gram(X: Tensor, bias: bool = True) -> np.ndarray:
    """Return ZᵀZ / n, with or without a column of ones."""
    Z = X.double().numpy()
    Z = np.column_stack([Z, np.ones(len(Z))]) if bias else Z
    return Z.T @ Z / len(Z)


def top(X: Tensor, bias: bool) -> float:
    """Return the largest eigenvalue of the Hessian."""
    return float(np.linalg.eigvalsh(gram(X, bias))[-1])


def bottom(X: Tensor) -> float:
    """Return the smallest eigenvalue of the Hessian."""
    return float(np.linalg.eigvalsh(gram(X))[0])


def check_floor(lr: object) -> str:
    """Check the learning rate at which batches of 10 settle 0.001 above the optimum."""
    lr = number(lr, "The learning rate")
    if not lr > 0:
        raise Wrong("A learning rate is positive.")
    reached = noise_floor(10, lr, replacement=True)
    if abs(reached / TARGET - 1) < 0.05:
        return f"At {lr:.4f} independent batches of 10 settle {reached:.2e} above the optimum."
    hints = {
        "There is a factor of 2 in it: the law has 4b below the line.": 0.5,
        "That factor belongs below the line: the law is lr · tr Σ / 4b.": 1 / 16,
        "Is this tr Σ at the start? It settles at the *optimum*, where Σ is smaller.":
        start_over_optimum(),
    }  # fmt: skip
    hint = min(hints, key=lambda h: abs(reached / TARGET - hints[h]))
    if abs(reached / TARGET / hints[hint] - 1) > 0.05:
        hint = "Solve lr · tr Σ / 4b = 0.001 for lr, with tr Σ at the optimum."
    if abs(noise_floor(10, lr) / TARGET - 1) < 0.05:
        hint = "That is the rate for a permutation. Here each row is drawn independently."
    raise Wrong(f"At {lr:.4g} the run settles {reached:.2e} above the optimum. {hint}")


def start_over_optimum() -> float:
    """Return the floor that comes of taking tr Σ at the start of training."""
    airfoil = load_airfoil()
    Z, y = np.column_stack([airfoil.X.double(), np.ones(1500)]), airfoil.y.double().numpy()
    best = np.linalg.lstsq(Z, y, rcond=None)[0]
    traces = [np.trace(np.cov(((Z @ w - y)[:, None] * Z).T)) for w in (0 * best, best)]
    return traces[1] / traces[0]
