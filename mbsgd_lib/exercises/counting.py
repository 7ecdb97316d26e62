"""Checks of the exercises that take pencil and paper."""

import itertools
import math
from collections.abc import Callable

import numpy as np

from mbsgd_lib.exercises.verdict import Wrong, close, number, recognize, result, several

ROWS = 1500


def check_gflop(gflop: Callable) -> str:
    """Check ``gflop(m, k, n)``, the work of an (m, k) by (k, n) product in 1e9 operations."""
    for m, k, n in (256, 256, 256), (2, 3, 5), (1500, 6, 1):
        answer = number(result(gflop, m, k, n), f"`gflop({m}, {k}, {n})`")
        if close(answer, 2 * m * k * n / 1e9) or close(answer, (2 * k - 1) * m * n / 1e9):
            continue
        raise recognize(answer, {
            "You count one operation for each pair of numbers that meet. "
            "They are multiplied, and the product is added to a sum.": m * k * n / 1e9,
            "You count operations. A GFLOP is a billion of them.": 2 * m * k * n,
            "This is what the source counts: 2, whatever the size of the matrices.": 2,
            "This is right for square matrices only; here the three sizes differ.": 2 * m**3 / 1e9,
        }, f"For ({m}, {k}) times ({k}, {n}): the product has {m} · {n} elements. "
           f"How many multiplications and additions does each of them take?")  # fmt: skip
    return "Each of the m · n elements is a sum of k products: 2mkn operations."


def check_short_batch(last_batch: Callable) -> str:
    """Check ``last_batch(n, b)``: updates per epoch, rows in the last, and what one counts."""
    for n, b in (1500, 64), (1503, 10), (1500, 100), (10, 10):
        call = f"`last_batch({n}, {b})`"
        updates, rows, weight = several(result(last_batch, n, b), 3, call)
        last = n - (math.ceil(n / b) - 1) * b
        if updates != math.ceil(n / b):
            raise Wrong(
                f"{call} gives {updates:g} updates, but {n} rows don't fit into them. "
                "The short batch is an update too."
                if updates < math.ceil(n / b) else
                f"{call} gives {updates:g} updates: one of them would have no rows."
            )  # fmt: skip
        if rows != last:
            raise Wrong(
                f"{call} says that the last batch has {rows:g} rows. "
                f"How many of the {n} are left for it after {updates - 1:g} full batches?"
            )
        if not close(weight, b / last):
            raise recognize(weight, {
                "Upside down: in a batch of fewer rows each one counts for more.": last / b,
                "That is the share of one row in its own batch. Compare it with the share of a row "
                "in a full batch.": 1 / last,
            }, f"{call}: a row of a full batch is 1/{b} of its mean. And here?")  # fmt: skip
    return "A row of the short batch moves the parameters b / (rows in it) times as far as others."


def printed_over_true(batch_size: int, num_epochs: int) -> float:
    """Go through the source's loop and return its "sec/epoch" over the true seconds."""
    seen, stops = 0, []
    for _ in range(num_epochs):
        for start in range(0, ROWS, batch_size):
            seen += min(batch_size, ROWS - start)
            if seen % 200 == 0:
                stops.append(seen)
    return float(np.diff([0, *stops]).mean() / ROWS)


def check_sec_per_epoch(printed: Callable) -> str:
    """Check ``printed(batch_size, num_epochs)``, the source's sec/epoch over the true one."""
    hints = {
        (1, 2): "With batches of one the source looks at the loss after every 200 rows.",
        (1500, 10): "With all rows at once, after which epochs is the number of rows seen a "
        "multiple of 200?",
        (1500, 3): "The third epoch is trained, but no look at the loss follows it.",
        (7, 2): "Batches of 7 rarely end at a multiple of 200. Go through the loop and count.",
    }
    for case, hint in hints.items():
        answer, true = number(result(printed, *case), f"`printed{case}`"), printed_over_true(*case)
        if close(answer, 1 / true) and not close(true, 1):
            raise Wrong(f"`printed{case}` is upside down: printed over true is asked for.")
        if not close(answer, true, 1e-3):
            raise Wrong(f"`printed{case}` gives {answer:.4g}. {hint}")
    return (
        "7.5 times too low for batches of one, twice too high for gradient descent: a bias of 15 "
        "between them."
    )


def check_spread(spread: Callable) -> str:
    """Check ``spread(b, n, sigma)`` against every batch that there is of six numbers."""
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    n, sigma = len(values), values.std()
    for b in range(1, n + 1):
        answer = number(result(spread, b, n, sigma), f"`spread({b}, {n}, {sigma:.2f})`")
        true = np.std([np.mean(batch) for batch in itertools.combinations(values, b)])
        if abs(answer - true) < 1e-9 * sigma:
            continue
        raise recognize(answer, {
            "That is the law for independent draws. Distinct rows of a small table know of each "
            f"other. What must come out for b = n = {n}?": sigma / b**0.5,
            "Nearly: this is n where n - 1 belongs. Try b = 1, where the spread must be that of "
            "the rows.": sigma * ((n - b) / n / b) ** 0.5,
            "That is the variance. The standard deviation is its square root.": true**2,
        }, f"For batches of {b} out of the numbers {values.astype(int).tolist()} the standard "
           f"deviation of the mean is {true:.3f}, over all batches that there are. "
           f"Yours is {answer:.3f}.")  # fmt: skip
    return "It agrees with all 63 batches that can be made of six numbers."


def check_line(line: Callable) -> str:
    """Check ``line(b1, t1, b2, t2)``: latency, seconds per example, and where they are equal."""
    for latency, per_example in (2e-5, 4e-9), (1e-4, 1e-6):
        points = [(b, latency + per_example * b) for b in (1, 1500)]
        (b1, t1), (b2, t2) = points
        got = several(result(line, b1, t1, b2, t2), 3, "What `line` returns")
        if close(got[0], per_example) and close(got[1], latency):
            raise Wrong("The first two are swapped: first the latency, then the time per example.")
        if not close(got[1], per_example):
            raise Wrong(
                "The time per example isn't right. How much longer does the larger batch take, "
                "and how many more examples has it? (Time over batch size counts the latency too.)"
            )
        if not close(got[0], latency):
            raise Wrong("The latency is what is left of the first time without its examples.")
        if not close(got[2], latency / per_example):
            raise recognize(got[2], {
                "Upside down: latency over time per example is a number of examples.":
                per_example / latency,
            }, "The third: at which batch size do the rows take as long as the call?")  # fmt: skip
    return "Below the third number a batch pays mostly for the call, above it for its rows."
