"""How well the data determine the parameters: covariance, standard errors, intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from descend.data.source import Table
    from descend.problem.model import FormulaModel

BLOCK = 65_536


def covariance(model: FormulaModel, values: Sequence[float], table: Table, rss: float) -> Any | None:
    """Return s² (JᵀJ)⁻¹, s² = RSS / (rows - parameters): float64 (n, n); None where it does not exist.

    J holds ∂ŷ/∂parameter for each row (Bates & Watts, *Nonlinear Regression Analysis*, 1988, §2.3); for a linear
    model this is the textbook covariance.  JᵀJ is never formed: J is scaled by columns and triangulated.
    """
    import numpy as np

    freedom = table.rows - len(values)
    if freedom <= 0:
        return None
    jacobian = model.jacobian(values, table)
    if not np.isfinite(jacobian).all():
        return None
    with np.errstate(all="ignore"):
        scale = np.abs(jacobian).max(axis=0)
        if not (scale > 0).all():
            return None
        triangle = np.linalg.qr(jacobian / scale, mode="r")
        if np.linalg.cond(triangle) > 1e15:
            return None
        inverse = np.linalg.inv(triangle)
        result: Any = (rss / freedom) * (inverse @ inverse.T) / scale[:, None] / scale[None, :]
    return result if np.isfinite(result).all() else None


def student(level: float, freedom: int) -> float:
    """Return t with P(|T| ≤ t) = level for Student's T with `freedom` degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))
