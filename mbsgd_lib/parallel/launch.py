"""Start workers with torchrun on this machine, from Python, and read their record."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from mbsgd_lib.parallel.record import ParallelRun, Settings
from mbsgd_lib.table import check_count

Progress = Callable[[dict], None]
LOOPBACK = ("lo", "lo0")  # on Linux and on macOS


def train_parallel(
    workers: int, batch_size: int, lr: float, num_epochs: int = 2, *, seed: int = 0,
    hidden: int = 0, sync: str = "ddp", rows: int = 1500, **options,
) -> ParallelRun:  # fmt: skip
    """Train with several workers, processes of this machine that share each batch.

    The parameters are those of a single worker, whatever the number of workers.

    Parameters
    ----------
    workers : int
        Processes, one thread each.
    batch_size, lr, num_epochs, seed
        As in `train`; the batch is that of all workers together.
    hidden : int
        Width of two hidden layers with ReLU; 0 is linear regression.
    sync : {"ddp", "all_reduce"}
        Let PyTorch's `DistributedDataParallel` average the gradients, or do it by hand.
    rows : int
        Of the airfoil data to train on.
    **options
        As in `run_workers`.

    Raises
    ------
    ValueError
        If an argument is out of range.
    RuntimeError
        If the workers fail; the message is theirs.
    TimeoutError
    """
    settings = Settings(batch_size, lr, num_epochs, seed, hidden, sync, rows)
    (run,) = run_workers(workers, [asdict(settings)], **options)
    return run


def run_workers(
    workers: int,
    runs: Iterable[dict],
    *,
    checkpoint: str | Path | None = None,
    every: int = 100,
    max_restarts: int = 0,
    gpus: bool = True,
    on_progress: Progress | None = None,
    timeout: float = 600,
) -> list[ParallelRun]:
    """Start the workers once and let them do several runs, one after the other.

    Parameters
    ----------
    workers : int
    runs : iterable of dict
        Settings of each run, see `mbsgd_lib.parallel.record.Settings`.
    checkpoint : path, optional
        File to write `every` so many updates, and to go on from; for a single run.
    max_restarts : int
        How often torchrun may start all workers anew when one has died.
    gpus : bool
        Use GPUs where there is one for each worker; without, all compute on the processor.
    on_progress : callable, optional
        Called some times a second with a dict: `run`, `runs`, `updates`, `total`, `loss`,
        `workers`, `pids` and `restarts`.
    timeout : float
        Seconds until the workers are ended.
    """
    check_count("workers", workers)
    runs = [asdict(Settings(**run)) for run in runs]  # a mistake costs no start
    with tempfile.TemporaryDirectory() as folder:
        settings, record = Path(folder, "runs.json"), Path(folder, "record.jsonl")
        settings.write_text(json.dumps(runs))
        command = [*torchrun(workers, max_restarts), "-m", "mbsgd_lib.parallel", "--progress"]
        command += ["--runs", settings, "--record", record, "--every", str(every)]
        if checkpoint:
            command += ["--checkpoint", checkpoint]
        watch(command, environment(gpus), on_progress or (lambda progress: None), timeout)
        return [ParallelRun(**json.loads(line)) for line in record.read_text().splitlines()]


def torchrun(workers: int, max_restarts: int = 0) -> list[str]:
    """Return the command that starts workers on the loopback, at a port that is free."""
    options = ["--nproc-per-node", str(workers), "--max-restarts", str(max_restarts)]
    options += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    return [sys.executable, "-m", "torch.distributed.run", *options, "--local-addr", "127.0.0.1"]


def environment(gpus: bool = True) -> dict[str, str]:
    """Return the environment of the workers: one thread each, and no network but the loopback."""
    loopback = [name for _, name in socket.if_nameindex() if name in LOOPBACK]
    hidden = {} if gpus else {"CUDA_VISIBLE_DEVICES": ""}
    own = {
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": ",".join(loopback),
        # A store that outlives a restart has the addresses of the dead, and the new workers may
        # wait for them. With this, torchrun makes a new store for each start.
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    }
    return os.environ | hidden | own


def watch(command: list, env: dict[str, str], on_progress: Progress, timeout: float) -> None:
    """Run the command, pass its progress on, and raise what went wrong."""
    pipes = {"stdout": subprocess.PIPE, "text": True, "env": env}
    with tempfile.TemporaryFile("w+") as log:
        with subprocess.Popen(command, stderr=log, **pipes) as process:
            late = threading.Event()
            clock = threading.Timer(timeout, lambda: (late.set(), process.terminate()))
            clock.start()
            try:
                for line in process.stdout:
                    if line.startswith('{"progress"'):
                        on_progress(json.loads(line)["progress"])
            except BaseException:
                process.terminate()  # torchrun ends its workers
                raise
            finally:
                clock.cancel()
        if late.is_set():
            raise TimeoutError(f"the workers were not done after {timeout:g} s")
        if process.returncode:
            log.seek(0)
            raise RuntimeError(f"the workers failed: {reason(log.read())}")


def reason(log: str) -> str:
    """Find the line of the workers' log that says best what went wrong."""
    for sign in (r"^error: ", r"failed \(exitcode: -\d", r"Error: \S", "exitcode"):
        for line in log.splitlines():
            if re.search(sign, line):
                return line.strip()
    return log[-500:]
