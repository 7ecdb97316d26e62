"""Build a book as `make book` does, into a folder of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(source, output, *options):
    """Build the book in `source`, its pages under `output`, and return what was printed."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", source, *options]
    command += ["--path-output", output, "-W", "-n", "--keep-going"]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    return result.stdout
