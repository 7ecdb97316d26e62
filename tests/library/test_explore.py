"""The live explorers, moved from Python as a hand would move them in JupyterLab."""

import threading
from dataclasses import replace
from types import SimpleNamespace

import ipywidgets as widgets
import pytest
import torch

from mbsgd_lib import SOURCE_RUNS, Airfoil, load_airfoil, train
from mbsgd_lib.explore import base, matmul_explorer, training_explorer
from mbsgd_lib.explore import matmul as matmul_module
from mbsgd_lib.explore import training as training_module
from mbsgd_lib.kernels import WAYS

CURVES = ["batch_size", "lr", "num_epochs", "seed", "method", "replacement"]
AXES = ["x", "log_x"]
SIZES = ["n", "width", "threads", "dtype"]


@pytest.fixture(scope="module")
def one_training():
    return training_explorer()


@pytest.fixture(scope="module")
def one_matmul():
    return matmul_explorer()


def values(explorer):
    return {name: control.value for name, control in explorer.controls.items()}


@pytest.fixture
def training(one_training):
    """Return an explorer that is put back to its first settings afterwards."""
    start = values(one_training)
    yield one_training
    one_training.kept.clear()
    one_training.set(**start)
    one_training.wait()


@pytest.fixture
def asked(monkeypatch):
    """Note which products are asked for instead of timing them, which must take its time."""
    asked = []

    def fake(n, width=64, *, ways, **settings):
        asked.append({"n": n, "width": width, **settings})
        return [
            SimpleNamespace(way=way, n=n, rows=min(n, 8), gflops=1.5, extrapolated=n > 8)
            for way in ways
        ]

    monkeypatch.setattr(matmul_module, "benchmark_matmul", fake)
    return asked


@pytest.fixture
def matmul(one_matmul, asked):
    """Return an explorer that times nothing, put back to its first settings afterwards."""
    start = values(one_matmul)
    yield one_matmul
    one_matmul.set(**start)
    one_matmul.wait()


@pytest.fixture(params=["training", "matmul"])
def either(request):
    """Return an explorer and one of its sliders."""
    explorer = request.getfixturevalue(request.param)
    return explorer, explorer.controls["lr" if request.param == "training" else "width"]


def ends(control):
    """Return the first and the last value of a control."""
    if isinstance(control, widgets.Checkbox):
        return [True, False]
    if isinstance(control, widgets.IntSlider):
        return [control.min, control.max]
    options = control.options.values() if isinstance(control.options, dict) else control.options
    return [*options][:: len(options) - 1]


def buttons(box):
    """Return the buttons inside a widget, by their label."""
    if isinstance(box, widgets.Button):
        return {box.description: box}
    inside = [buttons(child) for child in getattr(box, "children", ())]
    return {label: button for found in inside for label, button in found.items()}


def is_drawn(explorer):
    return explorer.picture.value.startswith("<figure") and "alert" not in explorer.text.value


def broken(*args, **settings):
    raise ValueError("no <such>\n    thing")


def test_training_opens_drawn_and_labelled(training):
    assert is_drawn(training)
    assert set(training.controls) == {*CURVES, *AXES}
    for name, control in training.controls.items():
        assert control is getattr(training, name)
        assert control.description
    assert {1, 10, 100, 1500} == {1, 10, 100, 1500} & set(training.batch_size.options)
    assert training.lr.options[0] < training.limit < training.lr.options[-1]


@pytest.mark.parametrize("name", CURVES)
def test_training_control_to_its_ends(training, name):
    for value in ends(training.controls[name]):
        training.controls[name].value = value
        training.wait()
        assert is_drawn(training)
        assert getattr(training.run, name) == value
        assert training.run.label in training.picture.value


@pytest.mark.parametrize("name", AXES)
def test_axes_change_without_training_anew(training, name):
    run, pictures = training.run, set()
    for value in ends(training.controls[name]):
        training.controls[name].value = value
        training.wait()
        assert is_drawn(training)
        pictures.add(training.picture.value)
    assert training.run is run
    assert len(pictures) == 2


@pytest.mark.parametrize("batch_size", [1, 1500])
@pytest.mark.parametrize("lr", [0.001, 2.0])
def test_training_corners(training, batch_size, lr):
    training.set(batch_size=batch_size, lr=lr, num_epochs=20, x="seconds", log_x=True)
    training.wait()
    text = training.text.value.lower()
    assert is_drawn(training)
    assert training.run.diverged == ("diverged" in text) == (lr == 2)
    assert ("full batch" in text) == (lr == 2 and batch_size == 1500)


def test_line_of_text(training):
    training.set(batch_size=100, lr=0.4)
    training.wait()
    run = training.run
    for number in ("30 updates", f"{run.sec_per_epoch * 1e3:.3g} ms", f"{run.final_loss:.4f}"):
        assert number in training.text.value


