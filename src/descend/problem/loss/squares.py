"""Squared residuals: their sum (rss) and their mean (mse)."""

from __future__ import annotations

from descend.expression.tape import Tape
from descend.problem.loss.base import Loss

SOURCE = "Legendre, Nouvelles méthodes pour la détermination des orbites des comètes (1805)"


def squared_residual(tape: Tape, observed: int, predicted: int) -> int:
    """(y - ŷ)²."""
    return tape.pow(tape.sub(observed, predicted), tape.constant(2))


RSS = Loss("rss", "residual sum of squares", "Σ (y - ŷ)²", squared_residual, mean=False, quadratic=True, source=SOURCE)
MSE = Loss("mse", "mean squared error", "Σ (y - ŷ)² / rows", squared_residual, mean=True, quadratic=True, source=SOURCE)
