"""The training loop of one worker: settings in, a record out, and checkpoints to go on from."""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mbsgd_lib.data import epoch_order, load_airfoil
from mbsgd_lib.methods import sgd, squared_loss
from mbsgd_lib.parallel.record import ParallelRun, Settings
from mbsgd_lib.parallel.step import Group, average_gradients, share_loss, time_all_reduce
from mbsgd_lib.timer import Timer

KEPT = 1000  # parameters: of a larger model the record has the losses only


class Worker:
    """One worker's data, model, clocks and record."""

    def __init__(
        self, settings: Settings, device: torch.device, checkpoint: Path | None = None,
        group: Group = None,
    ):  # fmt: skip
        data = load_airfoil(n=settings.rows)
        self.settings, self.checkpoint, self.group = settings, checkpoint, group
        self.X, self.y = data.X.to(device), data.y.to(device)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.model = first_model(settings, self.X.shape[1], self.generator).to(device)
        self.params = list(self.model.parameters())
        self.whole, self.exchange = Timer(device), Timer(device)
        self.run = ParallelRun(
            asdict(settings), dist.get_world_size(group), dist.get_backend(),
            parameters=sum(p.numel() for p in self.params),
        )  # fmt: skip
        self.resume()

    def train(self, every: int, report: Callable[[ParallelRun, int], None]) -> ParallelRun:
        """Do all updates that are still to do, with a checkpoint `every` so many."""
        ddp = self.settings.sync == "ddp"
        model = DistributedDataParallel(self.model, process_group=self.group) if ddp else self.model
        run, per_epoch = self.run, math.ceil(len(self.X) / self.settings.batch_size)
        for rows in self.batches():
            self.update(model, rows)
            ends = run.updates % per_epoch == 0
            if ends:
                self.mark()
            if ends or run.updates % every == 0:
                self.save()
            report(run, per_epoch * self.settings.num_epochs)
        run.seconds, run.communicate = self.whole.times, self.exchange.times
        run.all_reduce = time_all_reduce(self.settings.probe, self.X.device, self.group)
        return run

    def batches(self) -> Iterator[Tensor]:
        """Draw the rows of every batch that is still to do, the same at every worker."""
        done = self.run.updates
        for _ in range(self.settings.num_epochs):
            order = epoch_order(len(self.X), self.generator).to(self.X.device)
            batches = order.split(self.settings.batch_size)
            yield from batches[done:]
            done = max(0, done - len(batches))

    def update(self, model: nn.Module, rows: Tensor) -> None:
        """Do one update; `model` may be wrapped in DDP, which averages in the backward pass."""
        with self.whole:
            share_loss(model, self.X, self.y, rows, self.group).backward()
            if self.settings.sync == "all_reduce":
                with self.exchange:
                    average_gradients(self.params, self.group)
            sgd(self.params, None, {"lr": self.settings.lr})
        self.run.updates += 1

    @torch.no_grad()
    def mark(self) -> None:
        """Record the loss over all rows and, if few, the parameters."""
        self.run.loss.append(float(squared_loss(self.model(self.X), self.y).mean()))
        if self.run.parameters <= KEPT:
            self.run.theta.append(torch.cat([p.detach().flatten() for p in self.params]).tolist())

    def save(self) -> None:
        """Let worker 0 write the checkpoint: the old one or the new one, never half of one."""
        if self.checkpoint and dist.get_rank() == 0:
            new = self.checkpoint.with_suffix(".new")
            torch.save({"model": self.model.state_dict(), "run": asdict(self.run)}, new)
            os.replace(new, self.checkpoint)

    def resume(self) -> None:
        """Go on from the checkpoint, which worker 0 reads for all; without one, begin.

        Raises
        ------
        ValueError
            If it is the checkpoint of another run.
        """
        found = [None]
        if self.checkpoint and dist.get_rank() == 0 and self.checkpoint.exists():
            found = [torch.load(self.checkpoint, map_location="cpu")]
        dist.broadcast_object_list(found, group=self.group)
        if found[0] is None:
            self.mark()
            return
        for name in ("batch_size", "lr", "seed", "hidden", "rows"):
            now, then = getattr(self.settings, name), found[0]["run"]["settings"][name]
            if now != then:
                raise ValueError(f"checkpoint {self.checkpoint} has {name} {then}, not {now}")
        self.model.load_state_dict(found[0]["model"])
        for name in ("updates", "loss", "theta", "resumed_at"):
            setattr(self.run, name, found[0]["run"][name])
        self.run.resumed_at.append(self.run.updates)


def first_model(settings: Settings, d: int, generator: torch.Generator) -> nn.Module:
    """Return the model that all workers start from; the linear one is that of `train`."""
    w, h = 0.01 * torch.randn(1, d, generator=generator), settings.hidden
    if h:
        torch.manual_seed(settings.seed)
        layers = nn.Linear(d, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, 1)
        return nn.Sequential(*layers)
    model = nn.Linear(d, 1)
    model.load_state_dict({"weight": w, "bias": torch.zeros(1)})
    return model
