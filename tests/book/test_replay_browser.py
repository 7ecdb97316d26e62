"""The replay's front end in a real browser, on a page of its own with a small, real recording."""

import functools
import gzip
import http.server
import importlib
import json
import math
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pydata_sphinx_theme
import pytest
from building import ROOT

from mbsgd_lib.replay import Replay

FRONT_END = ROOT / "book" / "replay"
CORE = "replay-core.js"  # comes first
SCRIPTS = [CORE, *sorted({path.name for path in FRONT_END.glob("*.js")} - {CORE})]
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static/styles"
STROKES = "all => all.map(each => getComputedStyle(each).stroke)"
SETTINGS = {
    "light wide": {"theme": "light", "width": 1280},
    "dark phone": {"theme": "dark", "width": 360},
}
BAD_FRAGMENTS = ["#training?b=7&lr=nan&x=y", "#training?keep=a@b,,,,,,,,", "#%&=?;"]


@pytest.fixture(scope="session")
def modules():
    """The modules that record, as they are in the book."""
    sys.path.insert(0, str(ROOT / "book"))
    yield importlib.import_module("record"), importlib.import_module("record_matmul")
    sys.path.remove(str(ROOT / "book"))


@pytest.fixture(scope="session")
def recordings(modules):
    """Real recordings of grids that take a few seconds."""
    runs, products = modules
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "EPOCHS", {1: 2, 10: 3, 100: 6, 1500: 120})
        patch.setattr(runs, "RATES", [0.005, 0.05, 0.4, 1])
        patch.setattr(products, "SIZES", [32, 256])
        patch.setattr(products, "WIDTHS", [16, 32, 64])
        patch.setattr(products, "BUDGET", 0.01)
        told = []
        training = runs.record_training(lambda done, what: told.append(done))
        matmul = products.record_matmul(lambda done, what: told.append(done))
    assert all(0 <= done <= 1 for done in told)
    return {"training": training, "matmul": matmul | {"about": runs.about()}}


