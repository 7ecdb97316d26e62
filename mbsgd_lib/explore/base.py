"""What every explorer shares: controls, a picture, a line of text, and work off the main thread."""

import html
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import ipywidgets as widgets

from mbsgd_lib.devices import devices
from mbsgd_lib.picture import Picture
from mbsgd_lib.replay import Replay

PROGRESS_EVERY = 0.2  # seconds: quick work shows none, slow work doesn't flood the page


class Superseded(Exception):  # noqa: N818 (it ends a run, it is no error)
    """A newer setting came while this one was being worked on."""


class Explorer:
    """Controls whose newest setting is worked on in a thread of its own.

    A control that moves drops the work in progress, so no queue builds up and the sliders
    stay usable. In a book without a kernel the recorded `Replay` stands in its place.

    Parameters
    ----------
    **controls : ipywidgets.Widget
        Each becomes an attribute of the same name; `work` gets their values as a dict.
    """

    kind: str  # which recording the replay shows

    def __init__(self, **controls: widgets.Widget):
        self.controls = controls
        self.picture, self.text = widgets.HTML(), widgets.HTML()
        self.progress = widgets.FloatProgress(max=1.0, description="working")
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self.kind)
        self._newest: Future | None = None
        self._ticket = self._working_on = self._failed = None
        self._reported, self._holding = 0.0, False
        for name, control in controls.items():
            setattr(self, name, control)
            style_control(control)
            control.observe(self._moved, "value")
        self.widget = self._layout()
        if not in_book():
            self.refresh()
            self.wait()

    def work(self, settings: dict) -> None:
        """Compute and `show`, for one setting; call `report` often."""
        raise NotImplementedError

    def buttons(self) -> list[widgets.Button]:
        """Return the buttons below the controls."""
        return []

    def _layout(self) -> widgets.VBox:
        grid = widgets.Layout(grid_template_columns="repeat(auto-fill, minmax(26rem, 1fr))")
        wrap = widgets.Layout(flex_flow="row wrap")
        self.progress.layout = widgets.Layout(visibility="hidden", width="22rem")
        return widgets.VBox([
            widgets.GridBox(list(self.controls.values()), layout=grid),
            widgets.Box(self.buttons(), layout=wrap),
            self.progress, self.text, self.picture,
        ])  # fmt: skip

    def button(self, label: str, action: Callable[[], None]) -> widgets.Button:
        """Return a button that calls `action`."""
        button = widgets.Button(description=label, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: self._guard(action))
        return button

    def set(self, **values) -> None:
        """Move several controls at once; they are worked on together."""
        self._holding = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._holding = False
        self.refresh()

    def _moved(self, change: dict) -> None:
        if not self._holding:
            self.refresh()

    def refresh(self) -> None:
        """Start work on the present setting and drop whatever was under way."""
        self._failed = None
        if self._newest:
            self._newest.cancel()
        self._ticket = ticket = object()
        settings = {name: control.value for name, control in self.controls.items()}
        self._newest = self._pool.submit(self._attempt, ticket, settings)

    def _attempt(self, ticket: object, settings: dict) -> None:
        self._working_on, self._reported = ticket, time.perf_counter()
        try:
            self._guard(lambda: self.work(settings))
        except Superseded:
            pass
        finally:
            self.progress.layout.visibility = "hidden"

    def _guard(self, action: Callable[[], None]) -> None:
        """Run `action`; what it raises also stands in the widget, as one readable line."""
        try:
            action()
        except Superseded:
            raise
        except Exception as error:
            self._failed = error  # for `wait`: a traceback helps no reader
            message = " ".join(f"{type(error).__name__}: {error}".split())
            self.text.value = f'<span role="alert">⚠ {html.escape(message)}</span>'

    def report(self, fraction: float) -> None:
        """Show how much of the work is done, or give up if a newer setting came.

        Raises
        ------
        Superseded
        """
        if self._working_on is not self._ticket:
            raise Superseded
        if time.perf_counter() - self._reported > PROGRESS_EVERY:
            self._reported = time.perf_counter()
            self.progress.value = fraction
            self.progress.layout.visibility = "visible"

    def show(self, picture: Picture, text: str) -> None:
        """Replace the picture and the line of text."""
        self.picture.value = picture._repr_html_()
        self.text.value = f'<span aria-live="polite">{html.escape(text)}</span>'

    def wait(self) -> None:
        """Block until the newest setting is drawn; raise what its work or a button raised."""
        if self._newest:
            self._newest.result()
        if self._failed:
            raise self._failed

    def replay(self) -> Replay:
        """Return the recording that stands in for the explorer where there is no kernel."""
        return Replay(self.kind)

    def _repr_mimebundle_(self, **kwargs) -> dict:
        """Offer the widget to JupyterLab and, while the book is built, the recording to it."""
        bundle = self.widget._repr_mimebundle_(**kwargs)
        if in_book():  # with a kernel nobody needs to wait for it
            bundle["text/html"] = self.replay().html()
        return bundle


def in_book() -> bool:
    """Tell whether a book is being built, where the recording stands in for the explorer."""
    return "MBSGD_REPLAY_DIR" in os.environ


def device_control() -> dict[str, widgets.Dropdown]:
    """Return a control that chooses where to compute, if there is a choice."""
    names = devices()
    choice = widgets.Dropdown(options=names, description="device")
    return {"device": choice} if len(names) > 1 else {}


def style_control(control: widgets.Widget) -> None:
    """Give every control the same width and room for its label."""
    control.style.description_width = "10.5rem"
    control.layout.width = "26rem"
    if isinstance(control, widgets.ToggleButtons):
        control.style.button_width = "auto"
