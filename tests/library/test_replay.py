"""The block of HTML that carries a recording."""

import json
import re

import pytest

from mbsgd_lib.picture import Picture
from mbsgd_lib.replay import Replay

ABOUT = {
    "processor": "Model <A> & B", "threads": 1, "python": "3.11.0", "torch": "2.13.0",
    "date": "2026-01-31",
}  # fmt: skip


@pytest.fixture
def training():
    """Two batch sizes by two rates on ten rows; losses and times are made up."""
    runs = [
        {"us": [100, 50], "loss": [50000, 30000, 25000], "diverged": False},
        {"us": [100], "loss": [50000, 10000000], "diverged": True},
    ]
    source = [
        {"title": "Gradient descent", "b": 10, "lr": 1, "epochs": 2},
        {"title": "Small", "b": 4, "lr": 0.1, "epochs": 1},
    ]
    grid = [
        {"b": 4, "epochs": 2, "updates": [0, 3, 6], "runs": runs},
        {"b": 10, "epochs": 2, "updates": [0, 1, 2], "runs": runs},
    ]
    about = ABOUT | {"method": "autograd", "seed": 0}
    return {
        "about": about, "n": 10, "floor": 0.24, "target": 0.25, "limit": 0.9, "clip": 100,
        "rates": [0.1, 1], "source": source, "grid": grid,
    }  # fmt: skip


@pytest.fixture
def matmul():
    """Two sizes, one frame each."""
    frames = [
        {
            "chart": "bar", "xlabel": "speed (GFLOP/s)", "text": f"Size {n}.",
            "bars": {"labels": ["element", "whole"], "values": [n / 10, n], "notes": ["*", ""]},
        }
        for n in (32, 64)
    ]  # fmt: skip
    control = {"name": "n", "label": "size", "values": [32, 64], "value": 64}
    return {"about": ABOUT, "controls": [control], "frames": frames}


def test_block_carries_the_recording(training):
    text = Replay("training", training, b=10, lr=1).html()
    data = re.search(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)[1]
    assert json.loads(data) == training
    assert 'data-kind="training" data-state="{&quot;b&quot;: &quot;10&quot;' in text


def test_markup_in_a_recording_stays_text(training):
    training["about"]["processor"] = "</script><b>"
    text = Replay("training", training).html()
    assert text.count("</script>") == 1
    assert "&lt;/script&gt;&lt;b&gt;" in text


def test_static_figure_shows_the_source_runs(training):
    text = Replay("training", training).html()
    alt = re.search(r'role="img" aria-label="(.*?)"', text)[1]
    assert "Small: 0.500 to 0.3 in 0.0001 s" in alt  # one epoch, not the two recorded
    assert "Gradient descent: 0.500 to 100 in 0.0001 s (diverged)" in alt


def test_static_figure_shows_the_first_setting(matmul):
    text = Replay("matmul", matmul).html()
    alt = re.search(r'role="img" aria-label="(.*?)"', text)[1]
    assert "element 6.4, whole 64" in alt
    assert "<figcaption>Size 64.</figcaption>" in text
    assert 'data-kind="frames"' in text


def test_frames_without_a_figure_are_told_in_words(matmul):
    matmul["frames"][1] = {"chart": "line", "text": "Up < down."}
    text = Replay("frames", {key: matmul[key] for key in ("controls", "frames")}).html()
    assert "<figure><figcaption>Up &lt; down.</figcaption></figure>" in text
    assert "Computed when this page was built." in text


def test_figure_may_be_given(matmul):
    text = Replay("frames", matmul, figure=Picture("<svg></svg>", "alt")).html()
    assert '<figure class="mbsgd-figure"><svg></svg></figure>' in text


def test_origin_is_told(training):
    text = Replay("training", training).html()
    for part in ("2026-01-31", "Model &lt;A&gt; &amp; B", "1 thread,", "2.13.0", "autograd"):
        assert part in text


def test_recording_is_found_through_the_environment(training, monkeypatch, tmp_path):
    monkeypatch.delenv("MBSGD_REPLAY_DIR", raising=False)
    assert "data-missing" in Replay("training").html()
    monkeypatch.setenv("MBSGD_REPLAY_DIR", str(tmp_path))
    assert "data-missing" in Replay("training").html()
    (tmp_path / "training.json").write_text(json.dumps(training), encoding="utf-8")
    assert Replay("training").recording == training
    assert "data-missing" not in Replay("training").html()


def test_invalid_numbers_are_refused(training):
    training["floor"] = float("nan")
    with pytest.raises(ValueError, match="Out of range float"):
        Replay("training", training).html()


def test_bad_arguments_are_named():
    with pytest.raises(
        ValueError, match=r"kind must be one of \['training', 'matmul', 'frames'\], got 'x'"
    ):
        Replay("x")
    with pytest.raises(ValueError, match=r"name must be .*, got 'a b'"):
        Replay("training", name="a b")
