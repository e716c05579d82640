"""The registry of losses that can be asked for by name."""

from __future__ import annotations

from descend.errors import MethodError, UnavailableError, nearest, printable
from descend.expression.limits import Limits
from descend.problem.loss.base import Loss
from descend.problem.loss.formula import PREDICTED, formula_loss, is_formula
from descend.problem.loss.squares import MSE, RSS

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (RSS, MSE)}

PLANNED = (
    "mae", "huber", "quantile", "log-cosh", "cauchy", "log-loss", "softmax", "hinge", "squared-hinge", "poisson",
    "gamma", "tweedie", "negative-binomial",
)  # fmt: skip


def find_loss(name: str, *, formulas: Limits | None = None) -> Loss:
    """Return the loss called `name` or, where `formulas` (their limits) are taken, the one that it is a formula of.

    Raises `MethodError`, `FormulaError`, or `UnavailableError` for what is only planned.
    """
    if not isinstance(name, str):
        raise MethodError(f"a loss is text, the name of one, not {printable(type(name).__name__)}")
    if name in LOSSES:
        return LOSSES[name]
    shown = ", ".join(LOSSES)
    if name.partition("(")[0].strip() in PLANNED:
        raise UnavailableError(f"the loss {printable(name)} is not in this version; there are {shown}")
    if is_formula(name):
        if formulas is None:
            raise UnavailableError(
                f"a loss that is a formula is taken by compile only, fits with one are not in this version; there are "
                f"{shown}"
            )
        return formula_loss(name, formulas)
    close = nearest(name, LOSSES if formulas is None else [*LOSSES, PREDICTED])
    hint = f"did you mean {close}?" if close else f"there are {shown}"
    if formulas is not None:
        hint += " (or a formula in y and yhat)"
    raise MethodError(f"there is no loss {printable(name)!r}; {hint}")
