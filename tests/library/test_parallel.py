"""Data-parallel training, with real processes that talk over the loopback."""

import json
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mbsgd_lib import train
from mbsgd_lib.exchange import draw_update
from mbsgd_lib.explore import scaling_explorer
from mbsgd_lib.parallel import Network, fit_network, run_workers, train_parallel
from mbsgd_lib.parallel.__main__ import main
from mbsgd_lib.parallel.launch import environment, torchrun
from mbsgd_lib.parallel.record import SYNCS, Settings
from mbsgd_lib.parallel.step import share

PATIENCE = 300  # seconds: what takes five on a quiet machine
LINEAR = {"batch_size": 71, "lr": 0.1, "num_epochs": 3}  # the last batch of an epoch has 9 rows
RUNS = {
    "ddp": LINEAR | {"sync": "ddp"},
    "all_reduce": LINEAR | {"sync": "all_reduce"},
    "two rows left": {"batch_size": 7, "lr": 0.05, "num_epochs": 2, "rows": 100},
    "three rows": {"batch_size": 3, "lr": 0.05, "num_epochs": 2, "rows": 3},
    "network": {"batch_size": 70, "lr": 0.05, "hidden": 8},
    "large network": {
        "batch_size": 750, "lr": 0.05, "num_epochs": 1, "hidden": 64, "sync": "all_reduce",
        "probe": [1, 1000],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def four():
    """Start four workers, once; return the records by number and name, and what they reported."""
    progress = []
    asked = {(n, name): run | {"workers": n} for n in (1, 2, 4) for name, run in RUNS.items()}
    records = run_workers(4, asked.values(), on_progress=progress.append, timeout=PATIENCE)
    return dict(zip(asked, records, strict=True)), progress


@pytest.fixture(params=[1, 2, 4])
def started(request, four):
    """Return how many of the workers took part, their records, and what they reported."""
    records, progress = four
    mine = {name: run for (n, name), run in records.items() if n == request.param}
    return request.param, mine, [each for each in progress if each["workers"] == request.param]


def parameters(run):
    return [*run.w.tolist(), run.b]


def alone(airfoil, *, batch_size, lr, num_epochs, rows=1500, sync=None):
    """Return the parameters of one process after each epoch, trained by `train`."""
    data = airfoil.X[:rows], airfoil.y[:rows]
    runs = [train(batch_size, lr, k, data=data) for k in range(1, num_epochs + 1)]
    return [parameters(run) for run in runs]


@pytest.mark.parametrize("name", ["ddp", "all_reduce", "two rows left", "three rows"])
def test_parameters_after_every_epoch_are_those_of_one_process(started, airfoil, name):
    workers, records, _ = started
    run, expected = records[name], alone(airfoil, **RUNS[name])
    assert run.workers == workers
    assert len(run.theta) == len(run.loss) == len(expected) + 1
    np.testing.assert_allclose(run.theta[1:], expected, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def one_process(tmp_path_factory):
    """Return the network trained without torchrun."""
    record = tmp_path_factory.mktemp("one") / "record"
    arguments = "--batch-size 70 --lr 0.05 --hidden 8 --record"
    assert main([*arguments.split(), str(record)]) == 0
    return json.loads(record.read_text())


def test_network_is_that_of_one_process(started, one_process):
    run = started[1]["network"]
    np.testing.assert_allclose(run.theta, one_process["theta"], rtol=0, atol=1e-5)


def test_record(started):
    _, records, progress = started
    for name, run in records.items():
        rows, batch_size = run.settings["rows"], run.settings["batch_size"]
        assert run.updates == -(-rows // batch_size) * run.settings["num_epochs"]
        assert len(run.seconds) == run.updates
        assert all(seconds > 0 for seconds in run.seconds)
        assert run.resumed_at == []
        if run.settings["sync"] == "all_reduce":
            both = zip(run.communicate, run.seconds, strict=True)
            assert all(0 < part < whole for part, whole in both)
        assert progress[-1]["runs"] == 3 * len(RUNS)
        assert run.backend == ("nccl" if torch.cuda.device_count() >= 4 else "gloo"), name
    large = records["large network"]
    assert large.parameters == 5 * 64 + 64 + 64 * 64 + 64 + 64 + 1
    assert large.theta == []  # too many to keep
    assert [nbytes for nbytes, _ in large.all_reduce] == [4, 4000]


def test_progress(started):
    workers, records, progress = started
    assert [each["run"] for each in progress] == sorted(each["run"] for each in progress)
    last = {each["run"]: each for each in progress}
    for number, run in zip(sorted(last), records.values(), strict=True):
        assert last[number]["updates"] == last[number]["total"] == run.updates
        assert last[number]["workers"] == len(set(last[number]["pids"])) == workers


def test_killed_worker_loses_no_update_and_does_none_twice(tmp_path):
    killed = []

    def kill_one(progress):
        if progress["updates"] > 200 and not killed:
            os.kill(progress["pids"][1], signal.SIGKILL)
            killed.append(progress)

    run = train_parallel(
        2, 10, 0.05, 3, checkpoint=tmp_path / "run.pt", every=40, max_restarts=1,
        on_progress=kill_one, timeout=PATIENCE,
    )  # fmt: skip
    (resumed_at,) = run.resumed_at
    assert killed[0]["updates"] - 40 <= resumed_at < 450
    assert resumed_at % 40 == 0 or resumed_at % 150 == 0
    assert run.updates == resumed_at + len(run.seconds) == 450
    undisturbed = [parameters(train(10, 0.05, k)) for k in (1, 2, 3)]
    np.testing.assert_allclose(run.theta[1:], undisturbed, rtol=0, atol=1e-5)


def test_killed_worker_without_restart_is_a_clear_error():
    def kill_one(progress):
        os.kill(progress["pids"][0], signal.SIGKILL)

    with pytest.raises(RuntimeError, match=r"the workers failed: .*exitcode: -9"):
        train_parallel(1, 1, 0.001, 100, on_progress=kill_one, timeout=PATIENCE)


def test_workers_end_with_the_one_who_watches():
    class EnoughError(Exception):
        pass

    def stop(progress):
        pids.extend(progress["pids"])
        raise EnoughError

    pids = []
    with pytest.raises(EnoughError):
        train_parallel(1, 1, 0.001, 1000, on_progress=stop, timeout=PATIENCE)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_timeout():
    with pytest.raises(TimeoutError, match=r"not done after 0\.1 s"):
        train_parallel(1, 1, 0.001, 1000, timeout=0.1)


def run_torchrun(options, arguments):
    command = [sys.executable, "-m", "torch.distributed.run", *options, "-m", "mbsgd_lib.parallel"]
    return subprocess.Popen(
        [*command, *arguments], env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def rendezvous(port, host):
    address = f"127.0.0.1:{port}"
    return ["--rdzv-backend", "c10d", "--rdzv-endpoint", address, "--rdzv-conf", f"is_host={host}"]


def test_two_machines(airfoil, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    record = tmp_path / "record"
    arguments = ["--batch-size", "71", "--lr", "0.1", "--num-epochs", "3", "--record"]
    options = ["--nnodes", "2", "--nproc-per-node", "1", "--local-addr", "127.0.0.1"]
    machines = [
        run_torchrun([*options, *rendezvous(port, host)], [*arguments, record]) for host in (1, 0)
    ]
    for machine in machines:
        _, log = machine.communicate(timeout=PATIENCE)
        assert machine.returncode == 0, log
    run = json.loads(record.read_text())
    assert run["workers"] == 2
    np.testing.assert_allclose(run["theta"][1:], alone(airfoil, **LINEAR), rtol=0, atol=1e-5)


def test_port_in_use_is_a_clear_error():
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = rendezvous(server.getsockname()[1], host=1)
        machine = run_torchrun(options, ["--batch-size", "70", "--lr", "0.1"])
        out, log = machine.communicate(timeout=PATIENCE)
    assert machine.returncode != 0
    assert out == ""
    assert "address already in use" in log


def test_wrong_argument_is_said_once_by_all_workers():
    command = [*torchrun(2), "-m", "mbsgd_lib.parallel", "--batch-size", "1501", "--lr", "0.1"]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode != 0
    assert done.stderr.count("error: batch_size must be a whole number from 1 to 1500") == 1
    assert "mbsgd_lib/parallel" not in done.stderr  # no traceback of ours


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--lr 0.1", "batch_size must be given"),
        ("", "batch_size and lr must be given"),
        ("--batch-size ten --lr 0.1", "argument --batch-size: invalid int value: 'ten'"),
        ("--batch-size 10 --lr -1", "lr must be a positive, finite number, got -1.0"),
        ("--batch-size 10 --lr 0.1 --every 0", "every must be at least 1, got 0"),
        ("--batch-size 10 --lr 0.1 --sync ring", "argument --sync: invalid choice: 'ring'"),
        ("--batch-size 10 --lr 0.1 --workers 2", "workers must be at most 1, got 2"),
        ("--runs no/such/file", "No such file"),
    ],
)
def test_wrong_arguments_of_the_program(arguments, message, capsys):
    assert main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_help(capsys, monkeypatch):
    assert main(["--help"]) == 0
    assert "--batch-size" in capsys.readouterr().out
    monkeypatch.setenv("RANK", "1")
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == ""  # once is enough


def test_goes_on_from_a_checkpoint_and_refuses_that_of_another_run(tmp_path, capsys):
    usual = f"--batch-size 70 --checkpoint {tmp_path / 'run.pt'}".split()
    for num_epochs in (1, 3):
        assert main([*usual, "--lr", "0.1", "--num-epochs", str(num_epochs)]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["updates"], first["resumed_at"]) == (22, [])
    assert (second["updates"], second["resumed_at"]) == (66, [22])
    assert len(second["seconds"]) == 44
    np.testing.assert_allclose(second["theta"][-1], parameters(train(70, 0.1, 3)), atol=1e-5)
    assert main([*usual, "--lr", "0.2"]) == 2
    assert "has lr 0.1, not 0.2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to 1500, got 0"),
        ({"rows": 2000}, "rows must be a whole number from 1 to 1503, got 2000"),
        ({"num_epochs": 0}, "num_epochs must be a whole number of at least 1, got 0"),
        ({"lr": float("nan")}, "lr must be a positive, finite number, got nan"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"hidden": -1}, "hidden must be at least 0, got -1"),
        ({"workers": -1}, "workers must be at least 0, got -1"),
        ({"sync": "ring"}, f"sync must be one of {SYNCS}, got 'ring'"),
    ],
    ids=str,
)
def test_wrong_settings_cost_no_start(setting, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (compared in full)
        run_workers(1, [{"batch_size": 10, "lr": 0.1} | setting])
    assert str(error.value) == message


def test_wrong_number_of_workers():
    with pytest.raises(ValueError, match="workers must be a whole number of at least 1, got 0"):
        train_parallel(0, 10, 0.1)


@given(st.integers(1, 300), st.integers(1, 40))
def test_shares_are_the_batch_in_parts_that_differ_by_one(b, workers):
    rows = torch.arange(b)
    shares = [share(rows, rank, workers) for rank in range(workers)]
    assert torch.cat(shares).tolist() == rows.tolist()
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_settings_are_those_of_the_command_line(capsys):
    main(["--help"])
    text = capsys.readouterr().out
    for name in Settings.__annotations__:
        assert f"--{name.replace('_', '-')}" in text


@pytest.mark.parametrize("gpus", [True, False])
def test_gpus_can_be_left_alone(gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert environment(gpus)["CUDA_VISIBLE_DEVICES"] == ("0,1" if gpus else "")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("gpus", "backend"), [(True, "nccl"), (False, "gloo")])
def test_gpu(gpus, backend):
    run = train_parallel(1, 70, 0.1, 2, gpus=gpus, timeout=PATIENCE)
    assert run.backend == backend
    np.testing.assert_allclose(run.theta[-1], parameters(train(70, 0.1, 2)), atol=1e-4)


# The model of the network.


def slow_ring(network, workers, nbytes):
    """Add up the ring message by message."""
    piece, seconds = nbytes / workers, 0.0
    for _ in ("add up", "hand out"):
        for _ in range(workers - 1):
            seconds += network.latency + piece / network.bandwidth
    return seconds


@given(st.integers(1, 500), st.floats(4, 1e9), st.floats(1e-7, 1e-2), st.floats(1e6, 1e11))
def test_all_reduce_is_the_sum_of_its_messages(workers, nbytes, latency, bandwidth):
    network = Network(latency, bandwidth)
    expected = slow_ring(network, workers, nbytes)
    assert network.all_reduce(workers, nbytes) == pytest.approx(expected)
    assert 0 < network.efficiency(workers, nbytes, 1e-3) <= 1


def test_one_worker_sends_nothing():
    assert Network(1e-3, 1e9).all_reduce(1, 1e9) == 0
    assert Network(1e-3, 1e9).efficiency(1, 1e9, 1e-3) == 1


@given(st.floats(1e-6, 1e-2), st.floats(1e7, 1e11))
def test_fit_finds_the_network_that_made_the_times(latency, bandwidth):
    network = Network(latency, bandwidth)
    nbytes, workers = [4, 1e4, 1e7, 1e9, 4e9], [2, 3, 8, 4, 2]
    seconds = [network.all_reduce(*pair) for pair in zip(workers, nbytes, strict=True)]
    fitted = fit_network(workers, nbytes, seconds)
    np.testing.assert_allclose(fitted, network, rtol=1e-3)


def test_fit_holds_on_points_that_it_has_not_seen():
    rng, network = np.random.default_rng(0), Network(1e-4, 1e9)
    nbytes = np.geomspace(4, 1e8, 24)
    seconds = network.all_reduce(2, nbytes) * rng.uniform(0.8, 1.25, 24)
    fitted = fit_network(2, nbytes[::2], seconds[::2])
    np.testing.assert_allclose(fitted.all_reduce(2, nbytes[1::2]) / seconds[1::2], 1, atol=0.35)


def test_times_that_show_no_bandwidth():
    with pytest.raises(ValueError, match="seconds must grow with nbytes"):
        fit_network(2, [4, 1e6, 1e8], [3e-3, 2e-3, 1e-3])


# What the reader moves and sees.


def test_explorer_agrees_with_the_model():
    explorer = scaling_explorer()
    assert "128 workers" in explorer.text.value
    frame = explorer.frame({name: control.value for name, control in explorer.controls.items()})
    network, one = Network(20e-6, 50e9 / 8), 24.6e9 / 3.4e12
    examples, apart = np.array(frame["lines"][0]["x"]), np.array(frame["lines"][0]["y"])
    expected = [100 * network.efficiency(128, 4 * 25.6e6, each * one) for each in examples]
    np.testing.assert_allclose(apart, expected, rtol=1e-3)
    assert (np.array(frame["lines"][1]["y"]) >= apart).all()  # overlap never hurts


def test_recording_is_small_and_every_frame_makes_sense():
    frames = scaling_explorer().recording()["frames"]
    assert len(frames) <= 150
    for frame in frames:
        for line in frame["lines"]:
            assert all(0 <= share <= 100 for share in line["y"])
            assert line["y"] == sorted(line["y"])  # more examples, more computation


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_drawing_deals_every_row_once(workers):
    drawing = draw_update(workers, 10)
    assert f"{workers} workers" in drawing.alt
    assert "1 to " in drawing.svg
    assert " to 10" in drawing.svg
