"""Chapters as notebooks, and the cells that drive their explorers to the extremes."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat

CHAPTERS = Path(__file__).parents[2] / "chapters"
EXPLORER = re.compile(r"^(\w+) = (?:\w+\.)*\w+_explorer\(", re.MULTILINE)


def chapters():
    """Return the chapters that have cells to run."""
    return sorted(path for path in CHAPTERS.glob("*.md") if "{code-cell}" in path.read_text("utf8"))


def extremes(widget):
    """Return the settings of one control, as pairs of trait and value, that bound all others."""
    if hasattr(widget, "index"):
        return [("index", 0), ("index", len(widget.options) - 1)]
    if hasattr(widget, "base"):
        return [("value", widget.base**widget.min), ("value", widget.base**widget.max)]
    if hasattr(widget, "min"):
        return [("value", widget.min), ("value", widget.max)]
    return [("value", not widget.value), ("value", widget.value)]


def drive(explorer):
    """Put each control of an explorer to its extremes, one control at a time."""
    for name, widget in explorer.controls.items():
        print(name)
        if hasattr(widget, "click"):
            widget.click()
            explorer.wait()
            continue
        before = widget.value
        for trait, value in extremes(widget):
            setattr(widget, trait, value)
            explorer.wait()
        widget.value = before
        explorer.wait()


SECOND_DEVICE = """
import torch
from mbsgd_lib import devices

if not torch.cuda.is_available():
    devices.devices = lambda: ["cpu", "cpu:0"]
    torch.cuda.get_device_name = "stand-in called {}".format
"""


def read(chapter):
    """Read a chapter as a notebook, with cells added that drive each explorer it shows.

    A chapter that measures a GPU finds one: where there is none, the processor under another
    name plays it. The built book shows the page of a machine as it is.
    """
    notebook = jupytext.read(chapter)
    if "mbsgd_lib.devices" in chapter.read_text("utf8"):
        notebook.cells.insert(0, nbformat.v4.new_code_cell(SECOND_DEVICE))
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    names = [name for source in sources for name in EXPLORER.findall(source)]
    if names:
        helpers = inspect.getsource(extremes) + "\n\n" + inspect.getsource(drive)
        calls = [f"drive({name})" for name in names]
        notebook.cells += [nbformat.v4.new_code_cell(source) for source in [helpers, *calls]]
    return notebook


def run(notebook, folder):
    """Run a notebook cell by cell under nbval and return the finished process."""
    path = folder / "chapter.ipynb"
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "-p", "nbval.plugin", "--nbval-lax"]
    command += ["--nbval-cell-timeout=300", "-p", "no:cacheprovider", "--rootdir", folder, path]
    env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # others take longer than it
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
