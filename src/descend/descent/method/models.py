"""Which trust-region model stands for a cost: by the number of its variables and the pattern of its Hessian."""

from __future__ import annotations

from typing import Any

from descend.descent.method.large import large_model
from descend.descent.method.subproblem import DenseModel, Model
from descend.evaluation import Curvature

DENSE = 200  # variables up to which eigenvalues cost little beside a look


def model_of(curvature: Curvature, gradient: Any, scaling: Any, free: Any | None = None) -> Model | None:
    """Return the model at a point, None where the Hessian is not finite there.

    `scaling` is D's diagonal, `free` a mask of the variables that may move.
    """
    import numpy as np

    if len(gradient) > DENSE:
        return large_model(curvature, gradient, scaling, free)
    hessian = curvature.hessian()
    return DenseModel(hessian, gradient, scaling, free) if np.isfinite(hessian).all() else None
