"""The explorers: sliders that retrain and re-time while you watch."""

from mbsgd_lib.explore.batchnorm import BatchNormExplorer
from mbsgd_lib.explore.critical import CriticalExplorer
from mbsgd_lib.explore.floor import FloorExplorer
from mbsgd_lib.explore.growth import GrowthExplorer
from mbsgd_lib.explore.matmul import MatmulExplorer
from mbsgd_lib.explore.noise import NoiseExplorer
from mbsgd_lib.explore.scaling import ScalingExplorer
from mbsgd_lib.explore.stability import StabilityExplorer, ValleyExplorer
from mbsgd_lib.explore.training import TrainingExplorer

__all__ = [
    "BatchNormExplorer",
    "CriticalExplorer",
    "FloorExplorer",
    "GrowthExplorer",
    "MatmulExplorer",
    "NoiseExplorer",
    "ScalingExplorer",
    "StabilityExplorer",
    "TrainingExplorer",
    "ValleyExplorer",
    "batchnorm_explorer",
    "critical_explorer",
    "floor_explorer",
    "growth_explorer",
    "matmul_explorer",
    "noise_explorer",
    "scaling_explorer",
    "stability_explorer",
    "training_explorer",
    "valley_explorer",
]


def training_explorer() -> TrainingExplorer:
    """Return controls that retrain linear regression on the airfoil data and draw its loss."""
    return TrainingExplorer()


def matmul_explorer() -> MatmulExplorer:
    """Return controls that time the matrix product in six ways and draw its speed."""
    return MatmulExplorer()


def batchnorm_explorer() -> BatchNormExplorer:
    """Return controls that normalize one example in many batches and draw what it becomes."""
    return BatchNormExplorer()


def critical_explorer() -> CriticalExplorer:
    """Return controls that draw updates or examples to a target loss against batch size."""
    return CriticalExplorer()


def floor_explorer() -> FloorExplorer:
    """Return controls that train under a schedule and draw the loss above the optimum."""
    return FloorExplorer()


def growth_explorer() -> GrowthExplorer:
    """Return controls that time gradient descent and minibatches as the data grow."""
    return GrowthExplorer()


def noise_explorer() -> NoiseExplorer:
    """Return controls that draw minibatch gradients and their histogram."""
    return NoiseExplorer()


def stability_explorer() -> StabilityExplorer:
    """Return controls that train a grid of settings and draw the stability limits on it."""
    return StabilityExplorer()


def valley_explorer() -> ValleyExplorer:
    """Return controls that draw the path of w over the contours of the loss."""
    return ValleyExplorer()


def scaling_explorer() -> ScalingExplorer:
    """Return controls that draw how much of the time many workers compute, by a model."""
    return ScalingExplorer()
