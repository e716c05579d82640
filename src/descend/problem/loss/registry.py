"""The registry of losses that can be asked for by name."""

from __future__ import annotations

from descend.errors import MethodError, UnavailableError, nearest, printable
from descend.problem.loss.base import Loss
from descend.problem.loss.squares import MSE, RSS

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (RSS, MSE)}

PLANNED = (
    "mae", "huber", "quantile", "log-cosh", "cauchy", "log-loss", "softmax", "hinge", "squared-hinge", "poisson",
    "gamma", "tweedie", "negative-binomial",
)  # fmt: skip


def find_loss(name: str) -> Loss:
    """Return the loss called `name`; raises `MethodError`, or `UnavailableError` for one that is only planned."""
    if name in LOSSES:
        return LOSSES[name]
    if name.partition("(")[0].strip() in PLANNED:
        raise UnavailableError(f"the loss {printable(name)} is not in this version; there are {', '.join(LOSSES)}")
    close = nearest(name, LOSSES)
    hint = f"did you mean {close}?" if close else f"there are {', '.join(LOSSES)}"
    raise MethodError(f"there is no loss {printable(name)!r}; {hint}")
