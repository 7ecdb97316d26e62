import re
import threading
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from mbsgd_lib import train
from mbsgd_lib.charts import BarsChart, RunsChart
from mbsgd_lib.picture import COLORS, INK, Picture, in_style
from mbsgd_lib.plot import plot_bars, plot_lines, plot_runs

NASTY = """<b>"fast" & 'loose'</b>"""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def runs():
    """Return two good runs and one that diverged."""
    settings = [(1500, 0.5), (100, 0.4), (10, 3.0)]
    return [train(*pair, 2, method="manual") for pair in settings]


PICTURES = {
    "runs": lambda runs, **more: plot_runs(runs, floor=0.24169, **more),
    "named runs": lambda runs, **more: plot_runs({NASTY: runs[0], "b": runs[2]}, **more),
    "updates": lambda runs, **more: plot_runs(runs, x="updates", **more),
    "log seconds": lambda runs, **more: plot_runs(runs, x="seconds", log_x=True, **more),
    "one mark": lambda runs, **more: plot_runs(runs[:1], log_x=True, **more),
    "diverged": lambda runs, **more: plot_runs(runs[2:], **more),
    "bars": lambda _, **more: plot_bars(["a", NASTY], [0.1, 50], "GFLOP/s", ceiling=90, **more),
    "one bar": lambda _, **more: plot_bars(["a"], (v for v in [3]), "s", **more),
    "lines": lambda _, **more: plot_lines([1, 2], {"a": [1, 2], NASTY: [3, 4]}, "x", "y", **more),
    "log lines": lambda _, **more: plot_lines(
        [1, 10], {"a": [1, 10]}, "x", "y", log_x=True, log_y=True, markers=True, floor=1, **more
    ),
    "gaps": lambda _, **more: plot_lines([1, 2, 3], {"a": [1, np.nan, np.inf]}, "x", "y", **more),
    "with ruler": lambda runs, **more: RunsChart(0.24, 0.95).draw({"a": runs[2]}, **more),
}


@pytest.fixture(params=PICTURES)
def draw(request, runs):
    return lambda **more: PICTURES[request.param](runs, **more)


def parse(picture):
    """Return the SVG element, which a browser finds well-formed."""
    assert isinstance(picture, Picture)
    return ElementTree.fromstring(picture.svg)


def ids(picture):
    return re.findall(r'\sid="([^"]*)"', picture.svg)


def words(picture):
    return [element.text for element in parse(picture).iter(f"{SVG}text")]


def test_picture_is_an_image_with_words(draw):
    picture = draw()
    svg = parse(picture)
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == picture.alt == repr(picture)
    assert len(picture.alt) > 15
    assert picture._repr_html_().startswith("<figure")
    assert picture.svg in picture._repr_html_()
    assert "figcaption" not in picture._repr_html_()


def test_own_words_are_escaped_and_the_caption_is_shown(draw):
    picture = draw(alt=NASTY, caption="Best: <b>0.243</b>")
    assert parse(picture).get("aria-label") == NASTY
    assert "<figcaption>Best: <b>0.243</b></figcaption>" in picture._repr_html_()


def test_picture_follows_the_text_colour_of_the_page(draw):
    svg = draw().svg
    assert "currentColor" in svg
    assert INK not in svg
    fixed = {color.lower() for color in re.findall("#[0-9a-fA-F]{6}", svg)}
    assert fixed <= set(COLORS)
    assert not re.search(r"\b(fill|stroke): *(black|white|#000|#fff)\b", svg)


def test_picture_changes_nothing_else_on_the_page(draw):
    picture = draw()
    assert "<style" not in picture.svg
    assert "<script" not in picture.svg
    assert len(ids(picture)) == len(set(ids(picture)))
    used = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', picture.svg)
    assert {a or b for a, b in used} == set(ids(picture))
    assert not re.search(r"(?<!xmlns)(?<!xmlns:xlink)=\"https?://", picture.svg)


def test_pictures_on_one_page_share_no_id(runs):
    pictures = [draw(runs) for draw in PICTURES.values()]
    everything = [name for picture in pictures for name in ids(picture)]
    assert len(everything) == len(set(everything))


