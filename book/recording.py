"""Give the book's explorers their recording, and the front end that replays it.

The recording is made once a state of the library, before the chapters run; a folder named by
the environment variable MBSGD_REPLAY_DIR is used as it is.
"""

import os
import subprocess
import sys
from pathlib import Path

from sphinx.util import logging

HERE = Path(__file__).parent
FOLDER = "MBSGD_REPLAY_DIR"  # what the library's `Replay` reads, in the kernels too
logger = logging.getLogger(__name__)


def record(app):
    """Make the recording where there is none."""
    if app.builder.format != "html" or FOLDER in os.environ:
        return
    folder = app.config.course_recording
    if not Path(folder).exists():
        subprocess.run([sys.executable, HERE / "record.py", folder], check=True)
    os.environ[FOLDER] = folder


def load_front_end(app, pagename, templatename, context, doctree):
    """Load the scripts on pages with a replay, and refuse a replay with nothing recorded."""
    body = context.get("body", "")
    widget = 'type="application/vnd.jupyter.widget-view+json"'  # it would need a kernel
    if "data-missing" in body or widget in body:
        logger.warning("an explorer on this page has no recording", location=pagename)
    if 'class="mbsgd-replay"' in body:
        app.add_css_file("replay.css")
        names = sorted(path.name for path in (HERE / "replay").glob("*.js"))
        for name in sorted(names, key=lambda name: name != "replay-core.js"):  # the core first
            app.add_js_file(name)


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", record)
    app.connect("html-page-context", load_front_end)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
