"""Recorded runs shown with controls and no kernel: what a slider does in the built book."""

import html
import json
import os
import re
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from mbsgd_lib.picture import Picture
from mbsgd_lib.plot import plot_bars, plot_runs

FRONT_ENDS = {"training": "training", "matmul": "frames", "frames": "frames"}  # by kind


class Replay:
    """A recording as a block of HTML that the book's front end brings to life.

    Without JavaScript it shows a static figure of the same recording.

    Parameters
    ----------
    kind : {"training", "matmul", "frames"}
        What was recorded; frames are pictures, one for every position of a few controls.
    recording : dict, optional
        The recording itself; by default ``<kind>.json`` in the folder named by the environment
        variable ``MBSGD_REPLAY_DIR``.
    figure : Picture, optional
        What is shown without JavaScript; by default made from the recording.
    name : str, optional
        Name of this replay in the page's address, unique on its page; `kind` by default.
    **state
        First settings of the controls, as they stand in the page's address: ``b=1, lr=0.05``.

    Raises
    ------
    ValueError
        If `kind` or `name` is out of range.
    """

    def __init__(
        self,
        kind: str,
        recording: dict | None = None,
        *,
        name: str = "",
        figure: Picture | None = None,
        **state,
    ):
        if kind not in FRONT_ENDS:
            raise ValueError(f"kind must be one of {list(FRONT_ENDS)}, got {kind!r}")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name or kind):
            raise ValueError(f"name must be lower-case letters, digits and hyphens, got {name!r}")
        self.kind = kind
        self.name = name or kind
        self.figure = figure
        self.state = {key: str(value) for key, value in state.items()}
        if recording is not None:
            self.recording = recording

    @cached_property
    def recording(self) -> dict | None:
        """The recorded grid, or None where nothing was recorded."""
        folder = os.environ.get("MBSGD_REPLAY_DIR")
        path = Path(folder, f"{self.kind}.json") if folder else None
        return json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else None

    def html(self) -> str:
        """Return the block of HTML, complete but for the front end's script and style."""
        head = f'<div class="mbsgd-replay" data-name="{self.name}"'
        if self.recording is None:
            return f"{head} data-missing><p>Nothing is recorded for this explorer yet.</p></div>"
        state = html.escape(json.dumps(self.state))
        data = json.dumps(self.recording, allow_nan=False, separators=(",", ":"))
        data = data.replace("</", "<\\/")  # no string may end the script element
        return (
            f'{head} data-kind="{FRONT_ENDS[self.kind]}" data-state="{state}">{self.static()}'
            f'<script type="application/json">{data}</script>'
            f'<p class="mr-about">{html.escape(self.about())}</p></div>'
        )

    def static(self) -> str:
        """Return the figure that stands there without JavaScript."""
        if self.figure:
            return self.figure._repr_html_()
        draw = training_figure if self.kind == "training" else frame_figure
        return draw(self.recording)

    def about(self) -> str:
        """Say where the recording comes from and what it can't show."""
        about = self.recording.get("about")
        if not about:
            return f"Computed when this page was built. {NOTES[self.kind]}"
        method = f", method “{about['method']}”, seed {about['seed']}" if "method" in about else ""
        threads = f"{about['threads']} thread{'s' * (about['threads'] > 1)}"
        return (
            f"Recorded {about['date']} on {about['processor']}, {threads}, "
            f"Python {about['python']}, PyTorch {about['torch']}{method}. {NOTES[self.kind]}"
        )

    _repr_html_ = html

    def __repr__(self) -> str:
        return f"Replay({self.kind!r}, name={self.name!r})"


def training_figure(recording: dict) -> str:
    """Draw the source's four runs, each as long as the source trained it."""
    runs = {each["title"]: source_run(recording, each) for each in recording["source"]}
    caption = (
        "The source’s four runs as recorded for this page. "
        "With JavaScript, sliders for every batch size and learning rate stand here."
    )
    figure = plot_runs(
        runs, "seconds", log_x=True, floor=recording["floor"], ylim=(0.22, 0.36), caption=caption
    )
    return figure._repr_html_()


def source_run(recording: dict, settings: dict) -> SimpleNamespace:
    """Unpack one run of the recording, up to the epochs that the source trained it for.

    Of a `Run` it has what a figure needs.
    """
    row = next(row for row in recording["grid"] if row["b"] == settings["b"])
    packed = row["runs"][recording["rates"].index(settings["lr"])]
    updates = np.array(row["updates"][: len(packed["loss"])])
    kept = updates <= settings["epochs"] * -(-recording["n"] // settings["b"])
    loss = np.array(packed["loss"])[kept] / 1e5
    seconds = np.cumsum([0, *packed["us"]])[kept] / 1e6
    return SimpleNamespace(
        updates=updates[kept], seconds=seconds, loss=loss,
        final_loss=loss[-1], diverged=packed["diverged"],
    )  # fmt: skip


def frame_figure(recording: dict) -> str:
    """Show the frame of the first setting: bars as a figure, else its sentence."""
    index = 0
    for control in recording["controls"]:
        index = index * len(control["values"]) + control["values"].index(control["value"])
    frame = recording["frames"][index]
    if frame["chart"] != "bar":
        return f"<figure><figcaption>{html.escape(frame['text'])}</figcaption></figure>"
    bars = frame["bars"]
    figure = plot_bars(bars["labels"], bars["values"], frame["xlabel"], caption=frame["text"])
    return figure._repr_html_()


NOTES = {
    "training": (
        "The seconds are those of the updates alone, without evaluation; of short runs, the "
        "faster of two repeats. The number of epochs depends on the batch size. An open circle "
        "marks where the source stopped. Other epochs, seeds and methods need the live explorer in "
        "JupyterLab."
    ),
    "matmul": (
        "float32; the fastest of up to 21 repeats. Panels and tiles are as wide as the blocks. The "
        "dotted line is the best speed recorded; * timed on a few rows and scaled up. Other sizes, "
        "types and threads need the live explorer in JupyterLab."
    ),
    "frames": "Other settings need the live explorer in JupyterLab.",
}
