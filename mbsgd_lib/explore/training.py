"""Retrain linear regression at the reader's own batch size and learning rate."""

import sys
from importlib.util import find_spec

import ipywidgets as widgets

from mbsgd_lib.charts import RunsChart
from mbsgd_lib.data import load_airfoil
from mbsgd_lib.devices import devices
from mbsgd_lib.explore.base import Explorer, device_control
from mbsgd_lib.methods import METHOD_NAMES
from mbsgd_lib.stability import stability_limit
from mbsgd_lib.theory import least_squares
from mbsgd_lib.training import SOURCE_RUNS, Run, train

BATCH_SIZES = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500]
LRS = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7,
    0.8, 0.9, 0.95, 1.0, 1.2, 1.5, 2.0,
]  # fmt: skip


class TrainingExplorer(Explorer):
    """Batch size, learning rate and the rest on sliders; the loss as they have it.

    Attributes
    ----------
    run : Run
        The run that is drawn.
    kept : dict of str to Run
        The runs that *Keep this run* pinned.
    """

    kind = "training"

    def __init__(self):
        self.airfoil = load_airfoil()
        self.floor = least_squares(self.airfoil.X, self.airfoil.y).loss
        self.limit = stability_limit(self.airfoil.X)
        self.chart = RunsChart(self.floor, self.limit)
        self.run: Run | None = None
        self.kept: dict[str, Run] = {}
        self.trained: dict | None = None
        options = {"epochs": "epochs", "updates": "updates", "training time (s)": "seconds"}
        super().__init__(
            batch_size=widgets.SelectionSlider(
                options=BATCH_SIZES, value=10, description="batch size (examples)"
            ),
            lr=widgets.SelectionSlider(options=LRS, value=0.05, description="learning rate"),
            num_epochs=widgets.IntSlider(2, 1, 100, description="epochs (passes)"),
            seed=widgets.IntSlider(0, 0, 20, description="random seed"),
            method=widgets.Dropdown(
                options=METHOD_NAMES, value=fastest_method(), description="method"
            ),
            replacement=widgets.Checkbox(False, description="draw with replacement"),
            x=widgets.ToggleButtons(options=options, description="horizontal axis"),
            log_x=widgets.Checkbox(False, description="logarithmic axis"),
            **device_control(),
        )

    def buttons(self) -> list[widgets.Button]:
        """One button for each run of the source, and two to compare runs."""
        presets = [
            self.button(f"Source: {name}", lambda run=run: self.set(**run))
            for name, run in SOURCE_RUNS.items()
        ]
        recorded = {"method": "autograd", "seed": 0, "replacement": False}
        if "device" in self.controls:
            recorded["device"] = "cpu"
        return [
            *presets,
            self.button("As recorded", lambda: self.set(**recorded)),  # same method, same seconds
            self.button("Keep this run", self.keep),
            self.button("Clear", self.clear),
        ]

    def keep(self) -> None:
        """Pin the curve that is drawn."""
        run = self.run
        drawn = ", with replacement" if run.replacement else ""
        where = "" if run.device == "cpu" else f" on {run.device}"
        how = f"{run.method}{where}, seed {run.seed}{drawn}"
        name = f"{run.label}, {run.num_epochs} epochs, {how}"
        self.kept[name] = run
        self.refresh()

    def clear(self) -> None:
        """Unpin all curves."""
        self.kept.clear()
        self.refresh()

    def work(self, settings: dict) -> None:
        """Train, unless only the axes changed, and draw."""
        axes = {name: settings.pop(name) for name in ("x", "log_x")}
        if settings != self.trained:
            self.announce(settings["method"])
            rest = settings.copy()
            data = self.airfoil.to(rest.pop("device", "cpu"))
            self.run = train(**rest, data=(data.X, data.y), on_mark=self.report)
            self.trained = settings
        runs = {f"{self.run.label} (now)": self.run, **self.kept}
        self.show(self.chart.draw(runs, **axes), self.describe(self.run))

    def announce(self, method: str) -> None:
        """Say why the first compiled run keeps the reader waiting."""
        if method == "compiled" and "mbsgd_lib.compiled" not in sys.modules:
            self.text.value = "Compiling, once on this machine; this takes some seconds."

    def describe(self, run: Run) -> str:
        """Say in one line how the run went."""
        text = (
            f"{run.updates[-1]:,} updates, {run.sec_per_epoch * 1e3:.3g} ms per epoch, "
            f"final loss {run.final_loss:.4f} (least squares: {self.floor:.4f})."
        )
        if run.diverged:
            text = f"Diverged: after {run.updates[-1]:,} updates the loss is above its start."
        if run.batch_size == max(BATCH_SIZES) and run.lr > self.limit:
            text += f" Full batch: it diverges at every learning rate above {self.limit:.3f}."
        return text


def fastest_method() -> str:
    """Return the method that answers at once wherever the sliders are, on any device there is."""
    return "compiled" if find_spec("numba") and len(devices()) == 1 else "blocked"