@pytest.mark.parametrize("name", SOURCE_RUNS)
def test_runs_of_the_source_are_one_click(training, name):
    buttons(training.widget)[f"Source: {name}"].click()
    training.wait()
    for setting, value in SOURCE_RUNS[name].items():
        assert getattr(training.run, setting) == training.controls[setting].value == value


def test_as_recorded_sets_what_the_book_recorded(training):
    training.set(batch_size=100, method="numpy", seed=3, replacement=True)
    buttons(training.widget)["As recorded"].click()
    training.wait()
    run = training.run
    assert (run.method, run.seed, run.replacement, run.batch_size) == ("autograd", 0, False, 100)


def test_keep_and_clear(training):
    for lr in (0.05, 0.1):
        training.lr.value = lr
        training.wait()
        buttons(training.widget)["Keep this run"].click()
    training.lr.value = 0.2
    training.wait()
    assert len(training.kept) == 2
    assert len(training.chart.lines) == 3
    for lr in (0.05, 0.1, 0.2):
        assert f"batch size 10, lr {lr:g}" in training.picture.value
    buttons(training.widget)["Clear"].click()
    training.wait()
    assert not training.kept
    assert len(training.chart.lines) == 1
    assert "lr 0.1" not in training.picture.value


@pytest.mark.parametrize("name", CURVES)
def test_kept_runs_may_differ_in_any_one_setting(training, name):
    for value in ends(training.controls[name]):
        training.controls[name].value = value
        training.wait()
        training.keep()
    training.wait()
    assert len(training.kept) == 2


def test_keep_does_not_wait_for_a_slow_run(training, monkeypatch):
    done = threading.Event()

    def slow(**settings):
        assert done.wait(5), "a click blocked the sliders"
        return train(**settings)

    drawn = training.run
    monkeypatch.setattr(training_module, "train", slow)
    training.seed.value = 5
    buttons(training.widget)["Keep this run"].click()
    done.set()
    training.wait()
    assert list(training.kept.values()) == [drawn]


def test_one_figure_is_updated(training):
    figure, axes = training.chart.figure, training.chart.ax
    training.lr.value = 0.3
    training.wait()
    assert training.chart.figure is figure
    assert training.chart.ax is axes


def held(monkeypatch, module, name, setting):
    """Hold the work until told; return what tells it and the settings that were worked on."""
    work, told, seen = getattr(module, name), threading.Event(), []

    def wrapper(*args, **settings):
        seen.append(settings[setting])
        assert told.wait(60)
        return work(*args, **settings)

    monkeypatch.setattr(module, name, wrapper)
    return told, seen


@pytest.mark.parametrize("by", ["slider", "set"])
def test_newest_setting_wins_and_no_queue_builds_up(either, monkeypatch, by):
    explorer, slider = either
    if explorer.kind == "training":
        name, work = "lr", (training_module, "train")
    else:
        name, work = "width", (matmul_module, "benchmark_matmul")
    told, seen = held(monkeypatch, *work, name)
    first, *others = [value for value in slider.options if value != slider.value]
    slider.value = first
    while not seen:  # until the first is under way
        told.wait(0.001)
    for value in others:
        if by == "slider":
            slider.value = value
        else:
            explorer.set(**{name: value})
    told.set()
    explorer.wait()
    assert list(dict.fromkeys(seen)) == [first, others[-1]]
    assert seen.count(first) == 1
    assert is_drawn(explorer)
    if name == "lr":
        assert explorer.run.lr == others[-1]
        assert f"lr {others[-1]:g}" in explorer.picture.value


def test_progress_shows_while_work_lasts(training, monkeypatch):
    shown = []

    def watched(**settings):
        run = train(**settings)
        shown.append((training.progress.value, training.progress.layout.visibility))
        return run

    monkeypatch.setattr(base, "PROGRESS_EVERY", -1)
    monkeypatch.setattr(training_module, "train", watched)
    training.seed.value = 3
    training.wait()
    assert shown == [(1, "visible")]
    assert training.progress.layout.visibility == "hidden"


def test_an_error_is_one_readable_line_and_does_not_last(either, monkeypatch, capfd):
    explorer, slider = either
    first, second = [value for value in slider.options if value != slider.value][:2]
    with monkeypatch.context() as patch:
        patch.setattr(training_module, "train", broken)
        patch.setattr(matmul_module, "benchmark_matmul", broken)
        slider.value = first
        with pytest.raises(ValueError, match="thing"):
            explorer.wait()
    assert "ValueError: no &lt;such&gt; thing" in explorer.text.value
    assert 'role="alert"' in explorer.text.value
    assert explorer.progress.layout.visibility == "hidden"
    assert capfd.readouterr() == ("", "")
    slider.value = second
    explorer.wait()
    assert is_drawn(explorer)


