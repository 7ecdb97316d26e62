import subprocess
import sys

import myst_nb
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from mbsgd_lib.glue import glue
from mbsgd_lib.picture import Picture

VALUES = ["3.1", 3.1, {"framework": "Copy", "times": [1, 2]}, Picture("<svg/>", "a picture")]


def outputs(glue, *args, **settings):
    InteractiveShell.instance()  # without one, nothing is captured
    with capture_output() as captured:
        glue(*args, **settings)
    return [(output.data, output.metadata) for output in captured.outputs]


@pytest.mark.parametrize("display", [True, False])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_same_as_that_of_the_book(value, display):
    ours = outputs(glue, "name", value, display=display)
    assert ours == outputs(myst_nb.glue, "name", value, display=display)
    assert len(ours) == 1


def test_needs_nothing_that_is_slow_to_import():
    code = "import sys, mbsgd_lib.glue; assert not {'nbformat', 'sphinx'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
