"""How far one can step: the path of w over the contours of the loss, and a map of final losses."""

import functools

import ipywidgets as widgets
import numpy as np
import torch

from mbsgd_lib.data import epoch_order
from mbsgd_lib.explore.digits import short
from mbsgd_lib.explore.frames import FrameExplorer
from mbsgd_lib.grid import Grid, train_grid
from mbsgd_lib.methods import Manual
from mbsgd_lib.noise import airfoil_data
from mbsgd_lib.stability import stability_limit
from mbsgd_lib.theory import hessian_spectrum, least_squares

LEVELS = [0.25, 0.3, 0.45]
START = [-1.3, 0.3]  # flattest, steepest: both are seen from here
RATES = [0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0, 1.1, 1.2]
GRID_SIZES = (1, 2, 4, 10, 25, 100, 250, 500, 1500)
GRID_RATES = tuple(np.geomspace(0.06, 1.5, 18).round(4).tolist())


class ValleyExplorer(FrameExplorer):
    """Batch size, learning rate and steps; the path of w in the steepest and flattest direction."""

    kind = "valley"
    recorded = ("batch_size", "lr")

    def __init__(self):
        X, y = airfoil_data()
        best = least_squares(X, y)
        self.floor, self.limit = best.loss, stability_limit(X)
        self.optimum = torch.cat([best.w, best.w.new_tensor([best.b])])
        self.curvatures, self.V = hessian_spectrum(X)
        super().__init__(
            batch_size=widgets.SelectionSlider(
                options=[1, 10, 100, 1500], value=1500, description="batch size (examples)"
            ),
            lr=widgets.SelectionSlider(options=RATES, value=0.9, description="learning rate"),
            steps=widgets.IntSlider(30, 5, 200, description="updates"),
            seed=widgets.IntSlider(0, 0, 20, description="random seed"),
        )

    def path(self, batch_size: int, lr: float, steps: int, seed: int) -> np.ndarray:
        """Return theta - optimum along the flattest and steepest eigenvector, (steps + 1, 2)."""
        X, y = airfoil_data()
        generator = torch.Generator().manual_seed(seed)
        start = self.optimum + self.V[:, [0, -1]] @ torch.tensor(START, dtype=torch.float64)
        learner = Manual(X.double(), y.double(), start, batch_size)
        theta = [learner.theta.clone()]
        for step in range(steps):
            if step % -(-len(X) // batch_size) == 0:
                learner.begin_epoch(epoch_order(len(X), generator))
            learner.update([lr])
            theta.append(learner.theta.clone())
        return ((torch.stack(theta) - self.optimum) @ self.V[:, [0, -1]]).numpy()

    def frame(self, settings: dict) -> dict:
        """Follow the parameters and draw them over the ellipses of equal loss."""
        path = self.path(**settings)
        outside = (np.abs(path) > [1.6, 0.8]).any(1)
        path = path[: int(outside.argmax()) + 1 if outside.any() else None]
        factor = 1 - settings["lr"] * float(self.curvatures[-1])
        return {
            "chart": "line",
            "xlabel": f"flattest direction (curvature {self.curvatures[0]:.2f})",
            "ylabel": f"steepest direction (curvature {self.curvatures[-1]:.2f})",
            "xlim": [-1.6, 1.6],
            "ylim": [-0.8, 0.8],
            "lines": [
                {
                    "name": "path of w",
                    "x": short(path[:, 0]),
                    "y": short(path[:, 1]),
                    "markers": True,
                    "dash": False,
                },
                *(self.ellipse(level) for level in LEVELS),
            ],
            "marks": [],
            "text": (
                f"Batch size {settings['batch_size']:,}, learning rate {settings['lr']:g}: "
                f"each step multiplies the error in the steepest direction by {factor:.2f} on "
                f"average. After {len(path) - 1} updates it is {path[-1, 1]:.3g}"
                f"{', outside of the picture' if outside.any() else ''}."
            ),
        }

    def ellipse(self, level: float) -> dict:
        """Return the line of equal loss in this plane through the optimum."""
        turn = np.linspace(0, 2 * np.pi, 49)
        flat, steep = np.sqrt(2 * (level - self.floor) / self.curvatures[[0, -1]].numpy())
        return {
            "name": f"loss {level:g}",
            "x": short(flat * np.cos(turn), 3),
            "y": short(steep * np.sin(turn), 3),
            "markers": False,
            "dash": True,
        }


class StabilityExplorer(FrameExplorer):
    """Epochs and kind of average; a map of final losses with the limits drawn on it."""

    kind = "stability"
    recorded = ("num_epochs", "average")

    def __init__(self):
        super().__init__(
            num_epochs=widgets.SelectionSlider(
                options=[2, 10, 30], value=10, description="epochs (passes)"
            ),
            average=widgets.Dropdown(options=["mean", "median"], description="average over seeds"),
            replacement=widgets.Checkbox(True, description="draw with replacement"),
        )

    def frame(self, settings: dict) -> dict:
        """Train a grid and show how far above the floor it ends."""
        grid = loss_grid(settings["num_epochs"], settings["replacement"])
        floor = least_squares(*airfoil_data()).loss
        average = getattr(np, settings["average"])(grid.loss, axis=2)  # (batch sizes, rates)
        above = np.log10(np.clip(average - floor, 1e-6, 1e3))
        lost = int((average > 0.5).sum())
        return {
            "chart": "heat",
            "xlabel": "batch size (examples)",
            "ylabel": "learning rate",
            "log_x": True,
            "log_y": True,
            "heat": {
                "x": list(grid.batch_sizes),
                "y": list(grid.lrs),
                "z": short(above.T, 3),
                "label": "final loss above the floor, log₁₀",
            },
            "lines": [limit_line("mean-square", False), limit_line("almost-sure", True)],
            "marks": [],
            "text": (
                f"After {settings['num_epochs']} epochs the {settings['average']} over "
                f"{len(grid.seeds)} seeds lies above 0.5, worse than no model at all, at "
                f"{lost} of {above.size} pixels."
            ),
        }


@functools.cache
def loss_grid(num_epochs: int, replacement: bool) -> Grid:
    """Train every batch size and learning rate of the map from six seeds."""
    return train_grid(GRID_SIZES, GRID_RATES, num_epochs, seeds=range(6), replacement=replacement)


@functools.cache
def limits(kind: str) -> tuple[float, ...]:
    """Return one of the two limits at each batch size of the map."""
    X = airfoil_data()[0]
    sizes = GRID_SIZES if kind == "mean-square" else GRID_SIZES[:6]  # large ones take long
    return tuple(stability_limit(X, size, kind=kind) for size in sizes)


def limit_line(kind: str, dash: bool) -> dict:
    """Return a limit as a line of a frame."""
    y = limits(kind)
    return {"name": f"{kind} limit", "x": list(GRID_SIZES[: len(y)]), "y": short(y),
            "markers": False, "dash": dash}  # fmt: skip
