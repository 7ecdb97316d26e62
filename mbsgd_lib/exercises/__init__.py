"""Checks that tell a student whether an answer is right, in words.

Each check knows its exercise by a closed form, by counting, or by a reference of its own in
float64; none of them uses the solution that the course prints.
"""

import inspect

from mbsgd_lib.exercises.contest import check_contest
from mbsgd_lib.exercises.counting import (
    check_gflop,
    check_line,
    check_sec_per_epoch,
    check_short_batch,
    check_spread,
)
from mbsgd_lib.exercises.loops import check_accumulation, check_falling_rate
from mbsgd_lib.exercises.rates import check_batch_size, check_floor, check_limit
from mbsgd_lib.exercises.sampling import check_genie, check_replacement
from mbsgd_lib.exercises.updates import check_look_ahead, check_momentum
from mbsgd_lib.exercises.verdict import NotYet, Verdict, Wrong, is_open

CHECKS = {
    "batch size": check_batch_size,
    "falling rate": check_falling_rate,
    "replacement": check_replacement,
    "genie": check_genie,
    "gflop": check_gflop,
    "short batch": check_short_batch,
    "spread": check_spread,
    "sec per epoch": check_sec_per_epoch,
    "line": check_line,
    "limit": check_limit,
    "momentum": check_momentum,
    "accumulation": check_accumulation,
    "floor": check_floor,
    "look-ahead": check_look_ahead,
    "contest": check_contest,
}
OPEN = "Put your answer in the place of the `...`, run the cell, and check again."


def check(exercise: str, *answers: object) -> Verdict:
    """Say whether the answers to an exercise are right, and if not, why.

    Parameters
    ----------
    exercise : str
        A key of `CHECKS`.
    *answers : object
        Functions, numbers or dictionaries, in the order of the exercise's starting cell. While
        one of them is ``...``, the exercise counts as not answered.

    Returns
    -------
    Verdict
        True if the answer is right; shown as a sentence. A wrong answer raises nothing.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    if exercise not in CHECKS:
        raise ValueError(f"exercise must be one of {list(CHECKS)}, got {exercise!r}")
    wanted = [
        p.name
        for p in inspect.signature(CHECKS[exercise]).parameters.values()
        if p.default is p.empty
    ]
    if len(answers) != len(wanted):
        return Verdict("wrong", f"This check takes {', '.join(wanted)}: {len(wanted)} in all.")
    if any(map(is_open, answers)):
        return Verdict("open", OPEN)
    try:
        return Verdict("right", CHECKS[exercise](*answers))
    except NotYet:
        return Verdict("open", OPEN)
    except Wrong as wrong:
        return Verdict("wrong", str(wrong))
