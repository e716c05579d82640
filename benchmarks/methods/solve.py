"""The fourth part: from a cold text to an answer, beside what a user does today, with imports done.

Every round has a fresh formula (a constant in it is new), so that no cache of anybody's helps.  The peers: SymPy
(diff, lambdify) with SciPy's BFGS; SciPy's BFGS with gradients written by hand in NumPy; JAX (grad, jit) with SciPy's
BFGS, the compilation included.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import descend
from benchmarks.measure import in_turns, milliseconds, ratio, show


class Task(NamedTuple):
    """A text with %s for a constant near 1, a start, and value and gradient by hand."""

    name: str
    text: str
    names: str
    start: tuple[float, ...]
    by_hand: Callable[[Any, float], tuple[float, Any]]


def _rosenbrock(x: Any, c: float) -> tuple[float, Any]:
    a, b = x
    r = b - a * a
    return 100 * c * r * r + (1 - a) ** 2, np.array([-400 * c * a * r - 2 * (1 - a), 200 * c * r])


def _beale(x: Any, c: float) -> tuple[float, Any]:
    a, b = x
    r = np.array([1.5 - a + a * b, 2.25 - a + a * b * b, 2.625 - a + a * b**3])
    w = np.array([c, 1, 1])
    da = np.array([b - 1, b * b - 1, b**3 - 1])
    db = np.array([a, 2 * a * b, 3 * a * b * b])
    return w @ (r * r), 2 * np.array([(w * r) @ da, (w * r) @ db])


def _himmelblau(x: Any, c: float) -> tuple[float, Any]:
    a, b = x
    p, q = a * a + b - 11, a + b * b - 7
    return c * p * p + q * q, np.array([4 * c * a * p + 2 * q, 2 * c * p + 4 * b * q])


def _booth(x: Any, c: float) -> tuple[float, Any]:
    a, b = x
    p, q = a + 2 * b - 7, 2 * a + b - 5
    return c * p * p + q * q, np.array([2 * c * p + 4 * q, 4 * c * p + 2 * q])


def _camel(x: Any, c: float) -> tuple[float, Any]:
    a, b = x
    return (
        c * (4 - 2.1 * a**2 + a**4 / 3) * a**2 + a * b + (-4 + 4 * b**2) * b**2,
        np.array([c * (8 * a - 8.4 * a**3 + 2 * a**5) + b, a - 8 * b + 16 * b**3]),
    )


def _exponential(x: Any, c: float) -> tuple[float, Any]:
    a, b = x
    p, q = np.exp(a + 3 * b - 0.1 * c), np.exp(a - 3 * b - 0.1 * c)
    r = np.exp(-a - 0.1 * c)
    return p + q + r, np.array([p + q - r, 3 * p - 3 * q])


def _powell(x: Any, c: float) -> tuple[float, Any]:
    p, q, r, s = x[0] + 10 * x[1], x[2] - x[3], x[1] - 2 * x[2], x[0] - x[3]
    return c * p**2 + 5 * q**2 + r**4 + 10 * s**4, np.array(
        [2 * c * p + 40 * s**3, 20 * c * p + 4 * r**3, 10 * q - 8 * r**3, -10 * q - 40 * s**3]
    )


def _wood(x: Any, c: float) -> tuple[float, Any]:
    a, b, d, e = x
    p, q, r, s = b - a * a, e - d * d, b + e - 2, b - e
    return (
        100 * c * p * p + (1 - a) ** 2 + 90 * q * q + (1 - d) ** 2 + 10 * r * r + s * s / 10,
        np.array(
            [
                -400 * c * a * p - 2 * (1 - a),
                200 * c * p + 20 * r + s / 5,
                -360 * d * q - 2 * (1 - d),
                180 * q + 20 * r - s / 5,
            ]
        ),
    )


def _softplus(x: Any, c: float) -> tuple[float, Any]:
    a, b = x
    p, q = a + 2 * b - c, b - a
    sp, sq = 1 / (1 + np.exp(-p)), 1 / (1 + np.exp(-q))
    value = np.log(1 + np.exp(p)) + np.log(1 + np.exp(q)) + a * a / 10 + b * b / 10
    return value, np.array([sp - sq + a / 5, 2 * sp + sq + b / 5])


def _chain(x: Any, c: float) -> tuple[float, Any]:
    r, s = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    slope = np.zeros_like(x)
    slope[:-1] = -400 * c * x[:-1] * r - 2 * s
    slope[1:] += 200 * c * r
    return 100 * c * (r @ r) + s @ s, slope


def _quartic(x: Any, c: float) -> tuple[float, Any]:
    w = np.arange(1, len(x) + 1)
    d = x - 1
    return c * (w @ d**4) + d @ d + np.prod(d[:2]), 4 * c * w * d**3 + 2 * d + np.array(
        [d[1], d[0], *[0.0] * (len(x) - 2)]
    )


def _sines(x: Any, c: float) -> tuple[float, Any]:
    return np.sum(x * x / 4 - c * np.cos(x)), x / 2 + c * np.sin(x)


def _joined(term: str, count: int) -> str:
    return " + ".join(term.replace("A", f"x{k}").replace("B", f"x{k + 1}").replace("K", str(k)) for k in range(count))


def _names(count: int) -> str:
    return " ".join(f"x{k}" for k in range(count))


TASKS = (
    Task("Rosenbrock", "100*%s*(y - x**2)**2 + (1 - x)**2", "x y", (-1.2, 1), _rosenbrock),
    Task("Beale", "%s*(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2", "x y", (1, 1), _beale),
    Task("Himmelblau", "%s*(x**2 + y - 11)**2 + (x + y**2 - 7)**2", "x y", (1, 1), _himmelblau),
    Task("Booth", "%s*(x + 2*y - 7)**2 + (2*x + y - 5)**2", "x y", (0, 0), _booth),
    Task("six-hump camel", "%s*(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (-4 + 4*y**2)*y**2", "x y", (1, 1), _camel),
    Task(
        "three exponentials", "exp(x + 3*y - 0.1*%s) + exp(x - 3*y - 0.1*%s) + exp(-x - 0.1*%s)",
        "x y", (1, 0.5), _exponential,
    ),
    Task("softplus", "log(1 + exp(x + 2*y - %s)) + log(1 + exp(y - x)) + x**2/10 + y**2/10", "x y", (2, -1), _softplus),
    Task(
        "Powell singular", "%s*(x0 + 10*x1)**2 + 5*(x2 - x3)**2 + (x1 - 2*x2)**4 + 10*(x0 - x3)**4",
        _names(4), (3, -1, 0, 1), _powell,
    ),
    Task(
        "Wood",
        "100*%s*(x1 - x0**2)**2 + (1 - x0)**2 + 90*(x3 - x2**2)**2 + (1 - x2)**2"
        " + 10*(x1 + x3 - 2)**2 + (x1 - x3)**2/10",
        _names(4), (-3, -1, -3, -1), _wood,
    ),
    Task("Rosenbrock chain, 10", _joined("100*%s*(B - A**2)**2 + (1 - A)**2", 9), _names(10), (-1.2, 1) * 5, _chain),
    Task(
        "quartic, 6",
        _joined("%s*(K + 1)*(A - 1)**4 + (A - 1)**2", 6) + " + (x0 - 1)*(x1 - 1)", _names(6), (3.0,) * 6, _quartic,
    ),
    Task("cosines, 5", _joined("A**2/4 - %s*cos(A)", 5), _names(5), (2, 1, -1, 0.5, 1.5), _sines),
)  # fmt: skip


def run(*, quick: bool) -> list[dict[str, Any]]:
    """Print the table."""
    import sympy
    from scipy.optimize import minimize

    jax = _jax()
    rows, found = [], []
    number = iter(range(1, 10**6))
    for task in TASKS:
        names = task.names.split()

        def fresh(task: Task = task) -> tuple[str, float]:
            c = 1 + next(number) / 2**20
            return task.text.replace("%s", repr(c)), c

        def ours(names: list[str] = names, task: Task = task, fresh: Any = fresh) -> Any:
            return descend.minimize(fresh()[0], list(task.start), variables=names)

        def with_sympy(names: list[str] = names, task: Task = task, fresh: Any = fresh) -> Any:
            symbols = sympy.symbols(names)
            cost = sympy.sympify(fresh()[0], locals=dict(zip(names, symbols, strict=True)))
            fun = sympy.lambdify([symbols], cost)
            slope = sympy.lambdify([symbols], [sympy.diff(cost, s) for s in symbols])
            return minimize(fun, task.start, jac=lambda x: np.array(slope(x)), method="BFGS")

        def by_hand(task: Task = task, fresh: Any = fresh) -> Any:
            c = fresh()[1]
            return minimize(lambda x: task.by_hand(x, c), task.start, jac=True, method="BFGS")

        def with_jax(names: list[str] = names, task: Task = task, fresh: Any = fresh) -> Any:
            code = compile(fresh()[0], "task", "eval")
            space = {name: getattr(jax.numpy, name) for name in ("exp", "log", "cos")}

            def cost(x: Any) -> Any:  # our own texts, in the table above
                return eval(code, space | dict(zip(names, x, strict=True)))  # noqa: S307 - see above

            both = jax.jit(jax.value_and_grad(cost))

            def look(x: Any) -> tuple[float, Any]:
                value, gradient = both(x)
                return float(value), np.asarray(gradient)

            return minimize(look, np.array(task.start, dtype=float), jac=True, method="BFGS")

        _agree(task, names)
        works: dict[str, Callable[[], Any]] = {"descend": ours, "SymPy": with_sympy, "by hand": by_hand}
        if jax is not None:
            works["JAX"] = with_jax
        times = in_turns(works, 2 if quick else 7)
        mine = times["descend"]
        line = {name: median(values) for name, values in times.items()}
        ratios = {name: ratio(mine, values) for name, values in times.items()}
        found.append({"task": task.name, "n": len(names), "seconds": line, "ratios": ratios})
        rows.append((task.name, len(names), *(milliseconds(v) for v in line.values()), *_shown(ratios)))
    medians = {name: median(f["ratios"][name] for f in found) for name in found[0]["ratios"]}
    rows.append(("median", "", *[""] * len(medians), *_shown(medians)))
    peers = [name for name in medians if name != "descend"]
    head = ("ms", "n", *medians, *(f"÷ {name}" for name in peers))
    show(
        "methods: from a cold text to an answer", head, rows,
        ("÷: descend's time over theirs; asked: SymPy ≤ 1, by hand ≤ 3 (goal), JAX ≤ 0.1",),
    )  # fmt: skip
    return found


def _shown(ratios: dict[str, float]) -> list[str]:
    return [f"{v:.2f}" for name, v in ratios.items() if name != "descend"]


def _agree(task: Task, names: list[str]) -> None:
    """Refuse a hand-written gradient that is wrong."""
    fun = descend.compile(task.text.replace("%s", "1.25"), variables=names)
    x = np.array(task.start) + 0.1
    value, gradient = fun.value_and_gradient(x)
    theirs, slope = task.by_hand(x, 1.25)
    if abs(value - theirs) > 1e-9 * abs(value) or np.abs(gradient - slope).max() > 1e-9 * np.abs(gradient).max():
        raise SystemExit(f"solve: {task.name} by hand is another function")


def _jax() -> Any:
    try:
        import jax
    except ImportError:
        print("JAX is left out: it is not installed")
        return None
    jax.config.update("jax_enable_x64", True)
    return jax
