"""What the tests of several folders need."""

import os
import platform
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def framework_python(request):
    """Return a function that gives the Python of a framework, and skips the test without it.

    On a machine that can run all frameworks, under continuous integration, it fails instead.
    """

    def find(framework):
        folder = ROOT / f".venv-{framework}"
        if (folder / "ready").exists():
            return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        reason = f"{framework} is not set up here: make frameworks FRAMEWORK={framework}"
        machine = (platform.system(), platform.machine(), sys.version_info[:2])
        if os.environ.get("CI") == "true" and machine == ("Linux", "x86_64", (3, 11)):
            pytest.fail(reason)
        pytest.skip(reason)

    return find
