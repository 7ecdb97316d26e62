# ruff: noqa: D102 (the module docstring of `common` documents the three steps)
"""The course in JAX: pure functions of arrays that never change, transformed by `grad` and `jit`.

The parameters are a pytree, ``{"w": (d, 1), "b": (1,)}``. A call may return before its result is
there, so everything that is timed here waits at its end.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax

from mbsgd_lib.frameworks.common import product_shape, train_with
from mbsgd_lib.table import check_count

Params = dict[str, Array]


def matmul_element(B: Array, C: Array, rows: int | None = None) -> Array:
    """A = BC one element at a time: A[i, j] is the dot product of a row and a column.

    Only the first `rows` rows are computed, all by default. The others stay zero: every `set`
    makes a new copy of A, so an A of fewer rows would cost less for each element.
    """
    A = jnp.zeros(product_shape(B, C))
    for i in range(A.shape[0] if rows is None else check_count("rows", rows, A.shape[0])):
        for j in range(A.shape[1]):
            A = A.at[i, j].set(jnp.dot(B[i, :], C[:, j]))
    return A.block_until_ready()


def matmul_column(B: Array, C: Array) -> Array:
    """A = BC one column at a time: A[:, j] = B C[:, j]."""
    A = jnp.zeros(product_shape(B, C))
    for j in range(A.shape[1]):
        A = A.at[:, j].set(jnp.dot(B, C[:, j]))
    return A.block_until_ready()


def matmul_panel(B: Array, C: Array, width: int = 64) -> Array:
    """A = BC by panels: `width` columns of C, a "minibatch" of them, at a time."""
    check_count("width", width)
    A = jnp.zeros(product_shape(B, C))
    for j in range(0, A.shape[1], width):
        A = A.at[:, j : j + width].set(jnp.dot(B, C[:, j : j + width]))
    return A.block_until_ready()


def matmul_whole(B: Array, C: Array) -> Array:
    """A = BC in one call."""
    product_shape(B, C)  # a ValueError where there is no product
    return jnp.dot(B, C).block_until_ready()


def linreg(params: Params, X: Array) -> Array:
    """Linear regression: predictions Xw + b, shape (n, 1), for X of shape (n, d)."""
    return X @ params["w"] + params["b"]


def squared_loss(y_hat: Array, y: Array) -> Array:
    """Half the squared error of each example, in the shape of `y_hat`."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def mean_loss(params: Params, X: Array, y: Array) -> Array:
    """Mean loss of a minibatch: one number, which can be differentiated."""
    return squared_loss(linreg(params, X), y).mean()


def sgd(params: Params, grads: Params, lr: float) -> Params:
    """Return the parameters one step down the gradient; nothing is changed in place."""
    return jax.tree.map(lambda p, g: p - lr * g, params, grads)


def step(params: Params, X: Array, y: Array, lr: float) -> Params:
    """Return the parameters after one update."""
    return sgd(params, jax.grad(mean_loss)(params, X, y), lr)


jit_step = jax.jit(step)

sgd_of_optax = optax.inject_hyperparams(optax.sgd)(learning_rate=1.0)  # can be set later


@jax.jit
def optax_step(params: Params, state: optax.OptState, X: Array, y: Array) -> tuple:
    """Return parameters and optimizer state after one update by optax."""
    grads = jax.grad(mean_loss)(params, X, y)
    updates, state = sgd_of_optax.update(grads, state, params)
    return optax.apply_updates(params, updates), state


def weighted_loss(params: Params, X: Array, y: Array, weights: Array) -> Array:
    """Loss of a minibatch where each example has its weight, zero for a filler."""
    return jnp.sum(weights * squared_loss(linreg(params, X), y)[:, 0])


@jax.jit
def scan_steps(params: Params, X: Array, y: Array, weights: Array, lrs: Array) -> Params:
    """Return the parameters after one update for each slice along the first axis."""

    def body(params, batch):
        *examples, lr = batch
        return sgd(params, jax.grad(weighted_loss)(params, *examples), lr), None

    params, _ = lax.scan(body, params, (X, y, weights, lrs))
    return params


class Eager:
    """Slices of a permutation, `step` without `jit`: each operation is sent by its own."""

    step = staticmethod(step)

    def __init__(self, X: np.ndarray, y: np.ndarray, theta: np.ndarray, batch_size: int):
        self.X, self.y, self.batch_size = X, y, batch_size
        self.params = {"w": jnp.array(theta[:-1, None]), "b": jnp.array(theta[-1:])}

    def begin_epoch(self, order: np.ndarray) -> None:
        X, y, size = self.X[order], self.y[order], self.batch_size
        self.batches = ((X[i : i + size], y[i : i + size]) for i in range(0, len(y), size))

    def update(self, lrs: list[float]) -> None:
        for lr, (X, y) in zip(lrs, self.batches):  # noqa: B905 (the epoch goes on later)
            self.params = self.step(self.params, X, y, lr)
        jax.block_until_ready(self.params)  # until here the updates may only be on their way

    @property
    def theta(self) -> np.ndarray:
        return np.append(self.params["w"], self.params["b"])


class Jit(Eager):
    """As `Eager`, but the whole update is compiled to one call."""

    step = staticmethod(jit_step)


class Concise(Eager):
    """The optimizer of optax, its update compiled too."""

    def __init__(self, X: np.ndarray, y: np.ndarray, theta: np.ndarray, batch_size: int):
        super().__init__(X, y, theta, batch_size)
        self.state = sgd_of_optax.init(self.params)

    def step(self, params: Params, X: np.ndarray, y: np.ndarray, lr: float) -> Params:
        self.state.hyperparams["learning_rate"] = np.float32(lr)
        params, self.state = optax_step(params, self.state, X, y)
        return params


class Scan(Eager):
    """All updates of an epoch, or up to the next mark, in one compiled loop.

    Its batches must have one shape, so a short last one is filled up with examples of weight 0.
    """

    def begin_epoch(self, order: np.ndarray) -> None:
        n, size = len(order), self.batch_size
        batches = -(-n // size)  # rounded up
        counts = np.minimum(size, n - size * np.arange(batches))[:, None]  # true sizes
        rows = np.resize(order, (batches, size))
        weights = ((np.arange(size) < counts) / counts).astype(np.float32)
        self.batches = self.X[rows], self.y[rows], weights  # (k, b, d), (k, b), (k, b)
        self.done = 0

    def update(self, lrs: list[float]) -> None:
        now = slice(self.done, self.done + len(lrs))
        batches = (array[now] for array in self.batches)
        self.params = scan_steps(self.params, *batches, np.array(lrs, np.float32))
        jax.block_until_ready(self.params)
        self.done = now.stop


METHODS = {"eager": Eager, "concise": Concise, "jit": Jit, "scan": Scan}

train = functools.partial(train_with, METHODS)
