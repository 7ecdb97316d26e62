"""A page whose kernel is missing: its saved outputs, if they fit its code, or its code alone.

All states on a book of two pages, one after the other in one folder, as a reader would build it.
"""

import shutil
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from building import build, make_book, page
from jupyter_client.kernelspec import KernelSpecManager

PULLING = """
```{comparison} updates
:as: table
two.md::copy-timings
```

```{comparison} updates
:as: figure
two.md::copy-timings
```

```{comparison} products
:as: table
two.md::copy-timings
```

```{comparison} updates
:as: growth
two.md::copy-timings
```

```{comparison} updates
:as: gain
two.md::copy-timings
```

```{library-code} mbsgd_lib/frameworks/copy.py::Way.update
```

```{code-cell}
print("page one ran")
```
"""
GLUING = """
Two rounds of {eval}`told["seconds"]` s.

```{code-cell}
from mbsgd_lib.told import told
told["seconds"] = "%s"
us = {"eager": {"1": 123.4, "100": 234.5}, "scan": {"1": 0.5, "100": 1.5}}
told["copy-timings"] = {
    "framework": "Copy", "version": "1.0", "date": "2026-02-01", "processor": "Abacus",
    "us_per_update": us, "gflops": {"column": 2.5, "whole": 70.0}}
print("page two ran")
```
"""
MODULE = """
class Way:
    @staticmethod
    def update():
        '''Do it.

        In many words.
        '''
        return %d  # noqa: X1
"""
STATES = ["executed", "saved", "unexecuted", "executed anew"]


def run_save(source, output):
    """Renew the saved outputs and return the finished process."""
    command = [sys.executable, source / "book" / "save_outputs.py", output / "_build"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """The two pages in each state, parsed, and what saving said in the first two."""
    folder = tmp_path_factory.mktemp("kernels")
    source, jupyter = folder / "source", folder / "jupyter"
    two = page("Two", GLUING % 1.25, "mbsgd-copy", "Copy")
    make_book(source, one=page("One", PULLING), two=two)
    module = source / "mbsgd_lib" / "frameworks" / "copy.py"
    module.parent.mkdir(parents=True)
    module.write_text(MODULE % 1)

    def built():
        build(source, folder)
        html = folder / "_build" / "html"
        return [
            BeautifulSoup((html / f"{name}.html").read_text("utf8"), "html.parser").article
            for name in ("one", "two")
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MBSGD_REPLAY_DIR", str(folder))  # nothing to record here
        patch.setenv("JUPYTER_PATH", str(jupyter))
        add_kernel(jupyter)
        found = {"executed": built(), "saving": run_save(source, folder)}
        saved = source / "book" / "outputs" / "two.json"
        found["file"] = saved.read_text("utf8")
        run_save(source, folder)
        found["file again"] = saved.read_text("utf8")
        shutil.rmtree(jupyter)
        found |= {"saved": built(), "not saving": run_save(source, folder)}
        found["file kept"] = saved.read_text("utf8")
        module.write_text(MODULE % 2)
        found["unexecuted"] = built()
        add_kernel(jupyter)
        (source / "two.md").write_text(two.replace("1.25", "2.25"))
        found["executed anew"] = built()
    return found


def add_kernel(jupyter):
    """Install this Python's kernel under the name of a framework's."""
    python = KernelSpecManager().get_kernel_spec("python3").resource_dir
    shutil.copytree(python, jupyter / "kernels" / "mbsgd-copy")


@pytest.mark.parametrize("state", STATES)
def test_page_shows_its_state(states, state):
    _, two = states[state]
    notes = {"saved": ".mbsgd-saved", "unexecuted": ".mbsgd-unexecuted"}
    for name, note in notes.items():
        assert bool(two.select(note)) == (state == name)
    assert ("page two ran" in two.text.replace('print("page two ran")', "")) == (
        state != "unexecuted"
    )
    assert "told[" in two.text  # the code is always there
    rounds = {"unexecuted": "–", "executed anew": "2.25"}.get(state, "1.25")
    assert f"Two rounds of {rounds} s" in two.text


@pytest.mark.parametrize("state", STATES)
def test_comparison(states, state):
    one, _ = states[state]
    tables = [table.get_text(" ", strip=True) for table in one.select("table")]
    if state == "unexecuted":
        assert tables == []
        assert one.select("svg") == []
        assert "kernel was not found: Copy" in one.text
        return
    updates, products = tables
    assert "eager 123 234" in updates
    assert "scan 0.500 1.50" in updates
    assert "2.50 70.0" in products
    figure = one.select_one("figure:has(svg)")
    assert "scan: b = 1 0.500" in figure.svg["aria-label"]
    assert ("Abacus, February 1, 2026" in updates) == (state == "saved")
    assert ("another run" in figure.figcaption.text) == (state == "saved")
    assert "100 examples against one: Copy 1.9." in one.text
    assert "the fastest way against eager: Copy 247 (scan)." in one.text


@pytest.mark.parametrize("state", STATES)
def test_library_code(states, state):
    one, _ = states[state]
    version = 2 if state in STATES[2:] else 1
    code = f'@staticmethod\ndef update():\n    """Do it."""\n    return {version}\n'
    assert code in [block.text for block in one.select("pre")]


def test_note_says_when_and_where(states):
    note = states["saved"][1].select_one(".mbsgd-saved").text
    assert f"Python {sys.version.split()[0]}" in note
    assert "Copy is not set up" in note


def test_saved_file_is_stable_and_small(states):
    assert states["saving"].returncode == 0
    assert states["file"] == states["file again"] == states["file kept"]
    assert len(states["file"]) < 3000


def test_nothing_is_saved_without_the_kernel(states):
    assert states["not saving"].returncode == 1
    assert "mbsgd-copy" in states["not saving"].stderr
