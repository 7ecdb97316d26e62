# ruff: noqa: D102 (the module docstring of `common` documents the three steps)
"""The course in TensorFlow: variables, gradient tapes, tf.data and graphs made by tf.function."""

import functools

import numpy as np
import tensorflow as tf

from mbsgd_lib.frameworks.common import product_shape, train_with
from mbsgd_lib.table import check_count

# No number of rows is named, so one graph serves batches of every size.
BATCH = [tf.TensorSpec([None, None]), tf.TensorSpec([None]), tf.TensorSpec([])]  # X, y, lr
BATCHES = [tf.TensorSpec([None] * ndim) for ndim in (3, 2, 1)]  # many of them


def matmul_element(B: tf.Variable, C: tf.Variable) -> tf.Variable:
    """A = BC one element at a time: A[i, j] is the dot product of a row and a column."""
    A = tf.Variable(tf.zeros(product_shape(B, C)))
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j].assign(tf.tensordot(B[i, :], C[:, j], axes=1))
    return A


def matmul_column(B: tf.Variable, C: tf.Variable) -> tf.Variable:
    """A = BC one column at a time: A[:, j] = B C[:, j]."""
    A = tf.Variable(tf.zeros(product_shape(B, C)))
    for j in range(A.shape[1]):
        A[:, j].assign(tf.tensordot(B, C[:, j], axes=1))
    return A


def matmul_panel(B: tf.Variable, C: tf.Variable, width: int = 64) -> tf.Variable:
    """A = BC by panels: `width` columns of C, a "minibatch" of them, at a time."""
    check_count("width", width)
    A = tf.Variable(tf.zeros(product_shape(B, C)))
    for j in range(0, A.shape[1], width):
        A[:, j : j + width].assign(tf.tensordot(B, C[:, j : j + width], axes=1))
    return A


def matmul_whole(B: tf.Variable, C: tf.Variable) -> tf.Variable:
    """A = BC in one call."""
    A = tf.Variable(tf.zeros(product_shape(B, C)))
    A.assign(tf.tensordot(B, C, axes=1))
    return A


def load_array(X: np.ndarray, y: np.ndarray, batch_size: int, order: np.ndarray) -> tf.data.Dataset:
    """Read minibatches through tf.data: the rows in the given order, a short last batch kept."""
    dataset = tf.data.Dataset.from_tensor_slices((X[order], y[order]))
    return dataset.batch(check_count("batch_size", batch_size, len(X)))


def linreg(X: tf.Tensor, w: tf.Variable, b: tf.Variable) -> tf.Tensor:
    """Linear regression: predictions Xw + b, shape (n, 1), for X (n, d), w (d, 1), b (1,)."""
    return tf.matmul(X, w) + b


def squared_loss(y_hat: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Half the squared error of each example, shape (n, 1) as `y_hat`."""
    return (y_hat - tf.reshape(y, (-1, 1))) ** 2 / 2


def sgd(params: list, grads: list, states: object, hyperparams: dict) -> None:
    """Take one step down the gradients of the *mean* loss, in place; plain SGD has no states."""
    for param, grad in zip(params, grads, strict=True):
        param.assign_sub(hyperparams["lr"] * grad)


class Eager:
    """Batches from tf.data, gradients by a tape, then `sgd`: what the source does."""

    def __init__(self, X: np.ndarray, y: np.ndarray, theta: np.ndarray, batch_size: int):
        self.X, self.y, self.batch_size = X, y, batch_size
        self.start(theta)

    def start(self, theta: np.ndarray) -> None:
        self.w = tf.Variable(theta[:-1, None])  # (d, 1)
        self.b = tf.Variable(theta[-1:])  # (1,)

    def begin_epoch(self, order: np.ndarray) -> None:
        self.batches = iter(load_array(self.X, self.y, self.batch_size, order))

    def update(self, lrs: list[float]) -> None:
        for lr, (X, y) in zip(lrs, self.batches):  # noqa: B905 (the epoch goes on later)
            self.step(X, y, lr)

    def step(self, X: tf.Tensor, y: tf.Tensor, lr: float) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(squared_loss(linreg(X, self.w, self.b), y))
        params = [self.w, self.b]
        sgd(params, tape.gradient(loss, params), None, {"lr": lr})

    @property
    def theta(self) -> np.ndarray:
        return np.append(self.w.numpy(), self.b.numpy())


class Concise(Eager):
    """Keras: a layer, a loss and an optimizer."""

    def start(self, theta: np.ndarray) -> None:
        self.net = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        self.net.build((None, len(theta) - 1))
        self.net.set_weights([theta[:-1, None], theta[-1:]])
        self.loss = tf.keras.losses.MeanSquaredError()
        self.optimizer = tf.keras.optimizers.SGD(learning_rate=1.0)

    def step(self, X: tf.Tensor, y: tf.Tensor, lr: float) -> None:
        self.optimizer.learning_rate = lr
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.net(X)) / 2  # MeanSquaredError has no half
        params = self.net.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, params), params, strict=True))

    @property
    def theta(self) -> np.ndarray:
        return np.concatenate([array.ravel() for array in self.net.get_weights()])


class Function(Eager):
    """As `Eager`, but the whole update is one graph, traced once, before the first batch."""

    def start(self, theta: np.ndarray) -> None:
        super().start(theta)
        self.step = tf.function(self.step, input_signature=BATCH)
        self.step.get_concrete_function()


class Epoch(Eager):
    """All updates of an epoch, or up to the next mark, in one graph with a loop of its own.

    The batches in the loop have one shape, so a short last one gets a call to itself.
    """

    xla = False

    def start(self, theta: np.ndarray) -> None:
        super().start(theta)
        self.loop = tf.function(self.loop, input_signature=BATCHES, jit_compile=self.xla)
        self.loop.get_concrete_function()

    def begin_epoch(self, order: np.ndarray) -> None:
        self.rest = self.X[order], self.y[order]

    def update(self, lrs: list[float]) -> None:
        lrs = np.array(lrs, np.float32)
        while len(lrs):
            X, y = self.rest
            size = min(self.batch_size, len(y))
            k = min(len(y) // size, len(lrs))  # batches of this size
            now, self.rest = (X[: k * size], y[: k * size]), (X[k * size :], y[k * size :])
            self.loop(now[0].reshape(k, size, -1), now[1].reshape(k, size), lrs[:k])
            lrs = lrs[k:]

    def loop(self, X: tf.Tensor, y: tf.Tensor, lrs: tf.Tensor) -> None:
        for i in tf.range(tf.size(lrs)):  # AutoGraph makes it a loop of the graph
            self.step(X[i], y[i], lrs[i])


class Xla(Epoch):
    """As `Epoch`, but XLA compiles the graph, anew for each number and size of batches."""

    xla = True

    def start(self, theta: np.ndarray) -> None:
        super().start(theta)
        shape = len(self.y) // self.batch_size, self.batch_size  # of all full batches
        zeros = [np.zeros(s, np.float32) for s in ((*shape, self.X.shape[1]), shape, shape[:1])]
        self.loop(*zeros)  # compiles, and changes nothing: the learning rates are zero


METHODS = {"eager": Eager, "concise": Concise, "function": Function, "epoch": Epoch, "xla": Xla}

train = functools.partial(train_with, METHODS)
