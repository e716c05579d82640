"""The contestants: descend, SciPy, NLopt, each a function from a problem to an `Answer`.

Peers are handed the exact derivatives of `descend.compile`.  A look is one evaluation of cost and gradient (for
Nelder-Mead of the cost), counted here and not by the peer; so are Hessians and products.
"""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

import descend
from benchmarks.methods.problems import SMALL, Problem

PATIENCE = 3  # s a run: longer ones are ended, and count as no success
MANY = 20  # the same for more than 200 variables, and for descend


class TooLong(BaseException):
    """The time for one run is over."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raise `TooLong` after so many seconds."""

    def ring(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Answer:
    """What a contestant says, and what it used.  `x` is None where it gave no point."""

    x: Any
    success: bool
    status: str
    looks: int = 0
    hessians: int = 0
    products: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Contestant:
    """A method at some setting; `most` is the largest number of variables it is asked to do."""

    name: str
    run: Callable[[Problem], Answer]
    most: int = SMALL


class Counted:
    """The compiled cost, with counts, and the best point seen for runs that are cut short."""

    def __init__(self, problem: Problem) -> None:
        self.fun = descend.compile(problem.text, **problem.settings)
        self.looks = self.hessians = self.products = 0
        self.best: tuple[float, Any] = (float("inf"), None)

    def look(self, x: Any) -> tuple[float, Any]:
        """Return cost and gradient."""
        self.looks += 1
        value, gradient = self.fun.value_and_gradient(x)
        if value < self.best[0]:
            self.best = (value, np.array(x))
        return value, gradient

    def value(self, x: Any) -> float:
        """Return the cost."""
        return self.look(x)[0]

    def hessian(self, x: Any) -> Any:
        """Return the Hessian."""
        self.hessians += 1
        return self.fun.hessian(x)

    def product(self, x: Any, v: Any) -> Any:
        """Return the Hessian times v."""
        self.products += 1
        return self.fun.hessian_product(x, v)


def ours(problem: Problem, **settings: Any) -> Answer:
    """Run `descend.minimize` at its defaults: the whole call, reading, compiling and verdict included."""
    began = perf_counter()
    try:
        with patience(MANY):
            start = list(problem.start) if problem.n <= SMALL else np.array(problem.start)
            result = descend.minimize(problem.text, start, **problem.settings, **settings)
    except TooLong:
        return Answer(None, False, "TOO LONG", seconds=perf_counter() - began)
    except Exception as error:  # noqa: BLE001 - an error is an outcome here, and a bad one
        return Answer(None, False, f"{type(error).__name__}: {error}"[:120], seconds=perf_counter() - began)
    seconds = perf_counter() - began
    x = (
        np.array([result.variables[name] for name in problem.names])
        if problem.names
        else result.variables[problem.array]
    )
    return Answer(
        np.asarray(x, dtype=float),
        result.success,
        f"{result.status.name} ({result.method})",
        result.looks,
        result.hessians,
        result.products,
        seconds,
    )


def handed(problem: Problem, work: Callable[[Counted, Any], tuple[Any, bool, str]]) -> Answer:
    """Run a peer on the compiled cost; the time includes the compilation."""
    began = perf_counter()
    cost = Counted(problem)
    try:
        with patience(PATIENCE if problem.n <= SMALL else MANY), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            x, success, status = work(cost, np.array(problem.start))
    except TooLong:
        x, success, status = cost.best[1], False, "too long"
    except Exception as error:  # noqa: BLE001 - an error is an outcome here, and a bad one
        x, success, status = cost.best[1], False, f"{type(error).__name__}: {error}"[:120]
    return Answer(x, success, status, cost.looks, cost.hessians, cost.products, perf_counter() - began)


TIGHT: dict[str, dict[str, Any]] = {
    "BFGS": {"gtol": 1e-10, "maxiter": 10**5},
    "L-BFGS-B": {"ftol": 1e-16, "gtol": 1e-10, "maxiter": 10**5, "maxfun": 10**5},
    "CG": {"gtol": 1e-10, "maxiter": 10**5},
    "Newton-CG": {"xtol": 1e-12, "maxiter": 10**5},
    "trust-exact": {"gtol": 1e-10, "maxiter": 10**5},
    "TNC": {"ftol": 1e-16, "gtol": 1e-10, "xtol": 1e-16, "maxfun": 10**5},
    "Nelder-Mead": {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 10**5, "maxfev": 10**5},
}


def scipy(method: str, options: dict[str, Any]) -> Callable[[Problem], Answer]:
    """Return a method of SciPy with exact derivatives."""
    from scipy.optimize import minimize

    def work(cost: Counted, start: Any) -> tuple[Any, bool, str]:
        more: dict[str, Any] = {"jac": True}
        if method == "trust-exact":
            more["hess"] = cost.hessian
        elif method == "Newton-CG":
            more["hessp"] = cost.product
        elif method == "Nelder-Mead":
            more = {}
        fun = cost.value if method == "Nelder-Mead" else cost.look
        found = minimize(fun, start, method=method, options=options, **more)
        return found.x, bool(found.success), str(found.message)

    return lambda problem: handed(problem, work)


def nlopt(method: str, tight: bool) -> Callable[[Problem], Answer]:
    """Return a method of NLopt; it has no default tolerance, so 1e-8 of the variables stands for one."""
    import nlopt as library

    def work(cost: Counted, start: Any) -> tuple[Any, bool, str]:
        search = library.opt(getattr(library, method), len(start))

        def look(x: Any, slope: Any) -> float:
            value, gradient = cost.look(x)
            if slope.size:
                slope[:] = gradient
            return value

        search.set_min_objective(look)
        search.set_xtol_rel(1e-14 if tight else 1e-8)
        search.set_maxeval(10**5)
        x = search.optimize(start)
        code = search.last_optimize_result()
        return x, code in {1, 2, 3, 4}, f"code {code}"

    return lambda problem: handed(problem, work)


def contestants() -> list[Contestant]:
    """Return descend's `auto` and the peers that are installed, each at its defaults and tight."""
    found = [Contestant("descend", ours, 10**9)]
    for method, tight in TIGHT.items():
        most = 10**9 if method in {"L-BFGS-B", "Newton-CG"} else SMALL
        found += [
            Contestant(f"SciPy {method}", scipy(method, {}), most),
            Contestant(f"SciPy {method}, tight", scipy(method, tight), most),
        ]
    try:
        import nlopt as _  # noqa: F401
    except ImportError:
        print("NLopt is left out: it is not installed (pip install nlopt)")
        return found
    for method in ("LD_LBFGS", "LD_SLSQP", "LD_TNEWTON_PRECOND_RESTART", "LD_VAR2"):
        found += [
            Contestant(f"NLopt {method[3:]}", nlopt(method, False)),
            Contestant(f"NLopt {method[3:]}, tight", nlopt(method, True)),
        ]
    return found


def by_name() -> list[Contestant]:
    """Return descend's own methods by name, those that need no rate, with at most a second a run."""
    names = [row["method"] for row in descend.methods() if row["learning rate"] != "needed" and row["method"] != "auto"]
    return [
        Contestant(f"descend {name}", lambda problem, name=name: ours(problem, method=name, max_seconds=1.0))
        for name in names
    ]
