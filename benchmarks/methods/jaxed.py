"""JAX's minimisers in double precision: optimistix (BFGS, L-BFGS) and optax (L-BFGS with its zoom search).

The formulas go through SymPy's lambdify (sums written out), so only problems of few variables take part.  JAX finds its
own derivatives; its looks are the steps' trials that the libraries count, and its time includes jit.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.methods.peers import Answer, Contestant, TooLong, patience
from benchmarks.methods.problems import Problem

MOST = 12  # variables
STEPS = 5000
PATIENCE = 20


def made(problem: Problem) -> Callable[[Any], Any]:
    """Return the cost as a function of a JAX array."""
    import jax.numpy as jnp
    import sympy

    symbols = sympy.symbols(f"v0:{problem.n}")
    spaces: dict[str, Any] = {name: sympy.IndexedBase(name) for name in ("x", *problem.data)}
    if problem.names is not None:
        spaces = dict(zip(problem.names, symbols, strict=True)) | {n: spaces[n] for n in problem.data}
    spaces |= {name: sympy.Integer(value) for name, value in problem.constants.items()}
    cost = sympy.sympify(problem.text, locals=spaces).doit()
    known = {e: sympy.Float(problem.data[str(e.base)][int(e.indices[0])], 17) for e in cost.atoms(sympy.Indexed)
             if str(e.base) in problem.data}  # fmt: skip
    cost = cost.xreplace(known)
    if problem.names is None:
        cost = cost.xreplace({spaces["x"][k]: s for k, s in enumerate(symbols)})
    fun = sympy.lambdify([symbols], cost, modules="jax")
    return lambda x: jnp.asarray(fun(x), dtype=jnp.float64)


def _run(problem: Problem, work: Callable[[Any, Any], tuple[Any, bool, str, int]]) -> Answer:
    import jax.numpy as jnp

    cost = made(problem)
    began = perf_counter()
    try:
        with patience(PATIENCE):
            x, success, status, looks = work(cost, jnp.array(problem.start, dtype=jnp.float64))
    except TooLong:
        return Answer(None, False, "too long", seconds=perf_counter() - began)
    except Exception as error:  # noqa: BLE001 - an error is an outcome here, and a bad one
        return Answer(None, False, f"{type(error).__name__}: {error}"[:120], seconds=perf_counter() - began)
    return Answer(np.array(x, dtype=float), success, status, looks, seconds=perf_counter() - began)


def optimistix(kind: str, tolerance: float) -> Callable[[Problem], Answer]:
    """Return a minimiser of optimistix; its solvers have no default tolerance, so 1e-8 stands for one."""
    import optimistix as optx

    def work(cost: Any, start: Any) -> tuple[Any, bool, str, int]:
        solver = getattr(optx, kind)(rtol=tolerance, atol=tolerance)
        found = optx.minimise(lambda y, _: cost(y), solver, start, max_steps=STEPS, throw=False)
        return found.value, bool(found.result == optx.RESULTS.successful), "", int(found.stats["num_steps"])

    return lambda problem: _run(problem, work)


def optax(tolerance: float) -> Callable[[Problem], Answer]:
    """Return optax's L-BFGS, run until the slope is at most `tolerance` (as in its documentation)."""
    import jax
    import optax as library

    def work(cost: Any, start: Any) -> tuple[Any, bool, str, int]:
        method = library.lbfgs()
        both = library.value_and_grad_from_state(cost)

        def step(carry: Any) -> Any:
            x, state, looks, _ = carry
            value, slope = both(x, state=state)
            change, state = method.update(slope, state, x, value=value, grad=slope, value_fn=cost)
            tried = library.tree_utils.tree_get(state, "num_linesearch_steps")
            return library.apply_updates(x, change), state, looks + tried, library.tree.norm(slope)

        def on(carry: Any) -> Any:
            return (carry[3] > tolerance) & (carry[2] < STEPS)

        begin = (start, method.init(start), jax.numpy.asarray(0), jax.numpy.asarray(float("inf")))
        x, _, looks, size = jax.jit(lambda c: jax.lax.while_loop(on, step, c))(begin)
        return x, bool(size <= tolerance), f"slope {float(size):.2g}", int(looks) + 1

    return lambda problem: _run(problem, work)


def contestants() -> list[Contestant]:
    """Return JAX's contestants that are installed."""
    try:
        import jax
        import optax as _optax  # noqa: F401
        import optimistix as _optimistix  # noqa: F401
    except ImportError as error:
        print(f"JAX's minimisers are left out: {error}")
        return []
    jax.config.update("jax_enable_x64", True)
    return [
        Contestant("optimistix BFGS", optimistix("BFGS", 1e-8), MOST),
        Contestant("optimistix BFGS, tight", optimistix("BFGS", 1e-12), MOST),
        Contestant("optimistix L-BFGS", optimistix("LBFGS", 1e-8), MOST),
        Contestant("optax L-BFGS", optax(1e-5), MOST),
        Contestant("optax L-BFGS, tight", optax(1e-10), MOST),
    ]
