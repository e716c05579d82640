"""The registry of methods that can be asked for by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any

from descend.descent.method.base import Method
from descend.errors import MethodError, nearest, printable

HOMES = {  # name → file and class: a descent loads only the method that it uses
    "gradient-descent": "gradient_descent.GradientDescent",
    "momentum": "momentum.Momentum",
    "nesterov": "nesterov.Nesterov",
    "adagrad": "adagrad.AdaGrad",
    "rmsprop": "rmsprop.RMSProp",
    "adadelta": "adadelta.Adadelta",
    "adam": "adam.Adam",
    "adamw": "adamw.AdamW",
    "amsgrad": "amsgrad.AMSGrad",
    "nadam": "nadam.Nadam",
    "lion": "lion.Lion",
    "adgd": "adgd.AdGD",
    "dog": "dog.DoG",
    "barzilai-borwein": "barzilai_borwein.BarzilaiBorwein",
    "conjugate-gradient": "conjugate_gradient.ConjugateGradient",
    "bfgs": "bfgs.BFGS",
    "l-bfgs": "l_bfgs.LBFGS",
    "newton": "newton.Newton",
    "gauss-newton": "gauss_newton.GaussNewton",
    "levenberg-marquardt": "levenberg_marquardt.LevenbergMarquardt",
    "slqp": "slqp.SLQP",
    "proximal": "proximal.Proximal",
    "fista": "fista.FISTA",
}

FORMER = {"backtracking": "barzilai-borwein"}  # names of old, and what does it now


class Methods(Mapping[str, type[Method]]):
    """Name → method, loaded when it is asked for."""

    def __getitem__(self, name: str) -> type[Method]:
        file, _, attribute = HOMES[name].partition(".")
        found: type[Method] = getattr(import_module(f"descend.descent.method.{file}"), attribute)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(HOMES)

    def __len__(self) -> int:
        return len(HOMES)


METHODS = Methods()


def find_method(name: str, learning_rate: float | str | None) -> Method:
    """Return the method called `name`.  Raises `MethodError`.

    A method with the setting `learning_rate` gets the rate; one without refuses it.
    """
    names = ", ".join(["auto", *METHODS])
    if name not in METHODS:
        close = FORMER.get(name) or nearest(name, ["auto", *METHODS])
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
        raise MethodError(f"{name} needs a learning rate; without one leave the method away, or use barzilai-borwein")
    return method()
