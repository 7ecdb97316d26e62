"""Checks of the exercises in which a student writes a training loop."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from mbsgd_lib.exercises.reference import cut, descend, gradient, new_net, parameters, problem
from mbsgd_lib.exercises.verdict import NotYet, Wrong, act, close, recognize


def check_falling_rate(train_falling: Callable) -> str:
    """Check ``train_falling(net, X, y, orders, lr)``: batches of 100, lr / 10 after each epoch."""
    X, y = problem(250)
    orders = [torch.randperm(250, generator=torch.Generator().manual_seed(s)) for s in range(3)]
    net, lr = new_net(), 0.2
    act(train_falling, net, X, y, orders, lr)
    got, start = parameters(net), parameters(new_net())
    if close(got, start):
        raise NotYet
    batches = [batch for order in orders for batch in cut(X[order], y[order], 100)]
    epoch = np.repeat([0, 1, 2], 3)
    falling = lr * 0.1**epoch
    if close(got, descend(batches, falling)):
        return "The parameters after three epochs are those of 0.2, 0.02 and 0.002."
    raise recognize(got, {
        "Your learning rate stays the same in all epochs.": descend(batches, np.full(9, lr)),
        "Your learning rate falls after every *update*. Move the line out of the inner loop.":
        descend(batches, lr * 0.1 ** np.arange(9)),
        "Your first epoch has a tenth of the rate already. Lower it *after* an epoch.":
        descend(batches, falling / 10),
        "Your gradient is twice too long: `MSELoss` has no half.":
        descend(batches, falling, scale=2),
        "Your gradients add up from update to update: `optimizer.zero_grad()` is missing.":
        descend(batches, falling, keep=True),
        "Your rate doesn't fall, and the half of `MSELoss` is missing.":
        descend(batches, np.full(9, lr), scale=2),
    }, "The parameters are others than those of batches of 100 in the given orders, at 0.2, 0.02 "
       "and 0.002. Look at the shapes of `net(X)` and `y`, at the order of the rows, and at the "
       "last batch, which is short.")  # fmt: skip


class Watched(nn.Module):
    """A layer that notes how many rows it was shown at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.most = new_net(), 0

    def forward(self, X: Tensor) -> Tensor:
        """Predict, and remember the number of rows."""
        self.most = max(self.most, len(X))
        return self.layer(X)


def check_accumulation(accumulate: Callable) -> str:
    """Check ``accumulate(net, optimizer, X, y, rows)``: one update, few rows at a time."""
    (X, y), net = problem(25), Watched()
    act(accumulate, net, torch.optim.SGD(net.parameters(), lr=0.1), X, y, 10)
    got, start = parameters(net), parameters(new_net())
    if close(got, start):
        raise NotYet
    parts, whole = cut(X, y, 10), cut(X, y, 25)[0]
    each = [gradient(*part, start) for part in parts]
    true = start - 0.1 * gradient(*whole, start)
    if close(got, true) and net.most > 10:
        raise Wrong(f"The update is right, but the net saw {net.most} rows at once, not 10.")
    if close(got, true):
        return "One step of 25 rows, and the net never saw more than 10 of them."
    raise recognize(got, {
        "The gradients of the parts are means, and you add them up: the step is about as many "
        "times too long as there are parts.": start - 0.1 * sum(each),
        "You give each part the same weight, but the last one has fewer rows.":
        start - 0.1 * sum(each) / 3,
        "You step after every part: these are three updates with small batches.":
        descend(parts, [0.1] * 3),
        "Only the last part counts: the gradient is cleared within the loop.":
        start - 0.1 * each[-1],
        "The step is twice too long: `MSELoss` has no half.":
        start - 0.2 * gradient(*whole, start),
        "Only the last part counts, with its weight: the gradient is cleared within the loop.":
        start - 0.1 * each[-1] * 5 / 25,
    }, "The parameters are not those of one update with all 25 rows. Clear the gradient once, "
       "add up each part's gradient with its share of the rows, and step once.")  # fmt: skip
