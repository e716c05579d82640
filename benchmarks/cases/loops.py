"""Three costs and the whole loop down each: in C, for Numba, for JAX.

Every contestant does what the user asked for: it looks at cost and slope, stops at what is not finite, at a small step
or when the steps are spent, and keeps the best point.  The rate is known when the loop runs, not before.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIX = (
    "exp(x0/4) + exp(-x1) + sin(x2)*cos(x3) + x4^2*x5^2 + (x4 - x6*x7)^2 + (x8 - x9)^2 + x8*x9/4 + sin(x6) "
    "+ x5*exp(-x7/2) + x0^2 + x1^2 + x2^2 + x3^2 + x6^2 + x7^2"
)


@dataclass(frozen=True)
class LoopCase:
    """A cost, with its value and slopes written by hand as statements that C and Python share."""

    title: str
    text: str
    start: tuple[float, ...]
    rate: float  # so small that no loop ends before its steps are taken
    statements: tuple[str, ...]
    cost: str
    slopes: tuple[str, ...]
    of: Callable[..., Any]  # cost(numpy, x0, x1, ...)


def _mix(np: Any, x0: Any, x1: Any, x2: Any, x3: Any, x4: Any, x5: Any, x6: Any, x7: Any, x8: Any, x9: Any) -> Any:
    waves = np.sin(x2) * np.cos(x3) + np.sin(x6)
    products = x4**2 * x5**2 + (x4 - x6 * x7) ** 2 + (x8 - x9) ** 2 + x8 * x9 / 4
    exponentials = np.exp(x0 / 4) + np.exp(-x1) + x5 * np.exp(-x7 / 2)
    return exponentials + waves + products + x0**2 + x1**2 + x2**2 + x3**2 + x6**2 + x7**2


CASES = (
    LoopCase("x²", "x^2", (3.0,), 1e-9, (), "x0 * x0", ("2 * x0",), lambda _np, x: x * x),
    LoopCase(
        "Rosenbrock, 2 variables",
        "(1-x)^2 + 100*(y-x^2)^2",
        (-1.2, 1.0),
        1e-9,
        ("a = 1 - x0", "b = x1 - x0 * x0"),
        "a * a + 100 * (b * b)",
        ("-2 * a - 400 * (x0 * b)", "200 * b"),
        lambda _np, x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    ),
    LoopCase(
        "mix, 10 variables",
        MIX,
        (0.5, 1.0, 0.3, 0.2, 0.1, 0.7, 0.4, 0.6, 0.25, 0.35),
        1e-9,
        (
            "a = exp(x0 / 4)", "b = exp(-x1)", "c = exp(-x7 / 2)", "s2 = sin(x2)", "c2 = cos(x2)", "s3 = sin(x3)",
            "c3 = cos(x3)", "s6 = sin(x6)", "c6 = cos(x6)", "d = x4 * x5", "e = x4 - x6 * x7", "f = x8 - x9",
        ),
        "a + b + s2 * c3 + d * d + e * e + f * f + x8 * x9 / 4 + s6 + x5 * c + x0 * x0 + x1 * x1 + x2 * x2 + x3 * x3"
        " + x6 * x6 + x7 * x7",
        (
            "a / 4 + 2 * x0", "2 * x1 - b", "c2 * c3 + 2 * x2", "2 * x3 - s2 * s3", "2 * (d * x5 + e)",
            "2 * d * x4 + c", "c6 + 2 * (x6 - e * x7)", "2 * (x7 - e * x6) - x5 * c / 2", "2 * f + x9 / 4",
            "x8 / 4 - 2 * f",
        ),
        _mix,
    ),
)  # fmt: skip

FAST = ("-O3", "-march=native", "-ffast-math")
FUSED = ("-O3", "-march=native")  # gcc makes FMAs also without -ffast-math
EXACT = (*FUSED, "-ffp-contract=off")  # the arithmetic that is written
Loop = Callable[[int], list[float]]  # steps → best cost, then the last point


def gcc_loop(case: LoopCase, flags: tuple[str, ...]) -> Loop:
    """Return the loop in C; raises `ImportError` where there is no gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        raise ImportError("there is no gcc")
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "loop.c"), Path(folder, "loop.so")
        source.write_text(_c_text(case), encoding="ascii")
        subprocess.run([gcc, *flags, "-shared", "-fPIC", str(source), "-o", str(library), "-lm"], check=True)
        function = ctypes.CDLL(str(library)).loop
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double, ctypes.c_double, ctypes.c_long]
    function.restype = ctypes.c_int
    size = len(case.start)

    def run(steps: int) -> list[float]:
        x, best = (ctypes.c_double * size)(*case.start), (ctypes.c_double * (size + 1))()
        function(ctypes.addressof(x), ctypes.addressof(best), case.rate, 0.0, steps)
        return [best[0], *x]

    return run


