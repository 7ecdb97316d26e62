"""Run the chapters anew when what they import, the data or the pinned packages changed.

The execution cache knows a chapter by its cells only. So each state of the library gets a
folder of its own, for executed chapters and recordings; the folders of older states are removed.
"""

import hashlib
import shutil
from pathlib import Path

INPUTS = (
    "mbsgd_lib/**/*.py",
    "mbsgd_lib/**/*.csv",
    "book/record*.py",
    "requirements.txt",
    "constraints.txt",
    "frameworks/*/*.txt",
)


def digest(root):
    """Return one hash of the names and contents of all inputs under `root`."""
    total = hashlib.sha256()
    for path in sorted(path for pattern in INPUTS for path in root.glob(pattern)):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


def choose_folder(app, config):
    """Point to the folder of this state; where it is a new one, every page is stale."""
    folders = Path(app.outdir).parent / ".state"
    config.course_state = digest(Path(app.srcdir))
    folder = folders / config.course_state
    config.nb_execution_cache_path = str(folder / "executed")
    config.course_recording = str(folder / "recording")
    for old in folders.glob("*"):
        if old != folder:
            shutil.rmtree(old)


def setup(app):
    """Register with Sphinx."""
    app.add_config_value("course_state", "", "env")  # a change makes Sphinx read every page
    app.add_config_value("course_recording", "", "")
    app.connect("config-inited", choose_folder)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
