"""Each check accepts the answers that are right, and answers typical mistakes with a hint."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mbsgd_lib import epoch_order, gflop, sgd, stability_limit, train
from mbsgd_lib.exercises import CHECKS, check, contest, verdict
from mbsgd_lib.theory import with_ones

SIZES = (10, 100, 1000)
LRS = {10: 0.025, 100: 0.2, 1000: 0.75}


@pytest.fixture(scope="module")
def seconds():
    return {b: min(train(b, 0.01, 1).sec_per_epoch for _ in range(3)) for b in SIZES}


def accepts(*answers):
    result = check(*answers)
    assert result, result.message
    assert result.message
    return result


def refuses(hint, *answers):
    """Check that an answer is refused, in words that match `hint`."""
    result = check(*answers)
    assert result.state == "wrong", result
    assert re.search(hint, result.message), result.message


NUMBERS = {"batch size", "genie", "floor", "replacement"}  # asked for in place of a function
FUNCTIONS = [name for name in CHECKS if name not in NUMBERS]


@pytest.mark.parametrize("exercise", CHECKS)
def test_an_unanswered_exercise_is_open(exercise):
    wanted = {"batch size": 2, "replacement": 2, "genie": 2}.get(exercise, 1)
    result = check(exercise, *[...] * wanted)
    assert result.state == "open"
    assert not result
    assert "`...`" in result.message
    assert check(exercise, *[...] * 5).state == "wrong"  # too many, and no traceback


@pytest.mark.parametrize("exercise", FUNCTIONS)
def test_an_empty_function_is_open_and_what_is_none_is_named(exercise):
    assert check(exercise, lambda *_: ...).state == "open"
    assert check(exercise, lambda *_: None).state == "open"
    refuses("A function is expected here", exercise, 3.0)


@pytest.mark.parametrize("exercise", FUNCTIONS)
def test_what_a_function_raises_becomes_a_sentence(exercise):
    def broken(*arguments):
        raise RuntimeError("too hot")

    refuses("`broken` stopped with RuntimeError: too hot.", exercise, broken)


def test_unknown_exercise():
    with pytest.raises(ValueError, match=r"exercise must be one of .*'genie'"):
        check("genius", 1)


def test_a_verdict_is_shown_as_markdown_and_as_text():
    right = verdict.Verdict("right", "Well.")
    assert (repr(right), right._repr_markdown_()) == ("Right. Well.", "**Right.** Well.")
    assert right
    assert not verdict.Verdict("wrong", "")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("0.1", r"`'0.1'` \(str\)"), (True, "bool"), (float("nan"), "finite"),
        (torch.zeros(2), r"tensor with shape \(2,\)"), ([1], r"\(list\)"), (abs, "a function"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_named(value, hint):
    refuses(hint, "floor", value)


def test_numbers_of_every_kind_are_read():
    for kind in (float, np.float32, np.array, torch.tensor, lambda x: torch.tensor([x])):
        assert verdict.number(kind(0.5), "x") == 0.5


# 1 to 4: the source's


def test_batch_size(seconds):
    accepts("batch size", LRS, seconds)
    refuses("10: .* still on its way", "batch size", LRS | {10: 0.005}, seconds)
    refuses("100: .* Try smaller", "batch size", LRS | {100: 0.9}, seconds)
    refuses("1000: .* Try smaller", "batch size", LRS | {1000: 3.0}, seconds)
    refuses("positive", "batch size", LRS | {10: -1}, seconds)
    refuses("no entry for 1000", "batch size", {10: 0.025, 100: 0.2}, seconds)
    refuses("dictionary", "batch size", [0.025, 0.2, 0.75], seconds)
    refuses("in seconds", "batch size", LRS, {b: 1000 * t for b, t in seconds.items()})
    refuses("take the least", "batch size", LRS, dict.fromkeys(SIZES, seconds[100]))
    assert check("batch size", LRS | {10: ...}, seconds).state == "open"


def falling(order_of_lines="after an epoch", half=True, clear=True, first=1.0, fall=0.1):
    """Return a student's loop, right or with a mistake."""

    def train_falling(net, X, y, orders, lr):
        optimizer = torch.optim.SGD(net.parameters(), lr=first * lr)
        for order in orders:
            for rows in order.split(100):
                if clear:
                    optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(net(X[rows])[:, 0], y[rows])
                (loss / 2 if half else loss).backward()
                optimizer.step()
                if order_of_lines == "after an update":
                    optimizer.param_groups[0]["lr"] *= fall
            if order_of_lines == "after an epoch":
                optimizer.param_groups[0]["lr"] *= fall

    return train_falling


