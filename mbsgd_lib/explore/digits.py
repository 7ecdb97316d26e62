"""Numbers short enough to be recorded by the thousand."""

import numpy as np


def short(values, digits: int = 4) -> list:
    """Return nested lists with so many significant digits, None for what is not finite."""
    values = np.asarray(values, dtype=float)
    if values.ndim > 1:
        return [short(row, digits) for row in values]
    return [float(f"{value:.{digits}g}") if np.isfinite(value) else None for value in values]
