"""Minibatch stochastic gradient descent, measured: the library that the course imports.

A name is imported where it is first used (PEP 562), so that the modules which need no PyTorch also
work where there is none. The modules `plot`, `explore`, `replay` and `source` are imported by name:
they bring in matplotlib and ipywidgets, which training does not need.
"""

from importlib import import_module

PUBLIC = {
    "data": ("Airfoil", "data_loader", "epoch_order", "load_airfoil", "minibatches"),
    "kernels": (
        "benchmark_matmul", "gflop", "matmul_column", "matmul_element", "matmul_panel",
        "matmul_row", "matmul_tile", "matmul_whole",
    ),
    "run": ("SOURCE_RUNS", "Run"),
    "stability": ("stability_limit",),
    "theory": ("LeastSquares", "Quadratic", "hessian_spectrum", "least_squares"),
    "timer": ("Measurement", "Timer", "measure"),
    "training": ("linreg", "sgd", "squared_loss", "train"),
}  # fmt: skip
HOME = {name: module for module, names in PUBLIC.items() for name in names}

__all__ = sorted(HOME)


def __getattr__(name: str) -> object:
    """Import a public name on its first use, and keep it."""
    if name not in HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.{HOME[name]}"), name)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