def test_falling_rate():
    accepts("falling rate", falling())
    refuses("stays the same", "falling rate", falling("never"))
    refuses("after every \\*update", "falling rate", falling("after an update"))
    refuses("a tenth of the rate already", "falling rate", falling(first=0.1))
    refuses("has no half", "falling rate", falling(half=False))
    refuses("zero_grad", "falling rate", falling(clear=False))
    refuses("half of `MSELoss` is missing", "falling rate", falling("never", half=False))
    refuses("Look at the shapes", "falling rate", falling(fall=0.5))


def test_replacement():
    def draw(n, generator):
        return torch.randint(n, (n,), generator=generator)

    for count in 948.5, 948, 930, len(draw(1500, torch.Generator().manual_seed(0)).unique()):
        accepts("replacement", draw, count)
    refuses("not a share", "replacement", draw, 0.632)
    refuses("never", "replacement", draw, 552)
    refuses("come twice", "replacement", draw, 1500)
    refuses("Half of them", "replacement", draw, 750)
    refuses("by a whole epoch", "replacement", draw, 1200)
    assert check("replacement", draw, ...).state == "open"

    def wrong(hint, function):
        refuses(hint, "replacement", function, 948)

    wrong("permutation", epoch_order)
    wrong("Row 19 .* never", lambda n, g: torch.randint(n - 1, (n,), generator=g))
    wrong("Row 0 .* never", lambda n, g: torch.randint(1, n, (n,), generator=g))
    wrong("no row 20", lambda n, g: torch.randint(n + 1, (n,), generator=g))
    wrong("same rows", lambda n, g: torch.zeros(n, dtype=torch.int64))
    wrong("20 row numbers", lambda n, g: torch.rand(n, generator=g))
    wrong("20 row numbers", lambda n, g: list(range(n)))
    wrong("more often", lambda n, g: torch.randint(n, (2, n), generator=g).amin(0))
    wrong("pass the generator", lambda n, g: torch.randint(n, (n,)))


GENIE = {
    "updates per epoch": (2, 2, 1),
    "work per update": (1, 1, 2),
    "work per epoch": (2, 2, 2),
    "lowest loss": (1, 1, 1),
}


def test_genie():
    accepts("genie", GENIE, 1.4995)
    accepts("genie", {key: list(map(float, row)) for key, row in GENIE.items()}, 1.5)
    refuses("updates per epoch, all rows", "genie", GENIE | {"updates per epoch": (2, 2, 2)}, 1.5)
    refuses("work per update, batches of 1:", "genie", GENIE | {"work per update": (2, 2, 2)}, 1.5)
    refuses("work per epoch", "genie", GENIE | {"work per epoch": (1, 1, 2)}, 1.5)
    refuses("It is|mean", "genie", GENIE | {"lowest loss": (2, 2, 2)}, 1.5)
    refuses("should be 3 numbers", "genie", GENIE | {"lowest loss": 1}, 1.5)
    refuses("no entry for 'lowest loss'", "genie", dict(list(GENIE.items())[:3]), 1.5)
    refuses("independent draws", "genie", GENIE, 1)
    refuses("standard deviation", "genie", GENIE, 1.2245)
    refuses("Upside down", "genie", GENIE, 0.667)
    refuses("twice the noise", "genie", GENIE, 2)
    refuses("Which N", "genie", GENIE, 7)


# Our own


