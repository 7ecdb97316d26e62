"""The course's training step under torchrun: one process a worker, each batch shared out."""

from mbsgd_lib.parallel.launch import run_workers, train_parallel
from mbsgd_lib.parallel.network import Network, fit_network
from mbsgd_lib.parallel.record import ParallelRun

__all__ = ["Network", "ParallelRun", "fit_network", "run_workers", "train_parallel"]
