"""Formulas with what is true of them, by hand; None is "unknown", also where the truth is hard for the analysis.

`low` is the lowest value or the infimum, `shape` the quadratic's.  `claims.py` tests every claim with numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

UP, DOWN, BOTH, NEITHER, UNKNOWN = (True, False), (False, True), (True, True), (False, False), (None, None)


@dataclass(frozen=True)
class Row:
    text: str
    bend: tuple[bool | None, bool | None]  # convex, concave
    below: bool | None
    facts: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)


def row(text, bend, below, constants=None, **facts):
    return Row(text, bend, below, facts, constants or {})


TABLE = [
    # constants and straight lines
    row("3x - 2y + 1", BOTH, False, degree=1, groups=(("x",), ("y",))),
    row("0x + 5", BOTH, True, degree=0, dead=("x",), low=5.0),
    row("x - x + y^2", UP, True, degree=2, dead=("x",), low=0.0),
    # quadratics
    row("x^2", UP, True, degree=2, residuals=1, shape="bowl", low=0.0, curvatures=(2.0, 2.0), best=0.5, safe=1.0),
    row("x^2 - 4x + 1", UP, True, degree=2, shape="bowl", low=-3.0, attained=True, sum_of_squares=False),
    row(
        "x^2 + 10y^2",
        UP,
        True,
        shape="bowl",
        residuals=2,
        curvatures=(2.0, 20.0),
        condition=10.0,
        best=2 / 22,
        safe=0.1,
        groups=(("x",), ("y",)),
    ),
    row("x^2 + x*y + y^2", UP, True, shape="bowl", curvatures=(1.0, 3.0), groups=(("x", "y"),), low=0.0),
    row("(x + y)^2 - 2x*y", UP, True, shape="bowl", groups=(("x",), ("y",))),
    row("(x - y)^2", UP, True, shape="valley", curvatures=(4.0, 4.0), low=0.0, together=("x - y",), residuals=1),
    row("(x - y)^2 + x", UP, False, shape="falls"),
    row("x*y", NEITHER, False, shape="saddle", linear_in=("x", "y"), linear_together=("x",), together=("x*y",)),
    row("x^2 - y^2", NEITHER, False, shape="saddle"),
    row("-x^2 + 2x", DOWN, False, shape="hill"),
    row("(x-1)^2 + (y-2)^2/4 + (x+y+z)^2", UP, True, shape="bowl", residuals=3, low=0.0),
    row("10000000000*(x - 3)^2 + 0.0000000001*y^2", UP, True, shape="bowl", condition=1e20, low=0.0),
    row("(a*2 + b*3 - 1)^2 + (a*2 + b*3 - 5)^2", UP, True, shape="valley", low=8.0, together=("2*a + 3*b",)),
    # polynomials in one variable
    row("x^4 - 3x^2", NEITHER, True, degree=4, low=-2.25, attained=True, minimisers=2),
    row("x^4", UP, True, degree=4, low=0.0, residuals=1),
    row("x^3", NEITHER, False, degree=3),
    row("x^3 - x", NEITHER, False, degree=3),
    row("-x^4 + x^2", NEITHER, False, degree=4),
    row("x^4 - 0.0001x^2", NEITHER, True, degree=4, low=-2.5e-9),
    row("x^4 + 0.0001x^2", UP, True, degree=4, low=0.0),
    row("x^6 - 3x^5 + 2x^4 - x + 7", NEITHER, True, degree=6, attained=True),
    row("(x^2 - 1)^2*(x^2 - 4)^2", NEITHER, True, degree=8, low=0.0, minimisers=4),
    row("(x+1)^3 - x^3 - 3x^2", BOTH, False, degree=1),
    row("x^100", UP, True, degree=100, low=0.0),
    row("(x - 1)^4*(x + 2)", NEITHER, False, degree=5),
    # polynomials in several
    row("(1-x)^2 + 100*(y-x^2)^2", NEITHER, True, degree=4, residuals=2, low=0.0, attained=True),
    row("(x^2+y-11)^2 + (x+y^2-7)^2", NEITHER, True, degree=4, residuals=2),
    row("4x^2 - 2.1x^4 + x^6/3 + x*y - 4y^2 + 4y^4", NEITHER, True, degree=6, minimum=True),
    row("x^4 + y^4 - 4x*y", NEITHER, True, minimum=True),
    row("x^4 + y^4 + x^2*y^2", (None, False), True, low=0.0),  # convex, but not by rule
    row("(1 - x*y)^2 + x^2", NEITHER, True, residuals=2),  # infimum 0, not attained: not known here
    row("x^2*y^2", NEITHER, True, low=0.0, together=("x*y",)),
    row("x^2*y", NEITHER, False, together=("x^2*y",)),
    row("x^3 + y*x", NEITHER, False),
    row("x^4 - 2x^2*y^2 + y^4", NEITHER, None),  # (x² - y²)² ≥ 0, but written out
    row("x^4 + y^4 + z^4 - 3x*y*z", NEITHER, True, minimum=True),
    # exponentials and logarithms
    row("exp(x)", UP, True, low=0.0, attained=False),
    row("exp(-x)", UP, True, low=0.0, attained=False, domain=()),
    row("-exp(x)", DOWN, False),
    row("exp(x) - x", UP, True, minimum=True),
    row("x - exp(x)", DOWN, False),
    row("exp(-x) + y^2", UP, True, low=0.0, attained=False, groups=(("x",), ("y",))),
    row("exp(x^2)", UP, True, low=1.0, attained=True),
    row("exp(-x^2)", NEITHER, True, low=0.0, attained=False),
    row("x*exp(x)", NEITHER, True),
    row("log(x)", DOWN, False, domain=("x > 0, because of log(x)",)),
    row("log(2x - 3)", DOWN, False, domain=("x > 1.5, because of log(2*x - 3)",)),
    row("-log(x)", UP, False),
    row("x - log(x)", UP, True, minimum=True),
    row("x + log(x)", DOWN, False),
    row("x*log(x)", UP, True, domain=("x > 0, because of log(x)",)),
    row("x*log(x/y) + y^2", NEITHER, False),  # x and y may both be negative
    row(
        "-log(x) - log(1 - x)",
        UP,
        True,
        minimum=True,
        domain=("x > 0, because of log(x)", "x < 1, because of log(1 - x)"),
    ),
    row("log(1 + x^2)", NEITHER, True, low=0.0, domain=()),
    row("log(exp(x) + exp(y) + exp(-x - y))", UP, None),
    row("log(1 + exp(x))", UP, True, low=0.0, attained=False),
    row("softplus(a*2 - 1) - log(sigmoid(a))", UP, True, domain=()),
    row("1/(x*y) + x + y + log(x)*0 + log(y)*0", UP, True),
    row("log(-1 - x^2)", UNKNOWN, None, domain_empty=True),
    row("log(x) + log(-x)", UNKNOWN, None, domain_empty=True),
    # roots, quotients, powers
    row("sqrt(x)", DOWN, True, low=0.0, domain=("x ≥ 0, because of sqrt(x)",)),
    row("sqrt(1 + x^2)", UP, True, low=1.0, attained=True, domain=()),
    row("sqrt(x^2 + y^2)", UP, True, low=0.0),
    row("sqrt(1 - x^2)", DOWN, True, domain=("x ≥ -1, because of sqrt(1 - x^2)", "x ≤ 1, because of sqrt(1 - x^2)")),
    row("hypot(x - 1, 2y)", UP, True, low=0.0),
    row("1/x", NEITHER, False, domain=("x ≠ 0, because of 1/x",)),
    row("1/x^2", NEITHER, True, low=0.0, attained=False),
    row("x + 1/x + 0*log(x)", UP, True, domain=("x > 0, because of log(x)",)),
    row("x^2/y + 0*log(y)", UP, True),
    row("x^2/y", NEITHER, False),
    row("1/(1 + x^2)", NEITHER, True, low=0.0, attained=False, domain=()),
    row("x^1.5", UP, True, domain=("x ≥ 0, because of x^1.5",)),
    row("x - 2*sqrt(x)", UP, True, minimum=True),
    row("2^x + 2^-x", UP, True, minimum=True),
    row("a/b + (a/b)^2", NEITHER, None, together=("a/b",)),
    # waves and sigmoids
    row("sin(x)", NEITHER, True),
    row("x^2 + sin(x)", UP, True, minimum=True, safe=2 / 3),
    row("x^2/10 + sin(x)", NEITHER, True),
    row("x*sin(x)", NEITHER, None),  # unbounded, but along no ray
    row("x + 2*sin(x)", NEITHER, False),  # falls as x → -∞
    row("tanh(x)", NEITHER, True, low=-1.0, attained=False),
    row("x^2 + y^2 + sin(x + y)/4", UP, True),
    row("tan(x)", NEITHER, None, domain=("cos(x) ≠ 0, because of tan(x)",)),
    row("sin(x)^2 + cos(x)^2 + y^2", UP, True, dead=("x",)),
    # kinks
    row("abs(x - 0.3)", UP, True, low=0.0, kinks=("abs(x - 0.3) has a kink at x = 0.3",)),
    row("abs(x) + x^2", UP, True, low=0.0),
    row("max(x, y)", UP, False, kinks=("max(x, y) has a kink where x - y = 0",)),
    row("max(x, -x, 1)", UP, True, low=1.0),
    row("min(x^2, (x-1)^2)", NEITHER, True),
    row("sqrt(abs(x))", NEITHER, True, low=0.0),
    row("floor(x)", NEITHER, False, kinks=("floor(x) jumps where x is a whole number",)),
    row("abs(x^2 + 1)", UP, True, kinks=(), low=1.0),
    row("where(x < 0, x^2, x)", (None, False), None),  # convex and ≥ 0, but not by rule
    row("where(abs(x) <= 1, x^2/2, abs(x) - 1/2)", (None, False), True),
    # powers with variable exponents: a negative base has values too, for some exponents
    row("x + x^y", NEITHER, False, domain=("x > 0 (elsewhere for some exponents only), because of x^y",)),
    row("a^b", NEITHER, False, domain=("a > 0 (elsewhere for some exponents only), because of a^b",)),
    row("x^x", NEITHER, None, low=None),
    row("x^2^y", NEITHER, False),
    row("x^n + (n-3)^2", NEITHER, False),
    row("(x-1)^k", NEITHER, False, domain=("x > 1 (elsewhere for some exponents only), because of (x - 1)^k",)),
    row("x^x^x", NEITHER, None),
    row("(-2)^x", NEITHER, None, domain=("x is a whole number, because of (-2)^x",), domain_empty=False),
    row("0^x", UNKNOWN, True, low=0.0, domain=("x ≥ 0, because of 0^x",)),  # 1 at 0
    row("x^y + 0*log(x)", NEITHER, True, domain=("x > 0, because of log(x)",), low=0.0),
    row("sum(x[0]^i, i, 1, 3)", NEITHER, False, domain=()),
    row("sum(t^i, i, 1, 31)", NEITHER, False, domain=()),
    row("sum(t^(-i), i, 1, 3)", NEITHER, None, domain=("t ≠ 0, because of t^(-i)",)),
    row("sum(x[i]^(i+1), i, 0, n-1)", NEITHER, False, {"n": 3}, domain=()),
    # branches
    row(
        "where(x > -1, log(x), 0)",
        NEITHER,
        None,
        domain=("where(x > -1, log(x), 0) has a value, because of log(x)",),
    ),
    row("where(x < 0, 1, log(x))", NEITHER, None, domain=("where(x < 0, 1, log(x)) has a value, because of log(x)",)),
    row(
        "where(x > 0, 1/x, 1/(x+3))",
        NEITHER,
        None,
        domain=("where(x > 0, 1/x, 1/(x + 3)) has a value, because of 1/(x + 3)",),
    ),
    row(
        "where(x > 0 or x < -1, log(x), -x)",
        NEITHER,
        None,
        domain=("where(x > 0 or x < -1, log(x), -x) has a value, because of log(x)",),
    ),
    row("where(x > 0, log(x), 0)", NEITHER, None, domain=()),
    row("where(x == 0, 1, sin(x)/x)", NEITHER, None, domain=()),
    row("where(x <= 0 or x >= 1, 0, log(x) + log(1 - x))", NEITHER, None, domain=()),
    row("where(x > 0, where(x > 1, log(x - 1), log(x)), -log(1 - x))", NEITHER, False, domain=()),
    row("where(y < x, log(x - y), 0)", NEITHER, None, domain=()),
    # kinks inside, and none at the edge of the domain
    row("sqrt(x^2)", UP, True, low=0.0, kinks=("sqrt(x^2) has a kink at x = 0",)),
    row("(x^2)^0.5", UP, True, low=0.0, kinks=("sqrt(x^2) has a kink at x = 0",)),
    row("sqrt(x^4)", (None, False), True, low=0.0, kinks=()),
    row("hypot(x, y)", UP, True, low=0.0, kinks=("hypot(x, y) has a kink where x = 0 and y = 0",)),
    row("sqrt((x-1)^2 + y^2)", UP, True, kinks=("sqrt((x - 1)^2 + y^2) has a kink where (x - 1)^2 + y^2 = 0",)),
    row("cbrt(x)", NEITHER, False, kinks=("cbrt(x) has no derivative at x = 0",)),
    row("cbrt(x*y)", NEITHER, False, kinks=("cbrt(x*y) may have no derivative where x*y = 0",)),
    row("acosh(1 + x^2)", NEITHER, True, low=0.0, kinks=("acosh(1 + x^2) has a kink at x = 0",)),
    row("sqrt(2 + x^2)", UP, True, kinks=()),
    row("sqrt(x + 1)", DOWN, True, low=0.0, kinks=()),
    row("abs(x^3)", (None, False), True, low=0.0, kinks=()),
    row("abs(x^2 - 1)", NEITHER, True, kinks=tuple(f"abs(x^2 - 1) has a kink at x = {s}1" for s in ("-", ""))),
    # constants in disguise
    row("exp(x)*exp(-x)", BOTH, True, dead=("x",)),
    row("x/x", UNKNOWN, None, dead=("x",)),
    # structure
    row("a*exp(c)+ b^2", NEITHER, False, together=("a*exp(c)",), groups=(("a", "c"), ("b",))),
    row("(a*b - 1)^2 + (a*b - 3)^4", NEITHER, True, together=("a*b",), residuals=2),
    row("(a + b - 1)^2 + exp(a + b)", UP, True, together=("a + b",)),
    row("sin(x) + z*sin(y)", NEITHER, False, groups=(("x",), ("y", "z")), linear_in=("z",)),
    # indexed
    row("sum((x[i+1] - x[i])^2, i, 0, n-2)", UP, True, {"n": 6}, shape="valley", low=0.0, residuals=5),
    row("sum((1-x[i])^2 + 100*(x[i+1]-x[i]^2)^2, i, 0, n-2)", NEITHER, True, {"n": 4}, residuals=6, low=0.0),
    row("sum(i*x[i]^2, i, 1, n)", UP, True, {"n": 5}, shape="bowl", curvatures=(2.0, 10.0), condition=5.0, low=0.0),
    row("sum(exp(x[i]), i, 0, n-1)", (True, None), True, {"n": 1000}, separable_entries=("x",), low=0.0),
    row(
        "sum((x[i] - i)^2, i, 1, n)",
        (True, None),
        True,
        {"n": 100000},
        degree=2,
        residuals=100000,
        separable_entries=("x",),
    ),
    row("sum(x[i]*log(x[i]), i, 1, n)", (True, None), True, {"n": 300}, domain=("x[i] > 0, because of log(x[i])",)),
    row("-20*exp(-0.2*sqrt(sum(x[i]^2, i, 0, n-1)/n))", (None, None), True, {"n": 300}),
]
