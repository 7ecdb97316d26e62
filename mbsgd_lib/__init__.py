"""Minibatch stochastic gradient descent, measured: the library that the course imports.

The modules `plot`, `explore`, `replay` and `source` are imported by name: they bring in
matplotlib and ipywidgets, which training does not need.
"""

from mbsgd_lib.data import Airfoil, data_loader, epoch_order, load_airfoil, minibatches
from mbsgd_lib.kernels import (
    benchmark_matmul,
    gflop,
    matmul_column,
    matmul_element,
    matmul_panel,
    matmul_row,
    matmul_tile,
    matmul_whole,
)
from mbsgd_lib.theory import (
    LeastSquares,
    Quadratic,
    hessian_spectrum,
    least_squares,
    stability_limit,
)
from mbsgd_lib.timer import Measurement, Timer, measure
from mbsgd_lib.train import SOURCE_RUNS, Run, linreg, sgd, squared_loss, train

__all__ = [
    "SOURCE_RUNS",
    "Airfoil",
    "LeastSquares",
    "Measurement",
    "Quadratic",
    "Run",
    "Timer",
    "benchmark_matmul",
    "data_loader",
    "epoch_order",
    "gflop",
    "hessian_spectrum",
    "least_squares",
    "linreg",
    "load_airfoil",
    "matmul_column",
    "matmul_element",
    "matmul_panel",
    "matmul_row",
    "matmul_tile",
    "matmul_whole",
    "measure",
    "minibatches",
    "sgd",
    "squared_loss",
    "stability_limit",
    "train",
]