def test_gflop():
    accepts("gflop", gflop)
    accepts("gflop", lambda m, k, n: (2 * k - 1) * m * n / 1e9)  # counted to the last addition
    refuses("one operation for each pair", "gflop", lambda m, k, n: m * k * n / 1e9)
    refuses("A GFLOP is a billion", "gflop", lambda m, k, n: 2 * m * k * n)
    refuses("what the source counts", "gflop", lambda m, k, n: 2)
    refuses("square matrices only", "gflop", lambda m, k, n: 2 * m**3 / 1e9)
    refuses("How many multiplications", "gflop", lambda m, k, n: 2 * (m + n) * k / 1e9)
    refuses("should be a number", "gflop", lambda m, k, n: "much")
    refuses("stopped with TypeError", "gflop", lambda n: 2 * n**3 / 1e9)


def test_short_batch():
    def right(n, b):
        updates = -(-n // b)
        last = n - (updates - 1) * b
        return updates, last, b / last

    accepts("short batch", right)
    refuses("is an update too", "short batch", lambda n, b: (n // b, n % b, b / max(n % b, 1)))
    refuses(
        "would have no rows", "short batch", lambda n, b: (n // b + 1, n % b, b / max(n % b, 1))
    )
    refuses(
        "How many of the 1500", "short batch", lambda n, b: (-(-n // b), n % b, b / (n % b or b))
    )
    refuses("Upside down", "short batch", lambda n, b: (*right(n, b)[:2], right(n, b)[1] / b))
    refuses("Compare it with", "short batch", lambda n, b: (*right(n, b)[:2], 1 / right(n, b)[1]))
    refuses("And here", "short batch", lambda n, b: (*right(n, b)[:2], 1))
    refuses("3 numbers", "short batch", lambda n, b: 24)


def test_spread():
    def right(b, n, sigma):
        return sigma * ((n - b) / (b * (n - 1))) ** 0.5

    accepts("spread", right)
    refuses("independent draws", "spread", lambda b, n, sigma: sigma / b**0.5)
    refuses("n - 1 belongs", "spread", lambda b, n, sigma: sigma * ((n - b) / n / b) ** 0.5)
    refuses("variance", "spread", lambda b, n, sigma: right(b, n, sigma) ** 2)
    refuses("all batches that there are", "spread", lambda b, n, sigma: sigma / b)


def test_sec_per_epoch():
    def right(batch_size, num_epochs):
        marks, seen = [], 0
        for _ in range(num_epochs):
            for batch in torch.zeros(1500).split(batch_size):
                seen += len(batch)
                marks += [seen] * (seen % 200 == 0)
        return marks[-1] / len(marks) / 1500

    assert [right(1, 2), right(1500, 10), right(1500, 3)] == pytest.approx([2 / 15, 2, 2])
    accepts("sec per epoch", right)
    refuses("upside down", "sec per epoch", lambda b, e: 1 / right(b, e))
    refuses("after which epochs", "sec per epoch", lambda b, e: 200 / 1500)
    refuses("Batches of 7", "sec per epoch", lambda b, e: max(200, 2 * b) / 1500)
    refuses("after every 200 rows", "sec per epoch", lambda b, e: 1.0)
    refuses("third epoch", "sec per epoch", lambda b, e: 3 if e == 3 else right(b, e))


def test_line():
    def right(b1, t1, b2, t2):
        slope = (t2 - t1) / (b2 - b1)
        return t1 - slope * b1, slope, t1 / slope - b1

    accepts("line", right)
    refuses("swapped", "line", lambda *a: (right(*a)[1], right(*a)[0], right(*a)[2]))
    refuses("counts the latency too", "line", lambda b1, t1, b2, t2: (t1, t2 / b2, t1 / t2 * b2))
    refuses("without its examples", "line", lambda *a: (a[1], *right(*a)[1:]))
    refuses("Upside down", "line", lambda *a: (*right(*a)[:2], 1 / right(*a)[2]))
    refuses("as long as the call", "line", lambda *a: (*right(*a)[:2], 1500))


def test_limit():
    def eigenvalues(X, bias=True):
        Z = with_ones(X).double() if bias else X.double()
        return torch.linalg.eigvalsh(Z.T @ Z / len(Z)).tolist()

    def top(X, bias=True):
        return eigenvalues(X, bias)[-1]

    accepts("limit", stability_limit)
    accepts("limit", lambda X: 2 / torch.linalg.matrix_norm(with_ones(X), 2) ** 2 * len(X))
    refuses("column of ones", "limit", lambda X: 2 / top(X, bias=False))
    refuses("middle of the steepest", "limit", lambda X: 1 / top(X))
    refuses("divide ZᵀZ", "limit", lambda X: 2 / top(X) / len(X))
    refuses("singular values", "limit", lambda X: 2 / (top(X) * len(X)) ** 0.5)
    refuses("eigenvalue itself", "limit", top)
    refuses("flattest", "limit", lambda X: 2 / eigenvalues(X)[0])
    refuses("another", "limit", lambda X: 0.5)


def momentum(kind="torch", clear=True):
    """Return a student's update, right or with a mistake."""

    def sgd_momentum(params, states, hyperparams):
        lr, beta = hyperparams["lr"], hyperparams["momentum"]
        with torch.no_grad():
            for p, v in zip(params, states, strict=True):
                if kind == "forgotten":
                    v = beta * v + p.grad
                elif kind == "average":
                    v[:] = beta * v + (1 - beta) * p.grad
                else:
                    v[:] = beta * v + (lr if kind == "inside" else 1) * p.grad
                step = p.grad + beta * v if kind == "nesterov" else v
                p -= step if kind == "inside" else lr * step
                if clear:
                    p.grad.zero_()

    return sgd_momentum


def test_momentum():
    accepts("momentum", momentum())
    refuses("plain SGD", "momentum", momentum("forgotten"))
    refuses("plain SGD", "momentum", sgd)
    refuses("an average", "momentum", momentum("average"))
    refuses("multiplied in at the step", "momentum", momentum("inside"))
    refuses("Nesterov", "momentum", momentum("nesterov"))
    refuses("not cleared", "momentum", momentum(clear=False))

    def without_no_grad(params, states, hyperparams):
        for p in params:
            p -= hyperparams["lr"] * p.grad

    refuses("under `torch.no_grad", "momentum", without_no_grad)

    def uphill(params, states, hyperparams):
        sgd(params, states, {"lr": -hyperparams["lr"]})

    refuses("v ← βv", "momentum", uphill)


def accumulation(share="rows", half=2, step="once", rows_at_once=None, clear="once"):
    """Return a student's loop over parts, right or with a mistake."""

    def accumulate(net, optimizer, X, y, rows):
        optimizer.zero_grad()
        parts = list(zip(X.split(rows_at_once or rows), y.split(rows_at_once or rows), strict=True))
        for Xi, yi in parts:
            if clear == "each" or step == "each":
                optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(net(Xi)[:, 0], yi) / half
            weight = {"rows": len(yi) / len(y), "parts": 1 / len(parts), "none": 1}[share]
            (weight * loss).backward()
            if step == "each":
                optimizer.step()
        if step == "once":
            optimizer.step()

    return accumulate


def test_accumulation():
    accepts("accumulation", accumulation())
    refuses("too long as there are parts", "accumulation", accumulation("none"))
    refuses("the last one has fewer rows", "accumulation", accumulation("parts"))
    refuses("three updates", "accumulation", accumulation("none", step="each"))
    refuses("Only the last part", "accumulation", accumulation("none", clear="each"))
    refuses("Only the last part counts, with", "accumulation", accumulation(clear="each"))
    refuses("has no half", "accumulation", accumulation(half=1))
    refuses("saw 25 rows at once", "accumulation", accumulation(rows_at_once=25))
    refuses("Clear the gradient once", "accumulation", accumulation(half=5))


def test_floor():
    accepts("floor", 0.0122)
    accepts("floor", torch.tensor(0.0123))
    for off in (-0.04, 0.04):  # the check allows 5 %
        accepts("floor", 0.012242 * (1 + off))
        refuses("Solve lr", "floor", 0.012242 * (1 + 1.5 * off))
    refuses("factor of 2", "floor", 0.0062)
    refuses("below the line", "floor", 0.00077)
    refuses("at the start", "floor", 0.00596)
    refuses("for a permutation", "floor", 0.0205)
    refuses("settles inf", "floor", 2.0)
    refuses("Solve lr", "floor", 0.1)
    refuses("positive", "floor", -0.01)


def test_look_ahead():
    def solve(Z, y, theta, lr, sign=1, mask=lambda G: G.tril(-1)):
        eye = torch.eye(len(y), dtype=Z.dtype)
        return torch.linalg.solve(eye + sign * lr * mask(Z @ Z.T), Z @ theta - y)

    accepts("look-ahead", solve)
    accepts("look-ahead", lambda *a: solve(*a)[:, None].numpy())
    refuses("first parameters", "look-ahead", lambda Z, y, theta, lr: Z @ theta - y)
    refuses("has the diagonal", "look-ahead", lambda *a: solve(*a, mask=torch.tril))
    refuses("with a plus", "look-ahead", lambda *a: solve(*a, sign=-1))
    refuses("wrong triangle", "look-ahead", lambda *a: solve(*a, mask=lambda G: G.triu(1)))
    refuses("not y - z'θ", "look-ahead", lambda *a: -solve(*a))
    refuses("by hand", "look-ahead", lambda Z, y, theta, lr: y)
    refuses("3 elements", "look-ahead", lambda Z, y, theta, lr: theta)
    refuses("should be a tensor", "look-ahead", lambda *_: "r")


# The contest: under a clock on which every update takes as long as any other


@pytest.fixture
def track(monkeypatch):
    ticks = iter(range(10**9))
    clock = SimpleNamespace(perf_counter=lambda: next(ticks) / 1024)
    monkeypatch.setattr(contest, "time", clock)
    small = contest.Course(copies=4)
    monkeypatch.setattr(contest, "course", lambda: small)
    n = len(small.y)
    rivals = {name: (min(b, n), lr) for name, (b, lr) in contest.RIVALS.items()}
    monkeypatch.setattr(contest, "RIVALS", rivals)
    return small


def test_contest_ranks_by_the_loss_at_the_end(track):
    n = len(track.y)
    first = accepts("contest", lambda passed: (n, 0.94 if passed < 0.7 else 0.5))
    assert "You win" in first.message
    assert first.message.count("\n|") == 2 + 7
    refuses("(?s)Rank 7 of 7.*lost", "contest", lambda passed: (1, 30.0))
    refuses("best of both", "contest", lambda passed: (1, 0.001))
    tie = accepts("contest", lambda passed: (n, 0.8))  # as the best rival does
    assert "Second of 7" in tie.message


def test_contest_is_as_described(monkeypatch):
    assert contest.COPIES * 1500 == 600_000
    assert contest.SECONDS == 0.05
    assert len(contest.RIVALS) == 6
    small, starts = contest.Course(copies=1), []
    monkeypatch.setattr(contest.Course, "run", lambda *_: 1 / len(starts.append(0) or starts))
    assert (small.race(None, 1), len(starts)) == (1 / 5, 5)  # the best of five runs


def test_contest_goes_on_while_there_is_time(track):
    asked = []

    def plan(passed):
        asked.append(passed)
        return 10, 0.1

    assert track.run(plan, 0.05) < 0.1
    assert len(asked) == 51
    assert asked == sorted(asked)
    assert asked[-1] < 1
    assert track.height(torch.full((6,), float("nan"))) == float("inf")


def test_contest_names_what_is_no_step(track):
    refuses("2 numbers", "contest", lambda passed: 10)
    refuses("from 1 to 6,000", "contest", lambda passed: (0, 0.1))
    refuses("from 1 to 6,000", "contest", lambda passed: (10.0, 0.1))
    refuses("must be positive", "contest", lambda passed: (10, 0))
    refuses("ZeroDivisionError", "contest", lambda passed: (10, 1 / int(passed < 0.5)))
