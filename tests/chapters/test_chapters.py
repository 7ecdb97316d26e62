"""Every chapter runs from top to bottom, its sliders to their ends, and a failure shows."""

import subprocess
import sys

import jupytext
import nbformat
import pytest
from notebooks import CHAPTERS, chapters, read, run


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_chapter_runs(chapter, tmp_path, framework_python):
    notebook = read(chapter)
    kernel = notebook.metadata.kernelspec.name
    if kernel.startswith("mbsgd-"):
        framework_python(kernel.removeprefix("mbsgd-"))  # skips where it isn't set up
    result = run(notebook, tmp_path)
    assert result.returncode == 0, result.stdout


def test_every_chapter_names_its_kernel():
    """JupyterLab opens them all as notebooks, and asks for a kernel, or takes any, without."""
    pages = sorted(CHAPTERS.glob("*.md"))
    kernels = {path.stem: jupytext.read(path).metadata.get("kernelspec") for path in pages}
    assert len(kernels) > len(chapters())
    assert [name for name, kernel in kernels.items() if not kernel] == []


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_chapter_style(chapter, tmp_path):
    path = tmp_path / f"{chapter.stem}.ipynb"
    jupytext.write(jupytext.read(chapter), path)
    config = chapter.parents[1] / "pyproject.toml"
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", config, path]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


BREAKS = {
    "an observer": """
def broken(change):
    raise RuntimeError("broken callback")

explorer.batch_size.observe(broken, "index")
""",
    "the work behind the picture": """
def broken(settings):
    raise RuntimeError("broken callback")

explorer.work = broken
""",
}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_broken_callback_fails(broken, tmp_path):
    cells = [
        "from mbsgd_lib.explore import training_explorer",
        "explorer = training_explorer()\nexplorer",
        broken,
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    path = tmp_path / "broken.md"
    jupytext.write(notebook, path, fmt="md:myst")
    result = run(read(path), tmp_path)
    assert result.returncode == 1
    assert "broken callback" in result.stdout
    assert "drive(explorer)" in result.stdout
