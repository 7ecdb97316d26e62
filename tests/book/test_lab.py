"""Chapters in a real JupyterLab: opened, run, read, and their sliders moved by keyboard."""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import jupytext
import pytest
from building import ROOT
from jupyter_client import BlockingKernelClient
from playwright.sync_api import expect

PATIENCE = 300  # seconds for each wait: the machine may be busy
SILENCE = 30  # seconds after which to ask again: the first cell imports PyTorch
SETTINGS = ("IPYTHON", "JUPYTER", "MAKE", "XDG_")  # what variables of the user's begin with
WATCH = "drawn = []; training.picture.observe(lambda _: drawn.append(training.run.batch_size))"
THREADS = "sorted(each.name for each in __import__('threading').enumerate())"
LEFT = f"({THREADS}, training._pool._work_queue.qsize(), drawn[-1], {{1, 2}} & {{*drawn}})"


@pytest.fixture
def page(browser, tmp_path):
    """What `make lab` shows in a copy of the chapters, with folders of its own for all else."""
    for name in ("chapters", "book/lab"):
        shutil.copytree(ROOT / name, tmp_path / name)
    own = {"HOME": tmp_path, "JUPYTER_RUNTIME_DIR": tmp_path / "runtime", "JUPYTER_PORT": "0"}
    own["BROWSER"] = "true"  # a command that opens nothing
    others = {name: each for name, each in os.environ.items() if not name.startswith(SETTINGS)}
    command = ["make", "-f", ROOT / "Makefile", "-o", ".venv/ready", "lab"]
    command += [f"BIN={Path(sys.executable).parent}"]
    log = tmp_path / "log"
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=tmp_path, env=others | own, stdout=file, stderr=file)
    try:
        with browser.new_context(viewport={"width": 1300, "height": 1000}) as context:
            context.set_default_timeout(1000 * PATIENCE)
            page = context.new_page()
            page.goto(address(server, log))
            yield page
    finally:
        server.terminate()
        server.wait(PATIENCE)
    assert not list(tmp_path.glob("runtime/kernel-*.json"))  # the kernel went with its server


def address(server, log):
    """Wait until a server listens; it tells its address a little earlier."""
    end = time.monotonic() + PATIENCE
    told = re.compile(r"http://127.0.0.1:(\d+)/\S+token=\w+(?=\n)")
    while not ((found := told.search(log.read_text())) and listens(int(found[1]))):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    return found[0]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run_all(page, chapter):
    """Open a chapter as a reader does and run its cells; a kernel that stays silent starts anew.

    Now and then JupyterLab's first request never gets to the kernel, on a busy machine.
    """
    page.locator(".jp-DirListing-item", has_text=chapter).dblclick()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    prompt = page.locator(".jp-CodeCell .jp-InputPrompt").first
    asked, end = time.monotonic(), time.monotonic() + PATIENCE
    while not re.fullmatch(r"\[\d+\]:", state := prompt.inner_text()):
        assert time.monotonic() < end, page.locator("body").inner_text()
        if state == "[ ]:":  # the menu does nothing until all is in place
            choose(page, "Run", "Run All Cells")
            asked = time.monotonic()
        elif time.monotonic() - asked > SILENCE:
            choose(page, "Kernel", "Restart Kernel and Run All Cells…")
            page.locator(".jp-Dialog .jp-mod-accept").click()
            asked = time.monotonic()
        page.wait_for_timeout(1000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()


def choose(page, menu, entry):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_text(entry, exact=True).click()


def explorer(page, name):
    """Return an explorer, once it stands on the screen."""
    cell = page.locator(".jp-CodeCell", has_text=f"= {name}_explorer()")
    found = cell.locator(".jp-OutputArea-output .widget-vbox")
    end = time.monotonic() + PATIENCE
    while not found.locator("svg[role=img]").is_visible():
        assert time.monotonic() < end, page.locator(".jp-Notebook").inner_text()
        cell.scroll_into_view_if_needed()  # each time: running cells may scroll elsewhere
        page.wait_for_timeout(100)
    return found


def move(explorer, slider):
    """Move a slider by one step: the line of text and the picture follow.

    A key that comes while cells still run may go to another one, so it is pressed again.
    """
    text, picture = explorer.locator("[aria-live]"), explorer.locator("svg[role=img]")
    words, alt = text.inner_text(), picture.get_attribute("aria-label")
    pressed, end = -SILENCE, time.monotonic() + PATIENCE
    while text.inner_text() == words:
        assert time.monotonic() < end, words
        if time.monotonic() - pressed > SILENCE:
            slider.press("ArrowRight")
            pressed = time.monotonic()
        explorer.page.wait_for_timeout(100)
    expect(picture).not_to_have_attribute("aria-label", alt, timeout=1000 * PATIENCE)


def ask(folder, code, expression):
    """Run code in the only kernel, and return what an expression is worth after it."""
    (connection,) = folder.glob("runtime/kernel-*.json")
    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    try:
        asked = {"reply": True, "timeout": PATIENCE, "user_expressions": {"it": expression}}
        found = client.execute(code, **asked)["content"]["user_expressions"]["it"]
    finally:
        client.stop_channels()
    return ast.literal_eval(found["data"]["text/plain"])


EXPLORERS = {"playground": {"training": 4, "matmul": 3}, "batchnorm": {"batchnorm": 3}}


@pytest.mark.parametrize("chapter", EXPLORERS)
def test_every_slider_by_keyboard(page, chapter):
    run_all(page, f"{chapter}.md")
    for name, count in EXPLORERS[chapter].items():
        shown = explorer(page, name)
        sliders = shown.get_by_role("slider").all()
        assert len(sliders) == count
        for slider in sliders:
            move(shown, slider)


def test_text_tells_numbers_and_leads_on(page):
    """As in the book: what was measured stands in the text, and a citation can be followed.

    A number is filled in only where its cell has been laid out, on the screen or not.
    """
    run_all(page, "noise.md")
    cells = jupytext.read(ROOT / "chapters" / "noise.md").cells
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(len(cells))
    page.get_by_text(re.compile(r"stays: \d\.\d\d near the start, \d\.\d\d at the end")).wait_for()
    page.get_by_role("link", name="McCandlish et al., 2018").click()
    page.get_by_role("tab", name="bibliography.md").wait_for()
    link = page.get_by_role("link", name="references.bib")
    panel = page.locator(".jp-NotebookPanel", has=link)
    panel.locator("[data-status=idle]").wait_for()  # its kernel runs: the server can end them all


def test_storm(page, tmp_path):
    """Of 100 quick moves the last is shown; no slow run that was overtaken is finished."""
    run_all(page, "playground.md")
    shown = explorer(page, "training")
    batch_size, _, num_epochs, _ = shown.get_by_role("slider").all()
    num_epochs.press("End")
    batch_size.press("Home")
    shown.locator("svg[aria-label*='batch size 1, ']").wait_for()
    threads = ask(tmp_path, WATCH, THREADS)
    shown.get_by_role("combobox").select_option("loader")  # half a minute for this run
    shown.get_by_text("working").wait_for()
    for key in ["Home", "ArrowRight", "End", "ArrowLeft"] * 25:
        batch_size.press(key)
    shown.locator("svg[aria-label*='batch size 1000, ']").wait_for()
    assert ask(tmp_path, "training.wait()", LEFT) == (threads, 0, 1000, set())
