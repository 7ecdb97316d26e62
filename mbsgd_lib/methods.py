# ruff: noqa: D102 (the module docstring documents the three steps)
"""One update of minibatch SGD, many ways: the same parameters, another cost.

Every method is a class with the same three steps, and `train` times the last two:
the constructor takes the data and the first parameters, ``begin_epoch(order)`` the order
of the rows, and ``update(lrs)`` does one update for each learning rate in the list.
`theta` gives the parameters (w, b), shape (d + 1,).
"""

import numpy as np
import torch
from torch import Tensor, nn

from mbsgd_lib.blocked import Blocked
from mbsgd_lib.data import data_loader, minibatches
from mbsgd_lib.theory import with_ones


def linreg(X: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Linear regression: predictions Xw + b, shape (n, 1), for X (n, d), w (d, 1), b (1,)."""
    return X @ w + b


def squared_loss(y_hat: Tensor, y: Tensor) -> Tensor:
    """Half the squared error of each example, in the shape of `y_hat`."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params: list[Tensor], states: object, hyperparams: dict) -> None:
    """Take one step down the gradient, in place, and clear the gradient.

    Parameters
    ----------
    params : list of Tensor
        With their gradients, those of the *mean* loss of the minibatch.
    states : object
        Unused: plain SGD remembers nothing. It is there because the course's source gives
        every optimizer this signature.
    hyperparams : dict
        ``{"lr": learning rate}``.
    """
    with torch.no_grad():
        for p in params:
            p -= hyperparams["lr"] * p.grad
            p.grad.zero_()


class Autograd:
    """Slices of a permutation, gradients by autograd, then `sgd`."""

    def __init__(self, X: Tensor, y: Tensor, theta: Tensor, batch_size: int):
        self.X, self.y, self.batch_size = X, y, batch_size
        self.w = theta[:-1, None].clone().requires_grad_()  # (d, 1)
        self.b = theta[-1:].clone().requires_grad_()  # (1,)

    def begin_epoch(self, order: Tensor) -> None:
        self.batches = minibatches(self.X, self.y, self.batch_size, order)

    def update(self, lrs: list[float]) -> None:
        for lr, (X, y) in zip(lrs, self.batches):  # noqa: B905 (the epoch goes on later)
            loss = squared_loss(linreg(X, self.w, self.b), y).mean()
            loss.backward()
            sgd([self.w, self.b], None, {"lr": lr})

    @property
    def theta(self) -> Tensor:
        return torch.cat([self.w[:, 0], self.b]).detach()


class Loader(Autograd):
    """As `Autograd`, but read through PyTorch's `DataLoader`: what the source does."""

    def begin_epoch(self, order: Tensor) -> None:
        self.batches = iter(data_loader(self.X, self.y, self.batch_size, order))


class Optim(Autograd):
    """The concise way: `nn.Linear`, `nn.MSELoss` and `torch.optim.SGD`."""

    def __init__(self, X: Tensor, y: Tensor, theta: Tensor, batch_size: int):
        self.X, self.y, self.batch_size = X, y, batch_size
        self.net = nn.Linear(X.shape[1], 1, device=X.device, dtype=X.dtype)
        with torch.no_grad():
            self.net.weight.copy_(theta[None, :-1])  # (1, d)
            self.net.bias.copy_(theta[-1:])
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=1.0)
        self.loss = nn.MSELoss()

    def update(self, lrs: list[float]) -> None:
        for lr, (X, y) in zip(lrs, self.batches):  # noqa: B905
            self.optimizer.param_groups[0]["lr"] = lr
            self.optimizer.zero_grad()
            loss = self.loss(self.net(X), y.reshape(-1, 1)) / 2  # MSELoss has no half
            loss.backward()
            self.optimizer.step()

    @property
    def theta(self) -> Tensor:
        return torch.cat([self.net.weight[0], self.net.bias]).detach()


class Manual:
    """The gradient by hand, Z'(Z theta - y) / b, in two PyTorch kernels."""

    def __init__(self, X: Tensor, y: Tensor, theta: Tensor, batch_size: int):
        self.Z, self.y, self.batch_size = with_ones(X), y, batch_size  # Z (n, d+1)
        self.theta = theta.clone()

    def begin_epoch(self, order: Tensor) -> None:
        self.batches = minibatches(self.Z, self.y, self.batch_size, order)

    def update(self, lrs: list[float]) -> None:
        theta = self.theta
        with torch.no_grad():
            for lr, (Z, y) in zip(lrs, self.batches):  # noqa: B905
                residual = torch.addmv(y, Z, theta, beta=-1)
                theta.addmv_(Z.T, residual, alpha=-lr / len(y))


class Numpy:
    """The same two products in NumPy."""

    def __init__(self, X: Tensor, y: Tensor, theta: Tensor, batch_size: int):
        self.Z, self.y = with_ones(X).cpu().numpy(), y.cpu().numpy()
        self.batch_size, self.weights = batch_size, theta.cpu().numpy().copy()

    def begin_epoch(self, order: Tensor) -> None:
        order, b = order.cpu().numpy(), self.batch_size
        Z, y = self.Z[order], self.y[order]
        self.batches = ((Z[i : i + b], y[i : i + b]) for i in range(0, len(y), b))

    def update(self, lrs: list[float]) -> None:
        weights = self.weights
        with np.errstate(over="ignore", invalid="ignore"):  # `train` flags divergence
            for lr, (Z, y) in zip(lrs, self.batches):  # noqa: B905
                residual = Z @ weights - y
                weights -= np.float32(lr / len(y)) * (residual @ Z)

    @property
    def theta(self) -> Tensor:
        return torch.from_numpy(self.weights)


METHODS = {
    "loader": Loader,
    "optim": Optim,
    "autograd": Autograd,
    "manual": Manual,
    "numpy": Numpy,
    "blocked": Blocked,
}
METHOD_NAMES = [*METHODS, "compiled"]
CPU_ONLY = ("numpy", "compiled")


def find_method(name: str) -> type:
    """Return the class of a method; Numba is imported only where it is asked for."""
    if name != "compiled":
        return METHODS[name]
    try:
        from mbsgd_lib.compiled import Compiled
    except ImportError as error:
        message = 'method="compiled" needs Numba, which cannot be imported here; others work'
        raise ImportError(message) from error
    return Compiled
