"""The explorers: sliders that retrain and re-time while you watch."""

from mbsgd_lib.explore.matmul import MatmulExplorer
from mbsgd_lib.explore.training import TrainingExplorer

__all__ = ["MatmulExplorer", "TrainingExplorer", "matmul_explorer", "training_explorer"]


def training_explorer() -> TrainingExplorer:
    """Return controls that retrain linear regression on the airfoil data and draw its loss."""
    return TrainingExplorer()


def matmul_explorer() -> MatmulExplorer:
    """Return controls that time the matrix product in six ways and draw its speed."""
    return MatmulExplorer()
