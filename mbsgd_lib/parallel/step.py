"""What makes one update parallel: a share of the batch, and the average of the gradients.

Every worker holds all data and its own copy of the model, and all draw the same order of the
rows. Each takes its share of a batch; the gradients are averaged before the update, so that
the copies stay equal. N workers do what one would have done alone.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mbsgd_lib.methods import squared_loss
from mbsgd_lib.timer import Timer

Group = dist.ProcessGroup | None
PATIENCE = timedelta(minutes=3)  # how long a worker waits for the others


@contextmanager
def team() -> Iterator[torch.device]:
    """Join the other workers that torchrun started, if it did; yield the device to work on.

    They talk by NCCL where each has a GPU of its own, and by gloo on CPUs.
    """
    alone = "RANK" not in os.environ
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    cuda = torch.cuda.is_available() and torch.cuda.device_count() >= here
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else "cpu"
    options = {"store": dist.HashStore(), "rank": 0, "world_size": 1} if alone else {}
    if cuda:
        torch.cuda.set_device(device)
        options["device_id"] = device
    dist.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE, **options)
    try:
        yield torch.device(device)
    finally:
        dist.destroy_process_group()


def share(rows: Tensor, rank: int, workers: int) -> Tensor:
    """Return one worker's part of the rows (b,) of a batch; sizes differ by one at most."""
    return rows.tensor_split(workers)[rank]


def share_loss(model: nn.Module, X: Tensor, y: Tensor, rows: Tensor, group: Group = None) -> Tensor:
    """Return this worker's part of the loss: its *average* over the workers is the batch's mean.

    A worker without rows has the loss zero, and gradients of zero.

    Parameters
    ----------
    X, y : Tensor, shapes (n, d) and (n,)
    rows : Tensor of int64, shape (b,)
        Of the whole batch.
    group : ProcessGroup, optional
        The workers that share it; all by default.
    """
    workers = dist.get_world_size(group)
    mine = share(rows, dist.get_rank(group), workers)
    return squared_loss(model(X[mine]), y[mine]).sum() * workers / len(rows)


def average_gradients(params: list[Tensor], group: Group = None) -> None:
    """Replace every gradient by its average over the workers, in one `all_reduce`."""
    flat = torch.cat([p.grad.flatten() for p in params])
    dist.all_reduce(flat, group=group)  # now every worker has the sum
    flat /= dist.get_world_size(group)
    for p, part in zip(params, flat.split([p.numel() for p in params]), strict=True):
        p.grad.copy_(part.view_as(p))


def time_all_reduce(
    sizes: Iterable[int], device: torch.device, group: Group = None, repeats: int = 15
) -> list:
    """Time `all_reduce` of vectors of so many float32 numbers.

    Returns
    -------
    list of [bytes, seconds]
        The shortest of the repeats, for each size.
    """
    points = []
    for size in sizes:
        timer, numbers = Timer(device), torch.zeros(size, device=device)
        for _ in range(repeats):
            dist.barrier(group)  # start together: waiting is not the network's fault
            with timer:
                dist.all_reduce(numbers, group=group)
        points.append([4 * size, min(timer.times)])
    return points