CHARTS = ["line", "heat", "histogram"]
FRAMES = {
    "controls": [
        {"name": "size", "label": "size", "values": [1, 10], "value": 10},
        {"name": "chart", "label": "chart", "values": CHARTS, "value": "line"},
        {"name": "drawn", "label": "drawn", "values": [False, True], "value": True},
    ],
    "frames": [
        frame | {"text": f"size {size}, {frame['chart']}, drawn {drawn}"}
        for size in (1, 10)
        for frame in (
            {
                "chart": "line", "xlabel": "x (s)", "ylabel": "y", "log_x": True, "log_y": True,
                "xlim": [1, 100], "ylim": [1e-6, 1],
                "lines": [{"name": "a", "x": [1, 10, 100], "y": [1, None, 1e-4 * size],
                           "markers": True, "dash": False}],
                "marks": [{"axis": "x", "value": 10, "label": "ten"},
                          {"axis": "y", "value": 0.1, "label": "tenth"}],
            },
            {
                "chart": "heat", "xlabel": "x", "ylabel": "y", "log_x": True,
                "heat": {"x": [1, 10, 100], "y": [1, 2], "z": [[0, 1, None], [3, 4, 5]],
                         "label": "height"},
                "lines": [{"name": "b", "x": [1, 10], "y": [1, 2], "markers": False, "dash": True}],
            },
            {
                "chart": "histogram", "xlabel": "x", "ylabel": "count", "xlim": [-2, 2],
                "ylim": None, "histogram": {"edges": [-1, 0, 1], "counts": [3, size]},
                "lines": [], "marks": [],
            },
        )
        for drawn in (False, True)
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def site(recordings, tmp_path_factory):
    """A folder with one page a theme, and its address over http."""
    folder = tmp_path_factory.mktemp("site")
    for path in [*FRONT_END.iterdir(), THEME / "pydata-sphinx-theme.css"]:
        (folder / path.name).write_bytes(path.read_bytes())
    replays = [
        Replay("training", recordings["training"]),
        Replay("matmul", recordings["matmul"]),
        Replay("training", recordings["training"], name="second", b=1, lr=0.05),
        Replay("frames", FRAMES, name="pictures"),
    ]
    for theme in ("light", "dark"):
        (folder / f"{theme}.html").write_text(page_of(replays, theme), encoding="utf-8")
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"file": folder.as_uri(), "http": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def page_of(replays, theme):
    """Return a page of the book's theme, in small."""
    sheets = ("pydata-sphinx-theme.css", "replay.css")
    styles = "".join(f'<link rel="stylesheet" href="{name}">' for name in sheets)
    scripts = "".join(f'<script src="{name}"></script>' for name in SCRIPTS)
    body = "".join(replay.html() for replay in replays)
    return (
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>Replay</title>'
        f'<link rel="icon" href="data:,">{styles}{scripts}</head><body>'
        '<main style="width:100%;max-width:800px;padding:0 12px;box-sizing:border-box">'
        f'<h1>Page</h1><a href="#below">an anchor</a>{body}<h2 id="below">Below</h2></main>'
    )


@pytest.fixture
def visit(browser, site):
    """Open a page and, at the end, see that it kept silent and stayed on its own host."""
    contexts, problems = [], []

    def open_page(theme="light", width=1280, scheme="file", fragment="", **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        ours = (site["file"], site["http"], "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(ours) or problems.append(r.url))
        page.goto(f"{site[scheme]}/{theme}.html{fragment}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def replay(page, name="training"):
    return page.locator(f".mbsgd-replay[data-name={name}]")


def unpack(recording, b, lr):
    """Return a recorded run's axes as the page must draw them."""
    row = next(row for row in recording["grid"] if row["b"] == b)
    packed = row["runs"][recording["rates"].index(lr)]
    per_epoch = math.ceil(recording["n"] / b)
    updates = row["updates"][: len(packed["loss"])]
    seconds = [sum(packed["us"][:i]) / 1e6 for i in range(len(updates))]
    epochs = [u // per_epoch + u % per_epoch * b / recording["n"] for u in updates]
    loss = [value / 1e5 for value in packed["loss"]]
    return {"updates": updates, "seconds": seconds, "epochs": epochs, "loss": loss}


def drawn(chart, run_id):
    """Return the drawn points of a run in the units of the axes."""
    svg = chart.locator(".mr-frame .mr-chart")
    path = svg.locator(f'.mr-line[data-id="{run_id}"]').get_attribute("d")
    x0, x1 = map(float, svg.get_attribute("data-x").split(","))
    y0, y1 = map(float, svg.get_attribute("data-y").split(","))
    left, right, top, bottom = map(float, svg.get_attribute("data-box").split(","))
    log_x, log_y = (each == "1" for each in svg.get_attribute("data-log").split(","))
    points = []
    for pair in re.findall(r"[\d.-]+,[\d.-]+", path):
        px, py = map(float, pair.split(","))
        x = between(x0, x1, (px - left) / (right - left), log_x)
        points.append((x, between(y0, y1, (bottom - py) / (bottom - top), log_y)))
    return points


def between(low, high, part, log):
    return low * (high / low) ** part if log else low + part * (high - low)


def assert_drawn(chart, recording, b, lr, axis="epochs", log=True):
    run = unpack(recording, b, lr)
    expected = [(x, y) for x, y in zip(run[axis], run["loss"], strict=True) if x > 0 or not log]
    points = drawn(chart, f"{b}@{lr:g}")
    assert len(points) == len(expected)
    widest = expected[-1][0]
    for (x, y), (x_true, y_true) in zip(points, expected, strict=True):
        assert x == pytest.approx(x_true, rel=2e-3, abs=2e-3 * widest * (not log))
        assert y == pytest.approx(y_true, abs=1e-3)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("scheme", ["file", "http"])
def test_keyboard_moves_the_sliders(visit, recordings, setting, scheme):
    page = visit(**SETTINGS[setting], scheme=scheme)
    chart, recording = replay(page), recordings["training"]
    batch, rate = chart.get_by_label("Batch size"), chart.get_by_label("Learning rate")
    assert_drawn(chart, recording, 100, 0.4)
    batch.press("Home")
    rate.press("End")
    assert_drawn(chart, recording, 1, 1)
    rate.press("ArrowLeft")
    batch.press("ArrowRight")
    assert_drawn(chart, recording, 10, 0.4)
    assert batch.get_attribute("aria-valuetext") == "batch size 10"
    assert rate.get_attribute("aria-valuetext") == "learning rate 0.4"
    assert chart.get_by_text("Batch size 10, learning rate 0.4.").count() == 1


@pytest.mark.parametrize("touch", [False, True])
def test_pointer_moves_the_sliders(visit, recordings, touch):
    page = visit(width=360, has_touch=touch)
    chart = replay(page)
    slider = chart.get_by_label("Batch size")
    box = slider.bounding_box()
    end = {"x": box["width"] - 3, "y": box["height"] / 2}
    slider.tap(position=end) if touch else slider.click(position=end)
    assert_drawn(chart, recordings["training"], 1500, 0.4)


def test_map_chooses_a_run(visit, recordings):
    chart = replay(visit())
    chart.locator('.mr-map [data-id="1500@0.05"]').click()
    assert_drawn(chart, recordings["training"], 1500, 0.05)


@pytest.mark.parametrize("axis", ["epochs", "updates", "seconds"])
@pytest.mark.parametrize("log", [True, False])
def test_axes(visit, recordings, axis, log):
    chart = replay(visit())
    chart.get_by_role("radio", name=axis).check()
    chart.get_by_label("log axis").set_checked(log)
    assert_drawn(chart, recordings["training"], 100, 0.4, axis, log)


def test_buttons_of_the_source(visit, recordings):
    chart = replay(visit())
    for source in recordings["training"]["source"]:
        button = chart.get_by_role("button", name=source["title"], exact=True)
        button.click()
        assert button.get_attribute("aria-pressed") == "true"
        assert_drawn(chart, recordings["training"], source["b"], source["lr"])


def test_keep_remove_and_clear(visit, recordings):
    chart = replay(visit())
    keep = chart.get_by_role("button", name="Keep this run")
    keep.click()
    assert keep.is_disabled()
    chart.get_by_role("button", name="SGD").click()
    keep.click()
    chart.get_by_role("button", name="Batch size 10", exact=True).click()
    for b, lr in [(100, 0.4), (1, 0.005), (10, 0.05)]:
        assert_drawn(chart, recordings["training"], b, lr)
    assert len(set(chart.locator(".mr-line").evaluate_all(STROKES))) == 3
    chart.get_by_role("button", name="Remove b 100, lr 0.4").click()
    assert chart.locator(".mr-line").count() == 2
    chart.get_by_role("button", name="Clear").click()
    assert chart.locator(".mr-line").count() == 1


def test_divergence_is_said_and_the_limit_marked(visit, recordings):
    chart = replay(visit())
    limit = chart.get_by_text("2/λmax = 0.953", exact=True)
    assert limit.is_hidden()
    chart.get_by_role("button", name="Gradient descent").click()
    assert limit.is_visible()
    assert chart.get_by_text("Diverges: the loss is lowest").count() == 1
    assert chart.get_by_text("this learning rate is above it").count() == 1


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_state_lives_in_the_address(visit, recordings, scheme):
    page = visit(scheme=scheme, fragment="#training?b=1500&lr=0.05&keep=10@0.4&log=0")
    chart, recording = replay(page), recordings["training"]
    assert_drawn(chart, recording, 1500, 0.05, log=False)
    assert_drawn(chart, recording, 10, 0.4, log=False)
    chart.get_by_role("button", name="SGD").click()
    replay(page, "matmul").get_by_label("block width").press("Home")
    address = page.url
    assert address.endswith("#training?b=1&lr=0.005&keep=10@0.4&log=0;matmul?width=16")
    page.reload()
    assert_drawn(chart, recording, 1, 0.005, log=False)
    assert page.url == address
    page.go_back()
    page.go_back()
    assert_drawn(chart, recording, 1500, 0.05, log=False)
    page.go_forward()
    assert_drawn(chart, recording, 1, 0.005, log=False)


def test_anchors_leave_the_state_alone(visit, recordings):
    page = visit()
    chart, recording = replay(page), recordings["training"]
    chart.get_by_role("button", name="SGD").click()
    page.get_by_role("link", name="an anchor").click()
    assert page.url.endswith("#below")
    assert_drawn(chart, recording, 1, 0.005)
    page.reload()
    assert_drawn(chart, recording, 1, 0.005)
    page.go_back()
    page.go_back()
    assert_drawn(chart, recording, 100, 0.4)


@pytest.mark.parametrize("fragment", BAD_FRAGMENTS)
def test_bad_fragments_are_ignored(visit, recordings, fragment):
    assert_drawn(replay(visit(fragment=fragment)), recordings["training"], 100, 0.4)


def test_replays_of_one_page_are_apart(visit, recordings):
    page = visit()
    assert_drawn(replay(page, "second"), recordings["training"], 1, 0.05)
    replay(page, "second").get_by_role("button", name="SGD").click()
    assert page.url.endswith("#second?lr=0.005")
    assert_drawn(replay(page), recordings["training"], 100, 0.4)


def winner(recording, runs):
    """Return the name of the first run at the target, and its seconds."""
    times = {}
    for b, lr in runs:
        run = unpack(recording, b, lr)
        reached = [loss <= recording["target"] for loss in run["loss"]]
        seconds = run["seconds"][reached.index(True)] if any(reached) else math.inf
        times[f"b {b}, lr {lr:g}"] = seconds
    return min(times.items(), key=lambda item: item[1])


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_race_ends_with_the_winner(visit, recordings, motion):
    page = visit(fragment="#training?b=1500&lr=0.4&keep=10@0.05,1500@1", reduced_motion=motion)
    chart = replay(page)
    chart.get_by_role("button", name="Race", exact=True).click()
    if motion == "no-preference":
        assert chart.get_by_text("Race to a loss of").count() == 1
        chart.get_by_role("button", name="Pause").click()
        before = chart.locator(".mr-clock").inner_text()
        page.wait_for_timeout(100)
        assert chart.locator(".mr-clock").inner_text() == before
        chart.get_by_label("Race speed").select_option("real time")
        chart.get_by_role("button", name="Go on").click()
    name, _ = winner(recordings["training"], [(1500, 0.4), (10, 0.05), (1500, 1)])
    chart.get_by_text(f"{name} wins").wait_for()
    assert "b 1500, lr 1 diverges" in chart.locator(".mr-summary").inner_text()
    chart.get_by_role("button", name="End race").click()
    assert_drawn(chart, recordings["training"], 10, 0.05)


def test_race_draws_each_run_up_to_the_same_time(visit, recordings):
    page = visit(fragment="#training?x=updates&log=0", reduced_motion="reduce")
    chart = replay(page)
    chart.get_by_role("button", name="Race", exact=True).click()
    assert chart.locator(".mr-line").count() == 4  # with nothing kept, the source's runs
    chart.get_by_label("Race time").fill("300")
    clock = chart.locator(".mr-clock").inner_text().split()
    now = float(clock[0]) * {"s": 1, "ms": 1e-3, "µs": 1e-6}[clock[1]]
    for source in recordings["training"]["source"]:
        run = unpack(recordings["training"], source["b"], source["lr"])
        head = drawn(chart, f"{source['b']}@{source['lr']:g}")[-1][0]
        expected = np.interp(now, run["seconds"], run["updates"])
        assert head == pytest.approx(expected, rel=0.01, abs=10)


def test_downloads(visit, recordings):
    page = visit(theme="dark", fragment="#training?keep=1@0.05")
    chart = replay(page)
    with page.expect_download() as download:
        chart.get_by_role("button", name="CSV").click()
    header, *rows = Path(download.value.path()).read_text().splitlines()
    assert header == "batch_size,learning_rate,updates,epochs,seconds,loss"
    run = unpack(recordings["training"], 100, 0.4)
    losses = [float(row.split(",")[-1]) for row in rows if row.startswith("100,0.4,")]
    assert losses == run["loss"]
    assert len(rows) > len(losses)
    with page.expect_download() as download:
        chart.get_by_role("button", name="PNG").click()
    picture = Path(download.value.path()).read_bytes()
    assert picture[1:4] == b"PNG"
    assert int.from_bytes(picture[16:20]) == 1800


@pytest.mark.parametrize("setting", SETTINGS)
def test_matmul_bars(visit, recordings, setting):
    chart = replay(visit(**SETTINGS[setting]), "matmul")
    chart.get_by_label("matrix size n").press("Home")
    chart.get_by_label("block width").press("End")  # 64, wider than the matrix: 32 is shown
    svg = chart.locator(".mr-chart")
    x0, x1 = map(float, svg.get_attribute("data-x").split(","))
    left, right = map(float, svg.get_attribute("data-box").split(",")[:2])
    frame = recordings["matmul"]["frames"][2]
    for way, speed in zip(frame["bars"]["labels"], frame["bars"]["values"], strict=True):
        width = float(svg.locator(f'.mr-bar[data-id="{way}"]').get_attribute("width"))
        assert x0 * (x1 / x0) ** (width / (right - left)) == pytest.approx(speed, rel=0.02)
    assert "blocks 32 wide" in chart.locator(".mr-summary").inner_text()


def test_frames_of_lines(visit):
    page = visit()
    chart = replay(page, "pictures")
    assert chart.get_by_text("size 10, line, drawn True").count() == 1
    points = drawn(chart, "a")
    assert points == [pytest.approx((1, 1), rel=0.02), pytest.approx((100, 1e-3), rel=0.02)]
    assert chart.locator(".mr-rule").count() == 2
    chart.get_by_role("slider", name="size").press("Home")
    assert drawn(chart, "a")[-1] == pytest.approx((100, 1e-4), rel=0.02)
    chart.get_by_role("radio", name="no").check()
    assert chart.get_by_text("size 1, line, drawn False").count() == 1
    assert page.url.endswith("#pictures?size=1&drawn=false")
    page.go_back()
    assert chart.get_by_text("size 1, line, drawn True").count() == 1


def test_frames_of_boxes(visit):
    chart = replay(visit(fragment="#pictures?chart=heat"), "pictures")
    shades = "all => all.map(each => each.style.getPropertyValue('--shade'))"
    cells = chart.locator(".mr-cell")
    assert cells.evaluate_all(shades) == ["0%", "20%", "60%", "80%", "100%"]  # one is missing
    chart.get_by_role("radio", name="histogram").check()
    low, high = (float(height) for height in cells.evaluate_all(
        "all => all.map(each => each.getAttribute('height'))"))  # fmt: skip
    assert high / low == pytest.approx(10 / 3, rel=0.01)


def test_csv_of_frames(visit):
    page = visit(fragment="#pictures?chart=heat")
    with page.expect_download() as download:
        replay(page, "pictures").get_by_role("button", name="CSV").click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert rows[:3] == ["series,x,y,z", '"b",1,1', '"b",10,2']
    assert rows[-1] == "map,100,2,5"


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_nothing_overflows(visit, width):
    page = visit(width=width, fragment="#training?b=1500&lr=1&keep=1500@0.4,1@0.005,10@0.05,1@0.05")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_javascript_the_figure_stays(visit, recordings):
    page = visit(java_script_enabled=False)
    figure = replay(page).get_by_role("img")
    assert figure.is_visible()
    for source in recordings["training"]["source"]:
        assert source["title"] in figure.get_attribute("aria-label")
    assert replay(page).locator(".mr-about").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_stand_out_from_the_background(visit, theme):
    page = visit(theme=theme, fragment="#training?keep=1@0.005,1@0.05,1@0.4,10@0.05,10@0.4,10@1")
    paper = "e => getComputedStyle(e).backgroundColor"
    background = luminance(replay(page).locator(".mr-frame .mr-chart").evaluate(paper))
    lines = replay(page).locator(".mr-line").evaluate_all(STROKES)
    assert len(set(lines)) == 7
    for color in lines:
        bright, dim = sorted([luminance(color), background], reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 3


def luminance(color):
    """Relative luminance as WCAG defines it."""
    parts = [int(value) / 255 for value in re.findall(r"\d+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_front_end_is_small():
    scripts = b"".join((FRONT_END / name).read_bytes() for name in SCRIPTS)
    assert len(gzip.compress(scripts)) < 12_000


def test_grid_covers_what_the_course_needs(modules):
    full = modules[0]
    assert len(full.EPOCHS) >= 12
    assert {1, 10, 100, 1500} <= set(full.EPOCHS)
    assert list(full.EPOCHS.values()) == sorted(full.EPOCHS.values())
    assert len(full.RATES) >= 9
    assert {0.005, 0.05, 0.4, 1} <= set(full.RATES)
    assert full.EPOCHS[1] >= 10
    assert full.EPOCHS[1500] >= 100


def test_recording_is_valid_and_short(recordings):
    text = json.dumps(recordings["training"], allow_nan=False)
    assert "NaN" not in text
    for row in recordings["training"]["grid"]:
        assert row["updates"][0] == 0
        assert len(row["updates"]) <= 75
        for run in row["runs"]:
            assert len(run["loss"]) == len(run["us"]) + 1 <= len(row["updates"])
            assert all(step >= 0 for step in run["us"])
