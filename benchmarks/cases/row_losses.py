"""Losses of one row with a linear predictor z: each library's way of writing the loss and its slope dℓ/dz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class RowLoss(NamedTuple):
    """A loss ℓ(z, y).

    `numpy` gets a block (z, y, space of the same size), leaves dℓ/dz in z and returns Σ ℓ.  `numexpr` are the texts of
    ℓ and dℓ/dz; where ℓ is None, the cost is a quarter of the sum of squares of dℓ/dz.  `numba` makes a function
    (z, y) → (ℓ, dℓ/dz); `jax` returns ℓ, `torch` (ℓ, dℓ/dz); `c` declares ``loss`` and ``d``.
    """

    text: str
    numpy: Callable[[Any, Any, Any], float]
    numexpr: tuple[str | None, str]
    numba: Callable[[], Any]
    jax: Callable[[Any, Any], Any]
    torch: Callable[[Any, Any], tuple[Any, Any]]
    c: str


# ------------------------------------------------------------------------------------------------------ sum of squares


def _squares_numpy(z: Any, y: Any, _: Any) -> float:
    z -= y
    cost = float(z @ z)
    z *= 2
    return cost


def _squares_numba() -> Any:
    import numba

    return numba.njit(fastmath=True)(lambda z, y: ((z - y) * (z - y), 2 * (z - y)))


SQUARES = RowLoss(
    "rss",
    _squares_numpy,
    (None, "2*(z - y)"),
    _squares_numba,
    lambda z, y: (z - y) ** 2,
    lambda z, y: ((z - y) ** 2, 2 * (z - y)),
    "const double r = z - y, loss = r * r, d = 2 * r;",
)

# ------------------------------------------------------------------------------------------------------------ logistic


def _logistic_numpy(z: Any, y: Any, space: Any) -> float:
    e, positive = space
    cost = -float(z @ y)
    np.abs(z, out=e)
    np.negative(e, out=e)
    np.exp(e, out=e)
    np.maximum(z, 0, out=positive)
    cost += float(positive.sum())
    np.log1p(e, out=positive)
    cost += float(positive.sum())
    np.add(e, 1, out=positive)
    np.copyto(e, 1, where=z >= 0)
    np.divide(e, positive, out=z)
    z -= y
    return cost


def _logistic_numba() -> Any:
    import numba

    @numba.njit(fastmath=True)
    def row(z: Any, y: Any) -> Any:
        e = np.exp(-abs(z))
        return max(z, 0.0) + np.log1p(e) - y * z, (1.0 if z >= 0 else e) / (1 + e) - y

    return row


def _logistic_jax(z: Any, y: Any) -> Any:
    import jax

    return jax.nn.softplus(z) - y * z


def _logistic_torch(z: Any, y: Any) -> Any:
    import torch

    e = torch.exp(-torch.abs(z))  # shared: faster than torch.sigmoid
    return torch.clamp(z, min=0) + torch.log1p(e) - y * z, torch.where(z >= 0, 1.0, e) / (1 + e) - y


LOGISTIC = RowLoss(
    "softplus(yhat) - y*yhat",
    _logistic_numpy,
    ("where(z > 0, z, 0) + log1p(exp(-abs(z))) - y*z", "1/(1 + exp(-z)) - y"),
    _logistic_numba,
    _logistic_jax,
    _logistic_torch,
    "const double e = exp(-fabs(z)), loss = fmax(z, 0) + log1p(e) - y * z, d = (z >= 0 ? 1 : e) / (1 + e) - y;",
)

# ------------------------------------------------------------------------------------------------------------- Poisson


def _poisson_numpy(z: Any, y: Any, _: Any) -> float:
    cost = -float(z @ y)
    np.exp(z, out=z)
    cost += float(z.sum())
    z -= y
    return cost


def _poisson_numba() -> Any:
    import numba

    @numba.njit(fastmath=True)
    def row(z: Any, y: Any) -> Any:
        e = np.exp(z)
        return e - y * z, e - y

    return row


def _poisson_jax(z: Any, y: Any) -> Any:
    import jax

    return jax.numpy.exp(z) - y * z


def _poisson_torch(z: Any, y: Any) -> Any:
    import torch

    e = torch.exp(z)
    return e - y * z, e - y


POISSON = RowLoss(
    "exp(yhat) - y*yhat",
    _poisson_numpy,
    ("exp(z) - y*z", "exp(z) - y"),
    _poisson_numba,
    _poisson_jax,
    _poisson_torch,
    "const double e = exp(z), loss = e - y * z, d = e - y;",
)

# --------------------------------------------------------------------------------------------------------------- Huber

# With r = z - y and its slope d = min(max(r, -δ), δ), the loss is d·(r - d/2): r²/2 inside, δ·(|r| - δ/2) outside.
DELTA = 1.35


def _huber_numpy(z: Any, y: Any, space: Any) -> float:
    r, d = space
    np.subtract(z, y, out=r)
    np.clip(r, -DELTA, DELTA, out=z)
    np.multiply(z, -0.5, out=d)
    d += r
    return float(d @ z)


def _huber_numba() -> Any:
    import numba

    @numba.njit(fastmath=True)
    def row(z: Any, y: Any) -> Any:
        r = z - y
        d = min(max(r, -DELTA), DELTA)
        return d * (r - 0.5 * d), d

    return row


def _huber_jax(z: Any, y: Any) -> Any:
    import jax.numpy as jnp

    r = z - y
    return jnp.where(jnp.abs(r) < DELTA, 0.5 * r * r, DELTA * (jnp.abs(r) - 0.5 * DELTA))


def _huber_torch(z: Any, y: Any) -> Any:
    import torch

    r = z - y
    d = torch.clamp(r, -DELTA, DELTA)
    return torch.nn.functional.huber_loss(z, y, reduction="none", delta=DELTA), d


HUBER = RowLoss(
    f"where(abs(yhat - y) < {DELTA}, (yhat - y)^2/2, {DELTA}*(abs(yhat - y) - {DELTA}/2))",
    _huber_numpy,
    (
        f"where(abs(z - y) < {DELTA}, 0.5*(z - y)**2, {DELTA}*(abs(z - y) - {DELTA / 2}))",
        f"where(z - y > {DELTA}, {DELTA}, where(z - y < -{DELTA}, -{DELTA}, z - y))",
    ),
    _huber_numba,
    _huber_jax,
    _huber_torch,
    f"const double r = z - y, d = fmin(fmax(r, -{DELTA}), {DELTA}), loss = d * (r - 0.5 * d);",
)
