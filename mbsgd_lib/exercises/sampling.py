"""Checks of the exercises on how rows are drawn: with replacement, and twice."""

from collections.abc import Callable

import torch
from torch import Tensor

from mbsgd_lib.exercises.verdict import (
    Wrong,
    close,
    describe,
    number,
    recognize,
    result,
    several,
    table,
)

ROWS = 1500


def check_replacement(draw: Callable, different: object) -> str:
    """Check ``draw(n, generator)``, an epoch of independent draws, and how many rows it holds."""
    check_draws(draw)
    count = number(different, "The number of different rows")
    never = ROWS * (1 - 1 / ROWS) ** ROWS
    if abs(count - (ROWS - never)) < 45:  # one epoch, counted, is off by 12 or so
        return (
            f"About {never / ROWS:.0%} of the rows are missing from each epoch, and others come "
            "twice or more."
        )
    if 0 < count <= 1:
        raise Wrong("A number of rows is asked for, not a share of them.")
    if abs(count - never) < 45:
        raise Wrong("That many rows are *never* drawn in an epoch.")
    raise recognize(count, {
        "That is a permutation. Here some rows come twice, so others can't come at all.": ROWS,
        "Half of them? A row is missed with probability 1 - 1/n in each of n draws.": ROWS / 2,
    }, "A row is missed by one draw with probability 1 - 1/n, and by a whole epoch with …? "
       "Or draw an epoch and count: `len(order.unique())`.")  # fmt: skip


def check_draws(draw: Callable) -> None:
    """Refuse anything but n independent draws from all row numbers."""
    generator = torch.Generator().manual_seed(0)
    orders = []
    for _ in range(600):
        order = result(draw, 20, generator)
        if not isinstance(order, Tensor) or order.shape != (20,) or order.is_floating_point():
            raise Wrong(
                f"`draw(20, generator)` should give a tensor of 20 row numbers; it gives "
                f"{describe(order)}."
            )
        orders.append(order)
    drawn = torch.stack(orders).long()
    if drawn.min() < 0 or drawn.max() > 19:
        raise Wrong(f"There is no row {int(drawn.max())} among 20: they count from 0 to 19.")
    if (drawn.sort(1).values == torch.arange(20)).all():
        raise Wrong("Each row comes exactly once in an epoch: that is a permutation.")
    if (drawn == drawn[0]).all():
        raise Wrong("Each epoch draws the same rows. Draw anew, from the generator given.")
    counts = torch.bincount(drawn.flatten(), minlength=20)
    if counts.min() == 0:
        raise Wrong(f"Row {int(counts.argmin())} of 20 is never drawn. Where does the range end?")
    if (counts - 600).abs().max() > 150:  # six standard deviations
        raise Wrong("Some rows come clearly more often than others. All should be equally likely.")
    if not torch.equal(draw(20, torch.Generator().manual_seed(0)), orders[0]):
        raise Wrong("The same seed should give the same rows: pass the generator on.")


GENIE = {  # for batches of 1, of 100 and of all rows: the true factors, and a hint
    "updates per epoch": (
        (2, 2, 1),
        "An epoch is a pass over all rows, now 3,000. How many batches is that, of each kind?",
    ),
    "work per update": (
        (1, 1, 2),
        "How many rows does an update look at? Only one of the three knows how many there are.",
    ),
    "work per epoch": ((2, 2, 2), "Each epoch looks at every row once, however it is cut."),
    "lowest loss": (
        (1, 1, 1),
        "The loss is a *mean*. Write it down with every term twice, divided by 2n.",
    ),
}


def check_genie(factors: object, variance: object) -> str:
    """Check by which factors the copies change each quantity, and the noise of 750 rows."""
    rows = table(factors, tuple(GENIE), "`factors`")
    names = "batches of 1", "batches of 100", "all rows"
    for key, (true, hint) in GENIE.items():
        for name, answer, right in zip(names, several(rows[key], 3, key), true, strict=True):
            if not close(answer, right):
                raise Wrong(f"{key}, {name}: the factor is not {answer:g}. {hint}")
    n, b = ROWS, 750
    alone, doubled = (n - b) / (n - 1), (2 * n - b) / (2 * n - 1)
    answer = number(variance, "`variance`")
    if close(answer, doubled / alone, 5e-3):
        return (
            "The genie changes the bookkeeping, not the problem. What it does change is the "
            "noise of a permutation: two copies in one batch say the same thing twice."
        )
    raise recognize(answer, {
        "That would be so for independent draws. Here the 750 are distinct places of a list in "
        "which every row stands twice.": 1,
        "That is the factor of the standard deviation. The variance is its square.":
        (doubled / alone) ** 0.5,
        "Upside down: with copies the noise grows.": alone / doubled,
        "Half the sampling fraction doesn't mean twice the noise: compare (N - b) / (N - 1) for "
        "N = 1,500 and N = 3,000.": 2,
    }, "The variance goes with (N - b) / (N - 1). Which N is it now?", rtol=5e-3)  # fmt: skip
