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
    "gradient_descent": "descend.api.article",
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
    "GaussNewton": "descend.descent.method.gauss_newton",
    "GradientDescent": "descend.descent.method.gradient_descent",
    "AdGD": "descend.descent.method.adgd",
    "AdaGrad": "descend.descent.method.adagrad",
    "Adadelta": "descend.descent.method.adadelta",
    "Adam": "descend.descent.method.adam",
    "AdamW": "descend.descent.method.adamw",
    "AMSGrad": "descend.descent.method.amsgrad",
    "DoG": "descend.descent.method.dog",
    "LevenbergMarquardt": "descend.descent.method.levenberg_marquardt",
    "Lion": "descend.descent.method.lion",
    "Momentum": "descend.descent.method.momentum",
    "Nadam": "descend.descent.method.nadam",
    "Nesterov": "descend.descent.method.nesterov",
    "RMSProp": "descend.descent.method.rmsprop",
    "BFGS": "descend.descent.method.bfgs",
    "BarzilaiBorwein": "descend.descent.method.barzilai_borwein",
    "ConjugateGradient": "descend.descent.method.conjugate_gradient",
    "LBFGS": "descend.descent.method.l_bfgs",
    "Newton": "descend.descent.method.newton",
    "SLQP": "descend.descent.method.slqp",
    "Proximal": "descend.descent.method.proximal",
    "FISTA": "descend.descent.method.fista",
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

__all__ = [  # noqa: RUF022 - as sorted() does
    "AMSGrad",
    "AdGD",
    "AdaGrad",
    "Adadelta",
    "Adam",
    "AdamW",
    "BFGS",
    "BarzilaiBorwein",
    "ConjugateGradient",
    "DataError",
    "DescendError",
    "DoG",
    "DomainError",
    "FISTA",
    "Fit",
    "FormulaError",
    "GaussNewton",
    "GradientDescent",
    "LBFGS",
    "LevenbergMarquardt",
    "LimitError",
    "Limits",
    "Lion",
    "MethodError",
    "Momentum",
    "Nadam",
    "Nesterov",
    "Newton",
    "Proximal",
    "RMSProp",
    "Result",
    "SLQP",
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
    from descend.api.article import gradient_descent
    from descend.api.compile import compile  # noqa: A004 - the public name
    from descend.api.derivative import derivative
    from descend.api.explain import explain
    from descend.api.fit import fit, load
    from descend.api.minimize import maximize, minimize
    from descend.api.registries import functions, losses, methods
    from descend.api.steps import steps
    from descend.descent.method.adadelta import Adadelta
    from descend.descent.method.adagrad import AdaGrad
    from descend.descent.method.adam import Adam
    from descend.descent.method.adamw import AdamW
    from descend.descent.method.adgd import AdGD
    from descend.descent.method.amsgrad import AMSGrad
    from descend.descent.method.barzilai_borwein import BarzilaiBorwein
    from descend.descent.method.bfgs import BFGS
    from descend.descent.method.conjugate_gradient import ConjugateGradient
    from descend.descent.method.dog import DoG
    from descend.descent.method.fista import FISTA
    from descend.descent.method.gauss_newton import GaussNewton
    from descend.descent.method.gradient_descent import GradientDescent
    from descend.descent.method.l_bfgs import LBFGS
    from descend.descent.method.levenberg_marquardt import LevenbergMarquardt
    from descend.descent.method.lion import Lion
    from descend.descent.method.momentum import Momentum
    from descend.descent.method.nadam import Nadam
    from descend.descent.method.nesterov import Nesterov
    from descend.descent.method.newton import Newton
    from descend.descent.method.proximal import Proximal
    from descend.descent.method.rmsprop import RMSProp
    from descend.descent.method.slqp import SLQP
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
