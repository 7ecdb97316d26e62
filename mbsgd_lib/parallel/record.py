"""What the workers are asked to do, and the record that they bring back: both go as JSON."""

import math
from dataclasses import dataclass, field

from mbsgd_lib.table import check_count

SYNCS = ("ddp", "all_reduce")


@dataclass(frozen=True)
class Settings:
    """What is trained, and how; the number of workers changes only the time."""

    batch_size: int
    lr: float
    num_epochs: int = 2
    seed: int = 0
    hidden: int = 0  # width of the two hidden layers; 0 is linear regression
    sync: str = "ddp"
    rows: int = 1500
    workers: int = 0  # the first so many of those started, while the others wait; 0: all
    probe: tuple[int, ...] = ()  # vector sizes whose `all_reduce` is timed after the run

    def __post_init__(self):
        check_count("rows", self.rows, 1503)
        check_count("batch_size", self.batch_size, self.rows)
        check_count("num_epochs", self.num_epochs)
        if not 0 < self.lr < math.inf:
            raise ValueError(f"lr must be a positive, finite number, got {self.lr!r}")
        for name in ("seed", "hidden", "workers"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)!r}")
        if self.sync not in SYNCS:
            raise ValueError(f"sync must be one of {SYNCS}, got {self.sync!r}")


@dataclass
class ParallelRun:
    """The record of one run; the times are those of worker 0 since its last start.

    Attributes
    ----------
    updates : int
        How many the parameters have had.
    loss : list of float
        Over all rows, at the start and after each epoch.
    theta : list of list of float
        The parameters at the same moments; empty if there are more than 1,000.
    resumed_at : list of int
        The update from which each restart went on.
    seconds, communicate : list of float
        Of each update, and the part of it that `all_reduce` took, waiting for the others
        included. DDP communicates during the backward pass: it leaves the second empty.
    all_reduce : list of [bytes, seconds]
        The shortest time for each size of `probe`.
    """

    settings: dict
    workers: int
    backend: str
    parameters: int
    updates: int = 0
    loss: list = field(default_factory=list)
    theta: list = field(default_factory=list)
    resumed_at: list = field(default_factory=list)
    seconds: list = field(default_factory=list)
    communicate: list = field(default_factory=list)
    all_reduce: list = field(default_factory=list)
