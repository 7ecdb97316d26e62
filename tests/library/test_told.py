import subprocess
import sys

import myst_nb
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from mbsgd_lib.told import told

VALUES = ["3.1", 3, {"framework": "Copy", "times": [1, 2]}]


def outputs(tell):
    InteractiveShell.instance()  # without one, nothing is captured
    with capture_output() as captured:
        tell()
    return [(output.data, output.metadata) for output in captured.outputs]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_kept_as_the_book_expects_it(value):
    ours = outputs(lambda: told.__setitem__("name", value))
    assert ours == outputs(lambda: myst_nb.glue("name", value, display=False))
    assert len(ours) == 1
    assert told["name"] == value


def test_needs_nothing_that_is_slow_to_import():
    code = "import sys, mbsgd_lib.told; assert not {'nbformat', 'sphinx'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
