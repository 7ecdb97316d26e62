"""A constant learning rate ends at a floor; a schedule goes on below it."""

import ipywidgets as widgets
import numpy as np

from mbsgd_lib.explore.digits import short
from mbsgd_lib.explore.frames import FrameExplorer
from mbsgd_lib.floor import noise_floor
from mbsgd_lib.grid import fastest_method
from mbsgd_lib.noise import airfoil_data
from mbsgd_lib.schedules import Schedule, constant, cosine, inverse_time, step_decay, warm_up
from mbsgd_lib.theory import least_squares
from mbsgd_lib.training import train

SCHEDULES = ["constant", "a tenth halfway", "1 / t", "cosine", "warm-up and cosine"]
CEILING = 10.0  # loss above the optimum at which a curve leaves the picture


class FloorExplorer(FrameExplorer):
    """Batch size, learning rate, schedule and way of drawing; the loss above the optimum."""

    kind = "floor"
    recorded = ("batch_size", "lr", "schedule", "replacement")

    def __init__(self):
        super().__init__(
            batch_size=widgets.SelectionSlider(
                options=[1, 10, 100], value=10, description="batch size (examples)"
            ),
            lr=widgets.SelectionSlider(
                options=[0.01, 0.05, 0.2], value=0.05, description="first learning rate"
            ),
            schedule=widgets.Dropdown(options=SCHEDULES, description="schedule"),
            replacement=widgets.Checkbox(True, description="draw with replacement"),
            num_epochs=widgets.IntSlider(20, 2, 100, description="epochs (passes)"),
            seeds=widgets.IntSlider(3, 1, 20, description="seeds to average over"),
        )

    def frame(self, settings: dict) -> dict:
        """Average the runs of some seeds and draw the floor of the constant rate beside them."""
        batch_size, lr, replacement = (
            settings[name] for name in ("batch_size", "lr", "replacement")
        )
        schedule = make_schedule(settings["schedule"], lr, settings["num_epochs"])
        runs = [
            train(
                batch_size, schedule, settings["num_epochs"],
                method=fastest_method(), seed=seed, replacement=replacement,
            )
            for seed in range(settings["seeds"])
        ]  # fmt: skip
        shown = min(len(run.loss) for run in runs)  # a run that diverges ends early
        marks = np.unique(np.geomspace(1, shown - 1, 50).round().astype(int))
        above = np.mean([run.loss[marks] for run in runs], axis=0)
        above = np.clip(above - least_squares(*airfoil_data()).loss, 1e-8, CEILING)
        floor = noise_floor(batch_size, lr, replacement=replacement)
        level = {
            "name": f"floor of a constant rate, {floor:.2g}",
            "x": [0, settings["num_epochs"]],
            "y": short([floor, floor]),
            "markers": False,
            "dash": True,
        }
        known = f"{floor:.3g}" if np.isfinite(floor) else "infinite"
        return {
            "chart": "line",
            "xlabel": "epochs",
            "ylabel": "loss above the optimum",
            "log_y": True,
            "xlim": [0, settings["num_epochs"]],
            "ylim": [1e-6, 1.0],
            "lines": [
                {
                    "name": f"{settings['schedule']}, from {lr:g}",
                    "x": short(runs[0].epochs[marks]),
                    "y": short(above, 3),
                    "markers": False,
                    "dash": False,
                },
                *([level] if 1e-6 < floor < 1 else []),
            ],
            "text": (
                f"Batch size {batch_size}, {settings['schedule']}: {above[-1]:.3g} above the "
                f"optimum at the end. The floor of a constant rate of {lr:g} is {known}."
            ),
        }


def make_schedule(name: str, lr: float, num_epochs: int) -> Schedule:
    """Return one of `SCHEDULES` over so many epochs."""
    return {
        "constant": lambda: constant(lr),
        "a tenth halfway": lambda: step_decay(lr, every=num_epochs / 2),
        "1 / t": lambda: inverse_time(lr),
        "cosine": lambda: cosine(lr, num_epochs),
        "warm-up and cosine": lambda: warm_up(cosine(lr, num_epochs), num_epochs / 10),
    }[name]()
