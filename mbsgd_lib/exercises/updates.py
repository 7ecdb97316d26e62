"""Checks of the exercises in which a student writes an update."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mbsgd_lib.exercises.reference import problem
from mbsgd_lib.exercises.verdict import NotYet, Wrong, act, close, recognize, result, vector
from mbsgd_lib.theory import with_ones


def velocity_steps(gradients: Tensor, lrs: list[float], beta: float, kind: str) -> np.ndarray:
    """Apply momentum in one of several ways to given gradients, (steps, 6), from zero on."""
    p, v = torch.zeros(6, dtype=torch.float64), torch.zeros(6, dtype=torch.float64)
    for g, lr in zip(gradients, lrs, strict=True):
        if kind == "inside":
            v = beta * v + lr * g
            p = p - v
            continue
        v = beta * v + (1 - beta if kind == "average" else 1) * g
        p = p - lr * (g if kind == "plain" else g + beta * v if kind == "nesterov" else v)
    return p.numpy()


def check_momentum(sgd_momentum: Callable) -> str:
    """Check ``sgd_momentum(params, states, hyperparams)`` against `torch.optim.SGD`."""
    gradients = torch.randn(6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    lrs, beta = [0.1, 0.1, 0.1, 0.02, 0.02, 0.02], 0.9
    params = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in [(5, 1), 1]]
    states = [torch.zeros_like(p, requires_grad=False) for p in params]
    twins = [p.detach().clone().requires_grad_() for p in params]
    optimizer = torch.optim.SGD(twins, lr=0.1, momentum=beta)
    for g, lr in zip(gradients, lrs, strict=True):
        for w, b in params, twins:
            w.grad, b.grad = g[:5, None].clone(), g[5:].clone()
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        act(sgd_momentum, params, states, {"lr": lr, "momentum": beta})
        if any(p.grad is not None and p.grad.any() for p in params):
            if not any(p.any() for p in params):
                raise NotYet
            raise Wrong("The gradient is not cleared after the step, so the next one adds to it.")
    got, true = (torch.cat([w[:, 0], b]).detach().numpy() for w, b in (params, twins))
    if close(got, true):
        return "Six updates agree with `torch.optim.SGD(momentum=0.9)`."
    kinds = {
        "This is plain SGD: the velocity is forgotten between two calls. `v = …` makes a new "
        "tensor; `v[:] = …` or `v.mul_(…)` changes the one in `states`.": "plain",
        "Your velocity is an average, (1 - β) of the gradient. PyTorch adds the whole gradient.":
        "average",
        "This agrees as long as the learning rate stays the same. PyTorch's velocity holds no "
        "learning rate; it is multiplied in at the step.": "inside",
        "This is Nesterov's momentum. PyTorch's default steps along the velocity itself.":
        "nesterov",
    }  # fmt: skip
    mistakes = {m: velocity_steps(gradients, lrs, beta, kind) for m, kind in kinds.items()}
    raise recognize(got, mistakes, "The parameters are others than those of `torch.optim.SGD`. "
                    "One step is: v ← βv + g, then p ← p - lr · v.")  # fmt: skip


def check_look_ahead(residuals: Callable) -> str:
    """Check ``residuals(Z, y, theta, lr)``, those that SGD with batches of one would meet."""
    for rows in 3, 8:
        X, y = problem(rows, seed=rows)
        Z, theta, lr = with_ones(X), torch.linspace(-1, 1, 6, dtype=torch.float64), 0.1
        got = vector(result(residuals, Z, y, theta, lr), rows, "What `residuals` returns")
        w, true = theta.clone(), []
        for z, target in zip(Z, y, strict=True):
            true.append(float(z @ w - target))
            w -= lr * true[-1] * z
        if close(got, true):
            continue
        now, eye, gram = Z @ theta - y, torch.eye(rows, dtype=torch.float64), Z @ Z.T
        solve = torch.linalg.solve
        raise recognize(got, {
            "These are the residuals at the first parameters. Each update changes what the rows "
            "after it meet.": now,
            "Your matrix has the diagonal of ZZᵀ in it: no row waits for itself.":
            solve(eye + lr * gram.tril(), now),
            "The sign: the sum stands with a minus on the right, so with a plus on the left.":
            solve(eye - lr * gram.tril(-1), now),
            "The wrong triangle: a row waits for those *before* it.":
            solve(eye + lr * gram.triu(1), now),
            "The sign of the residuals: z'θ - y, not y - z'θ.": -np.array(true),
        }, f"For {rows} rows these are not the residuals of {rows} single updates. "
           "Do it by hand: r₁, then r₂ = z₂'θ₀ - y₂ - lr (z₂'z₁) r₁, then r₃.")  # fmt: skip
    return "These are the residuals of SGD with batches of one, to the last digits."
