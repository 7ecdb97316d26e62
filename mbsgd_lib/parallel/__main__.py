"""Data-parallel training under torchrun, one process a worker.

On one machine, at a port that is free:

    torchrun --standalone --nproc-per-node 2 -m mbsgd_lib.parallel --batch-size 100 --lr 0.4

On two machines, HOST being the name of the first; the second leaves out --rdzv-conf:

    torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500
        --rdzv-conf is_host=1 -m mbsgd_lib.parallel --batch-size 100 --lr 0.4

Where every worker of a machine has a GPU of its own they use those; an empty environment variable
CUDA_VISIBLE_DEVICES keeps them on the processors.

With torchrun's --max-restarts 3 and --checkpoint FILE (in a folder that all machines see) the
run goes on from the last checkpoint when a worker has died. Set the environment variable
TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for it, or the new workers may wait for a dead one.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch.distributed as dist

from mbsgd_lib.parallel.record import SYNCS, ParallelRun, Settings
from mbsgd_lib.parallel.step import Group, team
from mbsgd_lib.parallel.worker import Worker


class Parser(argparse.ArgumentParser):
    """A parser that raises, so that worker 0 alone can say what is wrong."""

    def error(self, message: str) -> None:
        """Raise ValueError."""
        raise ValueError(message)


def parser() -> Parser:
    """Return the parser of the command line."""
    p = Parser(
        usage="torchrun [torchrun's options] -m mbsgd_lib.parallel --batch-size B --lr LR [...]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter, argument_default=argparse.SUPPRESS,
    )  # fmt: skip
    p.add_argument("--batch-size", type=int, help="examples in a batch, all workers together")
    p.add_argument("--lr", type=float, help="learning rate")
    p.add_argument("--num-epochs", type=int, help="passes over the data (2)")
    p.add_argument("--seed", type=int, help="of the first parameters and the order of rows (0)")
    p.add_argument("--hidden", type=int, help="width of two hidden layers (0: linear regression)")
    p.add_argument("--sync", choices=SYNCS, help="how gradients are averaged (ddp)")
    p.add_argument("--rows", type=int, help="of the airfoil data to train on (1500)")
    p.add_argument("--workers", type=int, help="the first so many of those started (0: all)")
    p.add_argument("--probe", type=int, nargs="+", help="time all_reduce of so many numbers")
    p.add_argument("--runs", type=Path, help="JSON list of settings, instead of those above")
    p.add_argument("--checkpoint", type=Path, help="file to write, and to go on from")
    p.add_argument("--every", type=int, default=100, help="updates between checkpoints (100)")
    p.add_argument("--record", type=Path, help="file for the record, one line of JSON a run")
    p.add_argument("--progress", action="store_true", default=False, help="print it, as JSON")
    return p


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[Settings]]:
    """Read the command line; raise ValueError if anything in it is out of range."""
    options = parser().parse_args(arguments)
    if options.every < 1:
        raise ValueError(f"every must be at least 1, got {options.every}")
    given = {name: vars(options)[name] for name in Settings.__annotations__ if name in options}
    runs = json.loads(options.runs.read_text()) if "runs" in options else [given]
    if "checkpoint" in options and len(runs) > 1:
        raise ValueError("checkpoint needs a single run: give its settings as options")
    for run in runs:
        if missing := {"batch_size", "lr"} - run.keys():
            raise ValueError(f"{' and '.join(sorted(missing))} must be given")
    return options, [Settings(**run) for run in runs]


def takes_part(run: Settings) -> bool:
    """Return whether this worker is among those of the run."""
    return dist.get_rank() < (run.workers or dist.get_world_size())


def ask_for_groups(runs: list[Settings]) -> dict[int, Group]:
    """Return the group of the first n workers by n; every worker has to ask for every group."""
    most, sizes = dist.get_world_size(), {run.workers for run in runs} - {0}
    if sizes and max(sizes) > most:
        raise ValueError(f"workers must be at most {most}, got {max(sizes)}")
    return {0: None} | {n: dist.new_group(range(n)) for n in sorted(sizes)}


class Reporter:
    """Print progress as one line of JSON, not too often."""

    def __init__(self, quiet: bool, runs: int):
        self.runs, self.number = runs, 1
        self.pids: list = [None] * dist.get_world_size()
        dist.all_gather_object(self.pids, os.getpid())
        self.quiet, self.next = quiet or dist.get_rank() > 0, 0.0

    def __call__(self, run: ParallelRun, total: int) -> None:
        """Say how far `run` has come."""
        if self.quiet or (run.updates < total and time.perf_counter() < self.next):
            return
        self.next = time.perf_counter() + 0.1
        progress = {"updates": run.updates, "total": total, "loss": run.loss[-1]}
        progress |= {"run": self.number, "runs": self.runs}
        progress |= {"workers": run.workers, "pids": self.pids[: run.workers]}
        progress |= {"restarts": len(run.resumed_at)}
        print(json.dumps({"progress": progress}), flush=True)


def main(arguments: list[str]) -> int:
    """Train and write the record; return the exit status."""
    if {"-h", "--help"} & {*arguments}:
        if os.environ.get("RANK", "0") == "0":
            parser().print_help()
        return 0
    with team() as device:
        first = dist.get_rank() == 0
        try:
            options, runs = parse(arguments)
            checkpoint = getattr(options, "checkpoint", None)
            groups = ask_for_groups(runs)
            workers = [
                Worker(run, device, checkpoint, groups[run.workers]) if takes_part(run) else None
                for run in runs
            ]
        except (ValueError, OSError) as error:
            if first:
                print(f"error: {error}", file=sys.stderr, flush=True)
            dist.barrier()  # torchrun ends all workers with the first that ends
            return 2
        report = Reporter(not options.progress, len(runs))
        for report.number, worker in enumerate(workers, 1):
            line = worker and json.dumps(asdict(worker.train(options.every, report))) + "\n"
            dist.barrier()  # who takes no part waits here, and disturbs no clock
            if first and "record" in options:
                with options.record.open("a") as file:
                    file.write(line)
            elif first:
                print(line, end="", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