def _c_text(case: LoopCase) -> str:
    k = range(len(case.start))
    return "\n".join([
        "#include <math.h>",
        "int loop(double *restrict x, double *restrict best, double rate, double limit, long most) {",
        *(f"  double x{i} = x[{i}], b{i} = x[{i}];" for i in k),
        "  double best_cost = 1e308;",
        "  int why = 1;",
        "  for (long steps = 0;; steps++) {",
        *(f"    const double {statement};" for statement in case.statements),
        f"    const double cost = {case.cost};",
        *(f"    const double g{i} = {slope};" for i, slope in enumerate(case.slopes)),
        f"    if (!(fabs(cost) + {' + '.join(f'fabs(g{i})' for i in k)} < 1e308)) {{ why = 3; break; }}",
        f"    if (cost < best_cost) {{ best_cost = cost; {' '.join(f'b{i} = x{i};' for i in k)} }}",
        "    if (steps >= most) break;",
        *(f"    const double d{i} = rate * g{i};" for i in k),
        *(f"    x{i} -= d{i};" for i in k),
        f"    if ({' + '.join(f'd{i} * d{i}' for i in k)} < limit * limit) {{ why = 2; break; }}",
        "  }",
        "  best[0] = best_cost;",
        *(f"  best[{i + 1}] = b{i}; x[{i}] = x{i};" for i in k),
        "  return why;",
        "}",
    ])  # fmt: skip


def numba_loop(case: LoopCase) -> Loop:
    """Return the same loop for Numba, unrolled as the C is."""
    import numba
    import numpy as np

    names: dict[str, Any] = {"exp": np.exp, "sin": np.sin, "cos": np.cos}
    exec(_python_text(case), names)  # noqa: S102 - our own text, written out of the statements above
    function = numba.njit(fastmath=True)(names["loop"])

    def run(steps: int) -> list[float]:
        x, best = np.array(case.start), np.empty(len(case.start) + 1)
        function(x, best, case.rate, 0.0, steps)
        return [best[0], *x]

    return run


def _python_text(case: LoopCase) -> str:
    k = range(len(case.start))
    return "\n".join([
        "def loop(x, best, rate, limit, most):",
        *(f"    x{i} = b{i} = x[{i}]" for i in k),
        "    best_cost, why, steps = 1e308, 1, 0",
        "    while True:",
        *(f"        {statement}" for statement in case.statements),
        f"        cost = {case.cost}",
        *(f"        g{i} = {slope}" for i, slope in enumerate(case.slopes)),
        f"        if not abs(cost) + {' + '.join(f'abs(g{i})' for i in k)} < 1e308:",
        "            why = 3",
        "            break",
        "        if cost < best_cost:",
        "            best_cost = cost",
        *(f"            b{i} = x{i}" for i in k),
        "        if steps >= most:",
        "            break",
        *(f"        d{i} = rate * g{i}" for i in k),
        *(f"        x{i} -= d{i}" for i in k),
        "        steps += 1",
        f"        if {' + '.join(f'd{i} * d{i}' for i in k)} < limit * limit:",
        "            why = 2",
        "            break",
        "    best[0] = best_cost",
        *(f"    best[{i + 1}] = b{i}" for i in k),
        *(f"    x[{i}] = x{i}" for i in k),
        "    return why",
    ])  # fmt: skip


def jax_loop(case: LoopCase) -> Loop:
    """Return the loop as a jitted `while_loop` on scalars, which was faster than on an array."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jnp, size = jax.numpy, len(case.start)
    look = jax.value_and_grad(lambda x: case.of(jnp, *x))

    def turn(state: Any) -> Any:
        x, best, best_cost, _, steps, rate, most, limit, _ = state
        cost, slopes = look(x)
        finite = jnp.isfinite(cost)
        for slope in slopes:
            finite &= jnp.isfinite(slope)
        better = finite & (cost < best_cost)
        best = tuple(jnp.where(better, new, old) for new, old in zip(x, best, strict=True))
        best_cost = jnp.where(better, cost, best_cost)
        moves = [rate * slope for slope in slopes]
        on = finite & (steps < most)
        new = tuple(jnp.where(on, a - d, a) for a, d in zip(x, moves, strict=True))
        on &= sum(d * d for d in moves) >= limit * limit
        return new, best, best_cost, cost, steps + 1, rate, most, limit, on

    @jax.jit
    def loop(x: Any, rate: Any, most: Any, limit: Any) -> Any:
        nothing = jnp.asarray(jnp.inf)
        state = (x, x, nothing, nothing, jnp.asarray(0), rate, most, limit, jnp.asarray(True))
        return jax.lax.while_loop(lambda state: state[-1], turn, state)

    start = tuple(jnp.asarray(value) for value in case.start)
    rate, limit = jnp.asarray(case.rate), jnp.asarray(0.0)

    def run(steps: int) -> list[float]:
        x, _, best_cost, *_ = jax.block_until_ready(loop(start, rate, jnp.asarray(steps), limit))
        assert len(x) == size
        return [float(best_cost), *map(float, x)]

    return run