def test_an_error_in_a_button_is_one_readable_line(training, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(training, "kept", SimpleNamespace(clear=broken))
        buttons(training.widget)["Clear"].click()
    assert "ValueError: no &lt;such&gt; thing" in training.text.value


def test_divergence_prints_nothing(training, capfd):
    training.set(lr=2.0, batch_size=1)
    training.wait()
    assert capfd.readouterr() == ("", "")


def test_matmul_for_real(one_matmul):
    start = values(one_matmul)
    for setting in ({"n": 16, "threads": one_matmul.threads.max}, start):
        one_matmul.set(**setting)
        one_matmul.wait()
        assert is_drawn(one_matmul)
        n, threads = one_matmul.n.value, one_matmul.threads.value
        assert f"{n} × {n} matrices, blocks 64 wide, {threads} thread" in one_matmul.text.value
        assert "Ceiling" in one_matmul.text.value
        for way in WAYS:
            assert f"{way} " in one_matmul.picture.value
        assert torch.get_num_threads() == 1


@pytest.fixture
def second_device(monkeypatch):
    """Let the explorers find a GPU; the processor under another name plays it."""
    monkeypatch.setattr(base, "devices", lambda: ["cpu", "cpu:0"])


def test_device_is_a_control_only_where_there_is_a_choice(second_device, one_training, one_matmul):
    assert "device" in training_explorer().controls
    if not torch.cuda.is_available():
        assert "device" not in {*one_training.controls, *one_matmul.controls}


def test_training_on_another_device(second_device, monkeypatch):
    used = []

    def fake(*args, data, **settings):
        used.append(data[0])
        return replace(train(*args, data=data, **settings), device="cuda:0")

    monkeypatch.setattr(training_module, "train", fake)
    monkeypatch.setattr(Airfoil, "to", lambda data, device: moved[device])
    moved = {name: load_airfoil() for name in ("cpu", "cpu:0")}
    explorer = training_explorer()
    explorer.set(device="cpu:0", method="manual")
    explorer.wait()
    assert used[-1] is moved["cpu:0"].X
    buttons(explorer.widget)["Keep this run"].click()
    explorer.wait()
    assert any("manual on cuda:0, seed 0" in name for name in explorer.kept)
    buttons(explorer.widget)["As recorded"].click()
    explorer.wait()
    assert explorer.device.value == "cpu"
    assert used[-1] is moved["cpu"].X


def test_matmul_on_another_device(second_device, asked):
    explorer = matmul_explorer()
    explorer.device.value = "cpu:0"
    explorer.wait()
    assert [settings["device"] for settings in asked[-7:]] == ["cpu:0"] * 7  # and the ceiling
    assert is_drawn(explorer)


@pytest.mark.parametrize("name", SIZES)
def test_matmul_control_to_its_ends(matmul, asked, name):
    for value in ends(matmul.controls[name]):
        matmul.set(**{name: value})
        matmul.wait()
        assert is_drawn(matmul)
        expected = getattr(torch, value) if name == "dtype" else value
        assert expected in [settings[name] for settings in asked]


def test_slow_ways_say_that_they_are_extrapolated(matmul):
    matmul.n.value = 512
    matmul.wait()
    assert "element (8 of 512 rows)" in matmul.text.value
    matmul.n.value = 16
    matmul.wait()
    assert "8 of 512" not in matmul.text.value


def test_live_in_jupyterlab_and_recorded_in_the_book(either, monkeypatch, tmp_path):
    widget = "application/vnd.jupyter.widget-view+json"
    monkeypatch.delenv("MBSGD_REPLAY_DIR", raising=False)
    assert set(either[0]._repr_mimebundle_()) == {widget, "text/plain"}
    monkeypatch.setenv("MBSGD_REPLAY_DIR", str(tmp_path))
    bundle = either[0]._repr_mimebundle_()
    assert widget in bundle
    assert "mbsgd-replay" in bundle["text/html"]


def test_trains_nothing_for_the_book(monkeypatch, tmp_path):
    monkeypatch.setenv("MBSGD_REPLAY_DIR", str(tmp_path))
    explorer = training_explorer()
    explorer.wait()
    assert explorer.run is None


@pytest.mark.parametrize(("numba", "method"), [(True, "compiled"), (False, "blocked")])
def test_training_starts_with_the_method_that_answers_at_once(numba, method, monkeypatch):
    monkeypatch.setattr("mbsgd_lib.explore.training.find_spec", lambda name: numba or None)
    explorer = training_explorer()
    assert explorer.method.value == explorer.run.method == method
