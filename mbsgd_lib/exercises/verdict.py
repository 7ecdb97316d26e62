"""What a check answers, and how it reads what a student hands in: in words, never a traceback."""

import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

HEADS = {"right": "Right.", "wrong": "Not right yet.", "open": "Not answered yet."}


class Wrong(Exception):  # noqa: N818 (an answer, no error of the program)
    """The answer is not right; the message says why, and gives a hint."""


class NotYet(Exception):  # noqa: N818
    """Nothing was handed in."""


@dataclass(frozen=True)
class Verdict:
    """What a check says about an answer; true if the answer is right.

    Attributes
    ----------
    state : {"right", "wrong", "open"}
    message : str
        In Markdown.
    """

    state: str
    message: str

    def __bool__(self) -> bool:
        return self.state == "right"

    def __repr__(self) -> str:
        return f"{HEADS[self.state]} {self.message}"

    def _repr_markdown_(self) -> str:
        return f"**{HEADS[self.state]}** {self.message}"


def is_open(answer: object) -> bool:
    """Say whether an answer, or any part of it, is still the ``...`` of the starting cell."""
    parts = answer.values() if isinstance(answer, Mapping) else answer
    if isinstance(answer, Mapping | list | tuple):
        return any(map(is_open, parts))
    return answer is None or answer is ...


def describe(value: object) -> str:
    """Name what a value is, in plain words."""
    if isinstance(value, Tensor | np.ndarray):
        kind = "tensor" if isinstance(value, Tensor) else "array"
        return f"of kind {kind} with shape {tuple(value.shape)}"
    if callable(value):
        return "a function"
    text = repr(value)
    return f"`{text if len(text) < 40 else text[:36] + ' …'}` ({type(value).__name__})"


def number(value: object, name: str) -> float:
    """Read a finite number: Python's, NumPy's or a tensor of one element."""
    if isinstance(value, Tensor | np.ndarray | np.generic) and math.prod(value.shape) == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise Wrong(f"{name} should be a number, but it is {describe(value)}.")
    if not math.isfinite(value):
        raise Wrong(f"{name} should be a finite number, but it is {value}.")
    return float(value)


def several(value: object, count: int, name: str) -> list[float]:
    """Read `count` numbers in a tuple, a list or an array."""
    if isinstance(value, Tensor | np.ndarray):
        value = value.tolist()
    if not isinstance(value, tuple | list) or len(value) != count:
        raise Wrong(f"{name} should be {count} numbers, like `(1, 2, …)`; it is {describe(value)}.")
    return [number(each, f"Number {i} of {name}") for i, each in enumerate(value, start=1)]


def vector(value: object, length: int, name: str) -> np.ndarray:
    """Read a tensor or an array of shape (length,), or (length, 1), as float64."""
    if isinstance(value, Tensor):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"{name} should be a tensor, but it is {describe(value)}.") from None
    if array.size != length:
        raise Wrong(f"{name} should have {length} elements, but its shape is {array.shape}.")
    return array.reshape(-1)


def table(value: object, keys: tuple, name: str) -> dict:
    """Read a dictionary that has all of `keys`."""
    if not isinstance(value, Mapping):
        raise Wrong(f"{name} should be a dictionary, but it is {describe(value)}.")
    if missing := [key for key in keys if key not in value]:
        raise Wrong(f"{name} has no entry for {missing[0]!r}.")
    return {key: value[key] for key in keys}


def act(function: Callable, *arguments: object) -> object:
    """Call a student's function; whatever it raises becomes a sentence."""
    if not callable(function):
        raise Wrong(f"A function is expected here, but this is {describe(function)}.")
    name = getattr(function, "__name__", "your function")
    try:
        return function(*arguments)
    except Exception as error:
        hint = "; put the update under `torch.no_grad()`" if "leaf Variable" in str(error) else ""
        reason = str(error).strip().rstrip(".")
        raise Wrong(f"`{name}` stopped with {type(error).__name__}: {reason}{hint}.") from None


def result(function: Callable, *arguments: object) -> object:
    """Call a student's function and return what it returns; nothing means no answer yet."""
    value = act(function, *arguments)
    if is_open(value):
        raise NotYet
    return value


def close(a: object, b: object, rtol: float = 1e-5) -> bool:
    """Say whether two numbers or arrays agree, relative to the larger entries of the second."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return bool(a.shape == b.shape and np.abs(a - b).max() <= rtol * np.abs(b).max())


def recognize(
    answer: object, mistakes: Mapping[str, object], otherwise: str, rtol: float = 1e-5
) -> Wrong:
    """Return what is wrong with an answer: the mistake that leads to it, or a general hint."""
    for message, outcome in mistakes.items():
        if close(answer, outcome, rtol):
            return Wrong(message)
    return Wrong(otherwise)
