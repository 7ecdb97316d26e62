"""The benchmarks measure what they say and report it whole; how fast is for `make bench`."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from benchmarks import __main__ as bench
from benchmarks import book, explorers, growth, methods, timing
from mbsgd_lib.anatomy import PARTS, count_operations, plot_parts, update_parts
from mbsgd_lib.explore import growth as growth_explorer
from mbsgd_lib.growth import LAZY, draw, grown_airfoil, time_to_loss
from mbsgd_lib.roofline import plot_bandwidth, plot_roofline, work_per_byte


def test_functions_take_turns_after_a_warm_up():
    seen = []
    functions = {name: lambda name=name: seen.append(name) or 1.0 for name in "abc"}
    results = timing.side_by_side(functions, rounds=4)
    assert seen == list("abc") * 5
    assert all(each.times == (1.0,) * 4 for each in results.values())


def test_a_slow_function_drops_out_after_three_rounds():
    results = timing.side_by_side({"slow": lambda: 1.0, "other": lambda: 1.0}, rounds=9, budget=-1)
    assert all(len(each.times) == 3 for each in results.values())


def test_a_program_is_timed_and_weighed():
    code = "import json; block = b'1' * {}; print(json.dumps([1]))"
    for size in (0, 200_000_000):
        answer, memory = timing.run_python(code.format(size))
        assert answer == [1]
        assert size < 1e6 * memory < size + 5e7
    with pytest.raises(subprocess.CalledProcessError):
        timing.run([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.5, "2.5 s"), (0.0025, "2.5 ms"), (2.5e-6, "2.5 µs"), (8.4e-9, "8.4 ns")],
)
def test_durations_are_readable(seconds, text):
    assert timing.duration(seconds) == text


def test_columns_of_a_table_line_up():
    lines = timing.table(["name", "time"], [["a", "1 ms"], ["longer", "100 ms"]]).splitlines()
    assert len({len(line) for line in lines}) == 1


@pytest.fixture
def little(monkeypatch):
    """Make the parts of a benchmark as small as they can be."""
    monkeypatch.setattr(methods, "LRS", {1500: 0.9})
    monkeypatch.setattr(methods, "METHOD_NAMES", ["loader", "compiled"])
    monkeypatch.setattr(methods, "PEER", methods.BUILD / "nowhere")
    monkeypatch.setattr(growth, "COPIES", [1, 2])


def test_results_are_printed_and_written(little, tmp_path, capsys):
    out = tmp_path / "folder" / "bench.json"
    bench.main(["--quick", "--only", "limits", "growth", "book", "--out", str(out)])
    results = json.loads(out.read_text())
    assert set(results) == {"about", "limits", "growth", "book"}
    assert {"processor", "torch", "date"} <= set(results["about"])
    limits = results["limits"]
    assert all(np.isfinite(list(limits["whole product (GFLOP/s)"].values())))
    assert "batches of 100" in capsys.readouterr().out
    assert results["book"] == {}


def test_methods_have_a_ratio_and_the_peer_a_hint(little, monkeypatch, capsys):
    monkeypatch.setattr(methods, "LRS", {1: 0.005, 1500: 0.9})
    results = methods.measure_methods(quick=True)
    for timings in results.values():
        assert timings["loader"]["times faster than loader"] == 1
        for each in timings.values():
            assert 0 < each["min"] <= each["median"]
            assert each["iqr"] >= 0
    methods.print_methods(results)
    printed = capsys.readouterr().out
    assert "compiled" in printed
    assert "pip install d2l==1.0.3" in printed


def test_every_control_of_an_explorer_is_moved():
    explorer = bench.explorers.explore.training_explorer()
    moved = [name for move in explorers.moves(explorer) for name in move]
    assert set(moved) == set(explorer.controls)
    assert moved.count("batch_size") == len(explorer.batch_size.options)


def test_the_book_is_left_out_when_time_is_short():
    assert book.measure_book(quick=True) == {}
    book.print_book({})


def test_the_book_is_built_in_a_copy(tmp_path, monkeypatch, capsys):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/record.py").write_text("import sys; open(sys.argv[1], 'w')")
    (tmp_path / "Makefile").write_text("book:\n\ttouch built\n")
    monkeypatch.setattr(book, "ROOT", tmp_path)
    results = book.measure_book(quick=False)
    assert list(results) == ["recording the replay", "make book, cold", "make book, warm"]
    assert all(each["seconds"] > 0 for each in results.values())
    assert not (tmp_path / "built").exists()
    book.print_book(results)
    assert "make book, warm" in capsys.readouterr().out


def test_parts_of_an_update():
    for loader in (True, False):
        parts = update_parts(500, loader=loader, repeats=1)
        assert tuple(parts) == PARTS
        assert all(seconds >= 0 for seconds in parts.values())


def test_operations_are_counted():
    x = torch.ones(3)
    assert count_operations(lambda: x + x * x) == {"add": 1, "mul": 1}


def test_stacked_bars_name_their_parts():
    figure = plot_parts({"a": {"p": 1.0, "q": 2.0}, "b": {"p": 3.0, "q": 4.0}}, "time (s)")
    assert "a: p 1, q 2; b: p 3, q 4" in figure.alt
    assert "time (s)" in figure.svg


def test_copies_and_changed_copies(airfoil):
    X, y = grown_airfoil(3)
    assert torch.equal(X, airfoil.X.repeat(3, 1))
    assert torch.equal(y, airfoil.y.repeat(3))
    changed, _ = grown_airfoil(3, jitter=0.05)
    assert torch.equal(changed[:1500], airfoil.X)
    assert (changed - X)[1500:].std() == pytest.approx(0.05, rel=0.05)
    with pytest.raises(ValueError, match="copies"):
        grown_airfoil(0)


def test_rows_that_are_read():
    generator = torch.Generator().manual_seed(0)
    assert sorted(draw(50, 10, True, generator).tolist()) == list(range(50))
    assert draw(50, 50, False, generator) is None
    assert len(draw(50, 10, False, generator)) == LAZY * 10


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("batch_size", "lr"), [(1500, 0.9), (100, 0.4)])
def test_the_loss_is_reached_or_given_up(airfoil, batch_size, lr, shuffle):
    data = airfoil.X, airfoil.y
    assert 0 < time_to_loss(data, batch_size, lr, shuffle=shuffle) < math.inf
    assert time_to_loss(data, 1500, 1e-9, shuffle=shuffle, limit=0.01) == math.inf


def test_growth_explorer_records_every_position(monkeypatch):
    monkeypatch.setattr(
        growth_explorer, "time_to_loss", lambda data, b, lr, **rest: len(data[0]) / b
    )
    monkeypatch.setattr(growth_explorer, "ROWS", [1500, 3000, 4500])
    explorer = growth_explorer.GrowthExplorer()
    explorer.wait()
    recording = explorer.recording()
    assert len(recording["frames"]) == 3 * 2 * 2
    json.dumps(recording, allow_nan=False)
    for frame in recording["frames"]:
        assert frame["chart"] == "line"
        assert frame["log_x"]
        assert frame["log_y"]
    assert [len(line["x"]) for line in recording["frames"][-1]["lines"]] == [3, 3, 3]
    assert "4,500 rows" in recording["frames"][-1]["text"]


def test_growth_explorer_on_another_device(monkeypatch):
    asked = []

    def fake(n, copies, device):
        asked.append(device)
        return None, None

    monkeypatch.setattr("mbsgd_lib.explore.base.devices", lambda: ["cpu", "cpu:0"])
    monkeypatch.setattr(growth_explorer, "rows_and_loss", fake)
    monkeypatch.setattr(growth_explorer, "time_to_loss", lambda *args, **rest: 1.0)
    explorer = growth_explorer.GrowthExplorer()
    assert {*asked} == {"cpu"}
    explorer.device.value = "cpu:0"
    explorer.wait()
    assert asked[-1] == "cpu:0"


def test_who_is_first_is_said():
    seconds = {"gradient descent": 0.2, "batches of 100": 0.1, "batches of 10": None}
    assert "Batches of 100: 2.0 times as fast" in growth_explorer.describe(1500, seconds)
    seconds = {"gradient descent": None, "batches of 100": None, "batches of 10": None}
    assert "1,500 rows" in growth_explorer.describe(1500, seconds)


def test_intensity_is_counted():
    assert work_per_byte("whole", 256) == 64
    assert work_per_byte("tile", 256, 64) == 16
    assert work_per_byte("element", 256) == 0.25
    with pytest.raises(ValueError, match="way"):
        work_per_byte("magic", 256)


def test_roofline_and_bandwidth_say_what_they_show():
    roof = plot_roofline({"whole": (64.0, 90.0)}, 100.0, {"cache": 50.0, "memory": 5.0})
    assert "peak of 100 GFLOP/s" in roof.alt
    assert "whole 90" in roof.alt
    for caches in ({}, {"L1": 50.0}):
        picture = plot_bandwidth([10.0, 100.0], [50.0, 5.0], caches)
        assert ("L1 is full at 50 rows" in picture.alt) == bool(caches)
