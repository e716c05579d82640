"""The registry of methods that can be asked for by name."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from descend.descent.method.backtracking import Backtracking
from descend.descent.method.base import Method
from descend.descent.method.gradient_descent import GradientDescent
from descend.errors import MethodError, UnavailableError, nearest, printable

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (
        GradientDescent,
        Backtracking,
    )
}

PLANNED = (
    "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "amsgrad", "nadam", "lion", "adgd",
    "dog", "prodigy", "barzilai-borwein", "conjugate-gradient", "bfgs", "l-bfgs", "newton", "gauss-newton",
    "levenberg-marquardt", "proximal", "fista",
)  # fmt: skip


def find_method(name: str, learning_rate: float | str | None) -> Method:
    """Return the method called `name`.  Raises `MethodError`, or `UnavailableError` for one that is only planned.

    A method with the setting `learning_rate` gets the rate; one without refuses it.
    """
    names = ", ".join(["auto", *METHODS])
    if name in PLANNED:
        raise UnavailableError(f"the method {name} is not in this version; there are {names}")
    if name not in METHODS:
        close = nearest(name, ["auto", *METHODS])
        hint = f"did you mean {close}?" if close else f"there are {names}"
        raise MethodError(f"there is no method {printable(name)!r}; {hint}")
    method = METHODS[name]
    settings: dict[str, Any] = {field.name: field for field in fields(method)}
    rate = settings.get("learning_rate")
    if rate is None:
        if learning_rate is not None:
            raise MethodError(f"{name} chooses its own steps; leave the learning rate away")
        return method()
    if learning_rate is not None:
        return method(learning_rate=learning_rate)  # type: ignore[call-arg] # it has this setting
    if rate.default is MISSING:
        raise MethodError(f"{name} needs a learning rate; without one leave the method away, or use backtracking")
    return method()
