"""A race against the clock: the lowest loss within a few hundredths of a second."""

import functools
import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.exercises.verdict import NotYet, Wrong, act, is_open, number, several
from mbsgd_lib.growth import grown_airfoil
from mbsgd_lib.theory import Quadratic, with_ones

SECONDS = 0.05
COPIES = 400
Plan = Callable[[float], tuple[int, float]]

RIVALS: dict[str, tuple[int, float]] = {  # batch size and learning rate, the same all the time
    "batches of 1": (1, 0.01),
    "batches of 10": (10, 0.05),
    "batches of 100": (100, 0.2),
    "batches of 1,000": (1000, 0.5),
    "batches of 10,000": (10_000, 0.8),
    "all rows": (1500 * COPIES, 0.9),
}


class Course:
    """The data that all contestants train on, shuffled, and the height of a loss above the best.

    Parameters
    ----------
    copies : int
        Of the airfoil data; all but the first have features moved by 0.05 at random.
    """

    def __init__(self, copies: int = COPIES):
        X, y = grown_airfoil(copies, jitter=0.05)
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
        self.Z, self.y = with_ones(X)[order], y[order]  # (n, 6), (n,)
        self.quadratic = Quadratic(self.Z[:, :-1], self.y)
        self.best = self.quadratic.loss(torch.linalg.solve(self.quadratic.H, self.quadratic.g))

    def height(self, theta: Tensor) -> float:
        """Return the loss above the lowest one; inf for a run that is lost."""
        loss = self.quadratic.loss(theta) - self.best
        return max(loss, 0.0) if math.isfinite(loss) else math.inf

    def run(self, plan: Plan, seconds: float) -> float:
        """Train for so many seconds as the plan says, and return the height at the end.

        The plan is asked before every update, with the share of the time that has passed; what
        it takes to answer counts.
        """
        theta, at, n = torch.zeros(self.Z.shape[1]), 0, len(self.y)
        start = time.perf_counter()
        with torch.no_grad():
            while (passed := (time.perf_counter() - start) / seconds) < 1:
                size, lr = plan(passed)
                at = at if at + size <= n else 0
                rows = self.Z[at : at + size]
                residual = torch.addmv(self.y[at : at + size], rows, theta, beta=-1)
                theta.addmv_(rows.T, residual, alpha=-lr / size)
                at += size
        return self.height(theta)

    def race(self, plan: Plan, seconds: float, repeats: int = 5) -> float:
        """Return the least height of several runs: others are slowed down by a busy machine."""
        return min(self.run(plan, seconds) for _ in range(repeats))


course = functools.cache(Course)


def check_contest(plan: Plan, seconds: float = SECONDS) -> str:
    """Let a plan, ``plan(passed) -> (batch_size, lr)``, race against those that never change."""
    track = course()
    for passed in 0.0, 0.5, 0.99:
        check_step(plan, passed, len(track.y))
    track.race(lambda _: (100, 0.1), seconds / 5, 1)  # warm up
    heights = {name: track.race(lambda _, s=s: s, seconds) for name, s in RIVALS.items()}
    heights["**your plan**"] = act(track.race, plan, seconds)
    ranking = sorted(heights, key=heights.get)
    rank = 1 + ranking.index("**your plan**")
    rows = "\n".join(f"| {i} | {name} | {show(heights[name])} |"
                     for i, name in enumerate(ranking, start=1))  # fmt: skip
    board = f"\n\n| rank | plan | loss above the lowest |\n|--:|:--|--:|\n{rows}"
    if rank == 1:
        return f"You win: no constant plan gets as low in {seconds:g} s.{board}"
    if rank == 2:
        return f"Second of {len(ranking)}. Almost; the first place is still to be had.{board}"
    raise Wrong(
        f"Rank {rank} of {len(ranking)}. "
        + ("The plan diverges: lower its rate. " if math.isinf(heights["**your plan**"]) else "")
        + "Small batches are fast at first and then stop at their noise floor; large ones are "
        f"slow and go on. What would have the best of both?{board}"
    )


def check_step(plan: Plan, passed: float, n: int) -> None:
    """Refuse a plan that doesn't give a batch size and a learning rate."""
    step = act(plan, passed)
    if is_open(step):
        raise NotYet
    size, lr = several(step, 2, f"`plan({passed:g})`, a batch size and a learning rate,")
    if size != int(size) or not 1 <= size <= n or not isinstance(step[0], int | np.integer):
        raise Wrong(
            f"The batch size must be an `int` from 1 to {n:,}; at {passed:g} it is {step[0]!r}."
        )
    if not number(lr, "The learning rate") > 0:
        raise Wrong(f"At {passed:g} the learning rate is {lr:g}: it must be positive.")


def show(height: float) -> str:
    """Write a height for the board."""
    return "lost" if math.isinf(height) or height > 1e3 else f"{height:.1e}"
