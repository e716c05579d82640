"""The registry of methods that can be asked for by name."""

from __future__ import annotations

from descend.descent.method.backtracking import Backtracking
from descend.descent.method.base import Method
from descend.descent.method.gradient_descent import GradientDescent
from descend.errors import MethodError, UnavailableError, nearest, printable

METHODS: dict[str, type[Method]] = {method.name: method for method in (GradientDescent, Backtracking)}

PLANNED = (
    "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "amsgrad", "nadam", "lion", "adgd",
    "dog", "prodigy", "barzilai-borwein", "conjugate-gradient", "bfgs", "l-bfgs", "newton", "trust-region",
    "gauss-newton", "levenberg-marquardt", "proximal", "fista",
)  # fmt: skip


def find_method(name: str, learning_rate: float | str | None) -> Method:
    """Return the method called `name`.  Raises `MethodError`, or `UnavailableError` for one that is only planned."""
    match name:
        case GradientDescent.name:
            if learning_rate is None:
                raise MethodError("gradient-descent needs a learning rate; without one use backtracking, or auto")
            return GradientDescent(learning_rate)
        case Backtracking.name:
            if learning_rate is not None:
                raise MethodError("backtracking chooses its own steps; leave the learning rate away")
            return Backtracking()
    names = ", ".join(["auto", *METHODS])
    if name in PLANNED:
        raise UnavailableError(f"the method {name} is not in this version; there are {names}")
    close = nearest(name, ["auto", *METHODS])
    hint = f"did you mean {close}?" if close else f"there are {names}"
    raise MethodError(f"there is no method {printable(name)!r}; {hint}")