def test_the_readers_own_style_is_left_alone(draw):
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


def test_style_is_left_alone_by_figures_drawn_at_once():
    """An explorer draws in a thread of its own while another figure is drawn."""
    before = dict(mpl.rcParams)
    entered = [threading.Event(), threading.Event()]
    leave = [threading.Event(), threading.Event()]

    @in_style
    def draw(i):
        entered[i].set()
        leave[i].wait()

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(2)]
    for i in range(2):
        threads[i].start()
        entered[i].wait(0.1)  # the second may have to wait for its turn
    for i in range(2):
        leave[i].set()
        threads[i].join()
    after = dict(mpl.rcParams)
    mpl.rcParams.update(before)
    assert after == before


def luminance(color):
    """Return the relative luminance of WCAG 2.2."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("page", ["#ffffff", "#14181e"])
@pytest.mark.parametrize("color", COLORS)
def test_lines_stand_out_from_the_page(color, page):
    dark, light = sorted([luminance(color), luminance(page)])
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_alt_text_tells_the_data(runs):
    alt = plot_runs(runs).alt
    assert "loss against epochs" in alt
    for run in runs:
        assert f"{run.label}: {run.loss[0]:.3f} to {run.final_loss:.4g}" in alt
    assert alt.count("(diverged)") == 1
    assert plot_bars(["a", "b"], [0.12345, 50], "s").alt == "Bar chart of s: a 0.123, b 50."
    lines = plot_lines([1, 9], {"a": [2, 3]}, "size", "speed").alt
    assert lines == "Line chart of speed against size from 1 to 9. a: 2 to 3."


def test_words_in_the_picture(runs):
    shown = words(plot_runs(runs, x="seconds", floor=0.24169))
    assert {"training time (s)", "least squares 0.2417"} <= set(shown)
    assert {run.label for run in runs} <= set(shown)
    assert {"GFLOP/s", NASTY, "50"} <= set(words(plot_bars(["a", NASTY], [0.1, 50], "GFLOP/s")))


@pytest.mark.parametrize(("x", "log_x"), [("epochs", 0), ("updates", 1), ("seconds", 1)])
def test_chart_holds_the_record(runs, x, log_x):
    chart = RunsChart()
    chart.draw({run.label: run for run in runs}, x, log_x=bool(log_x))
    for line, run in zip(chart.lines, runs, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), getattr(run, x)[log_x:])
        np.testing.assert_array_equal(line.get_ydata(), run.loss[log_x:])


def test_runs_of_the_same_settings_are_all_drawn():
    pair = [train(100, 0.4, seed=seed) for seed in (0, 1)]
    assert plot_runs(pair).alt.count(" to ") == 2


@pytest.mark.parametrize("limit", [None, 0.95])
def test_updated_chart_is_as_good_as_a_new_one(runs, limit):
    named = {run.label: run for run in runs}
    one = {"only": runs[1]}
    chart = RunsChart(0.24, limit)
    figure = chart.figure
    steps = [(named, "epochs", False), (one, "seconds", True), (named, "updates", False)]
    for shown, x, log_x in steps:
        updated = chart.draw(shown, x, log_x=log_x)
        assert updated.svg == RunsChart(0.24, limit).draw(shown, x, log_x=log_x).svg
    assert chart.figure is figure


def test_updated_bars_are_as_good_as_new_ones():
    chart = BarsChart(["a", "b"], "s")
    for values, ceiling in [([1, 100], 200), ([0.1, 0.2], None), ([3, 4], 5)]:
        updated = chart.draw(values, ceiling=ceiling)
        assert updated.svg == plot_bars(["a", "b"], values, "s", ceiling=ceiling).svg


@pytest.mark.parametrize("x", ["time", "", None, "loss"])
def test_unknown_axis(runs, x):
    with pytest.raises(ValueError, match=r"x must be one of \['epochs', .*\], got"):
        plot_runs(runs, x=x)


def test_bars_without_a_value():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        plot_bars(["a", "b"], [1], "s")
