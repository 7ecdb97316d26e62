# ruff: noqa: D102 (the module docstring of `common` documents the three steps)
"""The course in MXNet: arrays of `mxnet.np`, gradients recorded by autograd, and Gluon.

MXNet's engine works behind the program: a call returns before its result is there. Everything
that is timed here therefore waits at its end.
"""

import functools

import numpy
from mxnet import autograd, gluon, np, npx
from mxnet.gluon import nn

from mbsgd_lib.frameworks.common import product_shape, train_with
from mbsgd_lib.table import check_count

npx.set_np()  # arrays and shapes as in NumPy, in Gluon too


def matmul_element(B: np.ndarray, C: np.ndarray) -> np.ndarray:
    """A = BC one element at a time: A[i, j] is the dot product of a row and a column."""
    A = np.zeros(product_shape(B, C))
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j] = np.dot(B[i, :], C[:, j])
    A.wait_to_read()
    return A


def matmul_column(B: np.ndarray, C: np.ndarray) -> np.ndarray:
    """A = BC one column at a time: A[:, j] = B C[:, j]."""
    A = np.zeros(product_shape(B, C))
    for j in range(A.shape[1]):
        A[:, j] = np.dot(B, C[:, j])
    A.wait_to_read()
    return A


def matmul_panel(B: np.ndarray, C: np.ndarray, width: int = 64) -> np.ndarray:
    """A = BC by panels: `width` columns of C, a "minibatch" of them, at a time."""
    check_count("width", width)
    A = np.zeros(product_shape(B, C))
    for j in range(0, A.shape[1], width):
        A[:, j : j + width] = np.dot(B, C[:, j : j + width])
    A.wait_to_read()
    return A


def matmul_whole(B: np.ndarray, C: np.ndarray) -> np.ndarray:
    """A = BC in one call."""
    product_shape(B, C)
    A = np.dot(B, C)
    A.wait_to_read()
    return A


def data_loader(
    X: np.ndarray, y: np.ndarray, batch_size: int, order: numpy.ndarray | None = None
) -> gluon.data.DataLoader:
    """Gluon's `DataLoader`, which fetches every example and stacks them to a batch.

    Parameters
    ----------
    X, y : ndarray, shapes (n, d) and (n,)
    batch_size : int
        1 to n; the short last batch is kept.
    order : ndarray of int, shape (n,), optional
        Which row comes when; by default the loader shuffles by itself.
    """
    batch_size = check_count("batch_size", batch_size, len(X))
    sampler = None if order is None else order.tolist()
    dataset = gluon.data.ArrayDataset(X, y)
    return gluon.data.DataLoader(dataset, batch_size, shuffle=order is None, sampler=sampler)


def linreg(X: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Linear regression: predictions Xw + b, shape (n, 1), for X (n, d), w (d, 1), b (1,)."""
    return np.dot(X, w) + b


def squared_loss(y_hat: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Half the squared error of each example, in the shape of `y_hat`."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params: list[np.ndarray], states: object, hyperparams: dict) -> None:
    """Take one step down the gradient, in place.

    Parameters
    ----------
    params : list of ndarray
        With their gradients, those of the *mean* loss of the minibatch; the next `backward`
        overwrites them, so nothing is cleared.
    states : object
        Unused: plain SGD remembers nothing.
    hyperparams : dict
        ``{"lr": learning rate}``.
    """
    for p in params:
        p[:] -= hyperparams["lr"] * p.grad


class Eager:
    """Slices of a permutation, gradients by autograd, then `sgd`."""

    def __init__(self, X: numpy.ndarray, y: numpy.ndarray, theta: numpy.ndarray, batch_size: int):
        self.X, self.y, self.batch_size = np.array(X), np.array(y), batch_size
        self.start(theta)

    def start(self, theta: numpy.ndarray) -> None:
        self.w, self.b = np.array(theta[:-1, None]), np.array(theta[-1:])  # (d, 1) and (1,)
        self.w.attach_grad()
        self.b.attach_grad()

    def begin_epoch(self, order: numpy.ndarray) -> None:
        rows, size = np.array(order, dtype="int32"), self.batch_size
        X, y = self.X[rows], self.y[rows]
        self.batches = ((X[i : i + size], y[i : i + size]) for i in range(0, len(y), size))

    def update(self, lrs: list[float]) -> None:
        for lr, (X, y) in zip(lrs, self.batches):  # noqa: B905 (the epoch goes on later)
            self.step(X, y, lr)
        npx.waitall()  # until here the updates may only be queued

    def step(self, X: np.ndarray, y: np.ndarray, lr: float) -> None:
        with autograd.record():
            loss = squared_loss(linreg(X, self.w, self.b), y).mean()
        loss.backward()
        sgd([self.w, self.b], None, {"lr": lr})

    @property
    def theta(self) -> numpy.ndarray:
        return numpy.append(self.w.asnumpy(), self.b.asnumpy())


class Loader(Eager):
    """As `Eager`, but read through Gluon's `DataLoader`: what the source does."""

    def begin_epoch(self, order: numpy.ndarray) -> None:
        self.batches = iter(data_loader(self.X, self.y, self.batch_size, order))


class Concise(Eager):
    """Gluon's layer, loss and `Trainer`."""

    def start(self, theta: numpy.ndarray) -> None:
        self.net, self.loss = nn.HybridSequential(), gluon.loss.L2Loss()
        self.net.add(nn.Dense(1, in_units=len(theta) - 1))
        self.net.initialize()
        self.net[0].weight.set_data(np.array(theta[None, :-1]))  # (1, d)
        self.net[0].bias.set_data(np.array(theta[-1:]))
        self.trainer = gluon.Trainer(self.net.collect_params(), "sgd", {"learning_rate": 1.0})

    def step(self, X: np.ndarray, y: np.ndarray, lr: float) -> None:
        with autograd.record():
            loss = self.loss(self.net(X), y)  # one for each example
        loss.backward()  # the gradient of their sum
        self.trainer.set_learning_rate(lr)
        self.trainer.step(len(y))  # divides by the batch size

    @property
    def theta(self) -> numpy.ndarray:
        parts = (self.net[0].weight, self.net[0].bias)
        return numpy.concatenate([part.data().asnumpy().ravel() for part in parts])


class Hybrid(Concise):
    """As `Concise`, after `hybridize`: the layer and the loss are compiled to graphs."""

    def start(self, theta: numpy.ndarray) -> None:
        super().start(theta)
        for block in (self.net, self.loss):
            block.hybridize(static_alloc=True, static_shape=True)


METHODS = {"eager": Eager, "loader": Loader, "concise": Concise, "hybrid": Hybrid}

train = functools.partial(train_with, METHODS)
