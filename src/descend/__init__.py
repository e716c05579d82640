"""descend: write the cost as mathematics, get the truth about its minimum.

The public names are loaded when they are first used (PEP 562), so that ``import descend`` costs next to nothing.

>>> import descend
>>> descend.minimize("(x-3)^2 + (y+1)^2").variables
{'x': 3.0, 'y': -1.0}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "gradient_descent": "descend.api.minimize",
    "minimize": "descend.api.minimize",
    "maximize": "descend.api.minimize",
    "steps": "descend.api.steps",
    "derivative": "descend.api.derivative",
    "explain": "descend.api.explain",
    "compile": "descend.api.compile",
    "fit": "descend.api.fit",
    "load": "descend.api.fit",
    "methods": "descend.api.registries",
    "losses": "descend.api.registries",
    "functions": "descend.api.registries",
    "Limits": "descend.expression.limits",
    "Status": "descend.descent.status",
    "Result": "descend.answer.result",
    "Fit": "descend.answer.fit",
    "Trace": "descend.descent.trace",
    "GradientDescent": "descend.descent.method.gradient_descent",
    "Backtracking": "descend.descent.method.backtracking",
    "DescendError": "descend.errors",
    "FormulaError": "descend.errors",
    "LimitError": "descend.errors",
    "StartError": "descend.errors",
    "DomainError": "descend.errors",
    "DataError": "descend.errors",
    "MethodError": "descend.errors",
    "UnavailableError": "descend.errors",
    "UnsuccessfulError": "descend.errors",
}

__all__ = [
    "Backtracking",
    "DataError",
    "DescendError",
    "DomainError",
    "Fit",
    "FormulaError",
    "GradientDescent",
    "LimitError",
    "Limits",
    "MethodError",
    "Result",
    "StartError",
    "Status",
    "Trace",
    "UnavailableError",
    "UnsuccessfulError",
    "__version__",
    "compile",
    "derivative",
    "explain",
    "fit",
    "functions",
    "gradient_descent",
    "load",
    "losses",
    "maximize",
    "methods",
    "minimize",
    "steps",
]

if TYPE_CHECKING:
    from descend.answer.fit import Fit
    from descend.answer.result import Result
    from descend.api.compile import compile  # noqa: A004 - the public name
    from descend.api.derivative import derivative
    from descend.api.explain import explain
    from descend.api.fit import fit, load
    from descend.api.minimize import gradient_descent, maximize, minimize
    from descend.api.registries import functions, losses, methods
    from descend.api.steps import steps
    from descend.descent.method.backtracking import Backtracking
    from descend.descent.method.gradient_descent import GradientDescent
    from descend.descent.status import Status
    from descend.descent.trace import Trace
    from descend.errors import (
        DataError,
        DescendError,
        DomainError,
        FormulaError,
        LimitError,
        MethodError,
        StartError,
        UnavailableError,
        UnsuccessfulError,
    )
    from descend.expression.limits import Limits


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'descend' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
