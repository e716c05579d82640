"""How SymPy spells the table of functions, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from math import factorial
from typing import TYPE_CHECKING, Any

from descend.errors import FormulaError, LimitError
from descend.expression.functions import TABLE

if TYPE_CHECKING:
    from descend.expression.tape import Tape

MAX_ORDER = 100  # of derivatives of Chebyshev polynomials

Build = Callable[..., int]  # (tape, entries of the arguments) → entry
Spelling = Callable[..., Any]  # (may SymPy simplify?, arguments) → expression

# Called the same here and there.
SAME = (
    "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
    "atanh", "erf", "erfc", "polygamma", "floor", "sign",
)  # fmt: skip


def truth(tape: Tape) -> int:
    """Return the condition that always holds."""
    return tape.call("eq", tape.constant(0), tape.constant(0))


@cache
def readers() -> dict[type, Build]:
    """Return class of SymPy → how its arguments become an entry."""
    import sympy

    def named(op: str) -> Build:
        least, most = TABLE[op].arity

        def build(tape: Tape, *args: int) -> int:
            if len(args) < least or (most is not None and len(args) > most):  # log(x, 2, evaluate=False)
                raise FormulaError(
                    f"{op} takes {least} argument{'s' * (least != 1)}, not {len(args)}; call .doit() first"
                )
            return args[0] if most is None and len(args) == 1 else tape.call(op, *args)

        return build

    def joined(op: str) -> Build:
        return lambda tape, first, *others: reduce(lambda a, b: tape.call(op, a, b), others, first)

    def swapped(op: str) -> Build:
        return lambda tape, a, b: tape.call(op, b, a)

    def one_over(op: str) -> Build:
        return lambda tape, x: tape.div(tape.constant(1), tape.call(op, x))

    def heaviside(tape: Tape, x: int, middle: int) -> int:
        zero, one = tape.constant(0), tape.constant(1)
        rest = tape.call("where", tape.call("eq", x, zero), middle, one)
        return tape.call("where", tape.call("lt", x, zero), zero, rest)

    def either_way(tape: Tape, condition: int, then: int, otherwise: int) -> int:
        opposite = tape.call("not", condition)
        return tape.call("or", tape.call("and", condition, then), tape.call("and", opposite, otherwise))

    def golden(tape: Tape) -> int:
        return tape.div(tape.add((tape.constant(1), tape.call("sqrt", tape.constant(5)))), tape.constant(2))

    def chebyshevu(tape: Tape, degree: int, x: int) -> int:
        return gegenbauer(tape, degree, tape.constant(1), x)

    def gegenbauer(tape: Tape, degree: int, order: int, x: int) -> int:
        """Read C_k^(m)(x) as the derivative of order m of T_{k+m}(x), divided by 2^(m-1)·(m-1)!·(k+m)."""
        m = tape.value(order)
        if m is None or m.denominator != 1 or not 1 <= m <= MAX_ORDER:
            raise FormulaError("gegenbauer(k, m, x) is understood for whole numbers m > 0 only")
        whole = tape.add((degree, order))
        factor = tape.constant(2 ** (int(m) - 1) * factorial(int(m) - 1))
        derivative = tape.call("chebyshevt_diff", order, whole, x)
        quotient = tape.div(derivative, tape.mul((factor, whole))) if tape.value(whole) != 0 else tape.constant(0)
        # The polynomial of degree -m is 0, and so are derivative and divisor.
        none = tape.call("eq", whole, tape.constant(0))
        return quotient if tape.value(whole) is not None else tape.call("where", none, tape.constant(0), quotient)

    return {
        **{getattr(sympy, name): named(name) for name in SAME},
        sympy.Abs: named("abs"),
        sympy.ceiling: named("ceil"),
        sympy.loggamma: named("gammaln"),
        sympy.Min: named("min"),
        sympy.Max: named("max"),
        sympy.Add: named("add"),
        sympy.Mul: named("mul"),
        sympy.Pow: named("pow"),
        sympy.UnevaluatedExpr: lambda _tape, x: x,
        sympy.sec: one_over("cos"),
        sympy.csc: one_over("sin"),
        sympy.cot: lambda tape, x: tape.div(tape.call("cos", x), tape.call("sin", x)),
        sympy.sech: named("sech"),
        sympy.csch: one_over("sinh"),
        sympy.coth: one_over("tanh"),
        sympy.Heaviside: heaviside,
        sympy.chebyshevt: named("chebyshevt"),
        sympy.chebyshevu: chebyshevu,
        sympy.gegenbauer: gegenbauer,
        type(sympy.pi): named("pi"),
        type(sympy.E): lambda tape: tape.call("exp", tape.constant(1)),
        type(sympy.EulerGamma): lambda tape: tape.neg(tape.call("polygamma", tape.constant(0), tape.constant(1))),
        type(sympy.GoldenRatio): golden,
        sympy.StrictLessThan: named("lt"),
        sympy.LessThan: named("le"),
        sympy.StrictGreaterThan: swapped("lt"),
        sympy.GreaterThan: swapped("le"),
        sympy.Equality: named("eq"),
        sympy.Unequality: lambda tape, a, b: tape.call("not", tape.call("eq", a, b)),
        sympy.And: joined("and"),
        sympy.Or: joined("or"),
        sympy.Not: named("not"),
        sympy.ITE: either_way,
        type(sympy.true): truth,
        type(sympy.false): lambda tape: tape.call("not", truth(tape)),
    }


@cache
def spellings() -> dict[str, Spelling]:
    """Return the spelling of every row of the table of functions."""
    import sympy

    def function(of: Any) -> Spelling:
        return lambda evaluate, *args: of(*args, evaluate=evaluate)

    def unevaluated(of: Any) -> Spelling:
        # Comparing expressions can cost SymPy an age; comparing numbers does not.
        return lambda _, *args: of(*args, evaluate=all(a.is_number for a in args))

    def ordered(less: Any, greater: Any) -> Spelling:
        # x > 0 rather than 0 < x, as SymPy has it.
        return lambda _, a, b: unevaluated(greater)(_, b, a) if a.is_Number else unevaluated(less)(_, a, b)

    def flat(of: Any) -> Spelling:
        def spell(_: bool, *args: Any) -> Any:
            parts = [part for arg in args for part in (arg.args if isinstance(arg, of) else (arg,))]
            return unevaluated(of)(_, *parts)

        return spell

    def power(evaluate: bool, base: Any, exponent: Any) -> Any:
        return sympy.Pow(base, exponent, evaluate=evaluate)

    def quotient(evaluate: bool, a: Any, b: Any) -> Any:
        return sympy.Mul(a, sympy.Pow(b, -1, evaluate=evaluate), evaluate=evaluate)

    def exp(evaluate: bool, x: Any) -> Any:
        return sympy.exp(x, evaluate=evaluate or x == 1)

    def cbrt(evaluate: bool, x: Any) -> Any:
        # Pow(x, 1/3) is complex for negative x.
        size = sympy.Abs(x, evaluate=evaluate)
        return sympy.sign(x, evaluate=evaluate) * sympy.Pow(size, sympy.Rational(1, 3), evaluate=evaluate)

    def where(_: bool, condition: Any, then: Any, otherwise: Any) -> Any:
        return sympy.Piecewise((then, condition), (otherwise, True), evaluate=condition in {sympy.true, sympy.false})

    def exponentials(evaluate: bool, args: tuple[Any, ...]) -> Any:
        return sympy.Add(*(exp(evaluate, a) for a in args), evaluate=evaluate)

    def exprel_diff(evaluate: bool, order: Any, x: Any) -> Any:
        """Spell (-1)^m·m!/x^(m+1)·(exp(x)·Σ_{j ≤ m} (-x)^j/j! - 1), the derivative of order m of (exp(x) - 1)/x."""
        m = int(order)
        begin = sympy.Add(*((-x) ** j / sympy.factorial(j) for j in range(m + 1)))
        return (-1) ** m * sympy.factorial(m) * (exp(evaluate, x) * begin - 1) / x ** (m + 1)

    def chebyshevt(_: bool, degree: Any, x: Any) -> Any:
        return sympy.chebyshevt(degree, x, evaluate=False)  # or it would be written out, whatever the degree

    def chebyshevt_diff(evaluate: bool, order: Any, degree: Any, x: Any) -> Any:
        """Spell the derivative of order m of T_k(x): 2^(m-1)·(m-1)!·k·C_{k-m}^(m)(x)."""
        if not order.is_number or not 0 <= order <= MAX_ORDER:
            raise LimitError("a derivative of a Chebyshev polynomial of this order is not handed to SymPy")
        m = int(order)
        if m == 0:
            return chebyshevt(evaluate, degree, x)
        if degree.is_number and degree < m:
            return sympy.Integer(0)
        of = (sympy.gegenbauer, degree - m, m, x) if m > 1 else (sympy.chebyshevu, degree - 1, x)
        return sympy.Integer(2 ** (m - 1) * factorial(m - 1)) * degree * of[0](*of[1:], evaluate=False)

    half, one = sympy.Rational(1, 2), sympy.Integer(1)
    return {
        **{name: function(getattr(sympy, name)) for name in SAME},
        "add": function(sympy.Add),
        "mul": function(sympy.Mul),
        "neg": lambda evaluate, x: sympy.Mul(-1, x, evaluate=evaluate),
        "div": quotient,
        "pow": power,
        "sqrt": lambda evaluate, x: power(evaluate, x, half),
        "cbrt": cbrt,
        "pi": lambda _: sympy.pi,
        "exp": exp,
        "log2": lambda evaluate, x: sympy.log(x, evaluate=evaluate) / sympy.log(2),
        "log10": lambda evaluate, x: sympy.log(x, evaluate=evaluate) / sympy.log(10),
        "log1p": lambda evaluate, x: sympy.log(1 + x, evaluate=evaluate),
        "expm1": lambda evaluate, x: exp(evaluate, x) - 1,
        "sigmoid": lambda evaluate, x: one / (1 + exp(evaluate, -x)),
        "softplus": lambda evaluate, x: sympy.log(1 + exp(evaluate, x), evaluate=evaluate),
        "logaddexp": lambda evaluate, a, b: sympy.log(exp(evaluate, a) + exp(evaluate, b), evaluate=evaluate),
        "hypot": lambda evaluate, a, b: power(evaluate, a**2 + b**2, half),
        "logsumexp": lambda evaluate, *args: sympy.log(exponentials(evaluate, args), evaluate=evaluate),
        "softmax": lambda evaluate, *args: exp(evaluate, args[0]) / exponentials(evaluate, args),
        "sharevar": lambda evaluate, a, b: exp(evaluate, a) * exp(evaluate, b) / exponentials(evaluate, (a, b)) ** 2,
        "dircos": lambda evaluate, a, b: a / power(evaluate, a**2 + b**2, half),
        "hypotm1": lambda evaluate, x: power(evaluate, 1 + x**2, half) - 1,
        "sqrt1pm1": lambda evaluate, x: power(evaluate, 1 + x, half) - 1,
        "versin": lambda evaluate, x: 1 - sympy.cos(x, evaluate=evaluate),
        "coshm1": lambda evaluate, x: sympy.cosh(x, evaluate=evaluate) - 1,
        "logcosh": lambda evaluate, x: sympy.log(sympy.cosh(x, evaluate=evaluate), evaluate=evaluate),
        "sech": function(sympy.sech),
        "log1mexp": lambda evaluate, x: sympy.log(1 - exp(evaluate, x), evaluate=evaluate),
        "onemsq": lambda evaluate, x: 1 - power(evaluate, x, sympy.Integer(2)),
        "bose": lambda evaluate, x: one / (exp(evaluate, x) - 1),
        "exprel": lambda evaluate, x: (exp(evaluate, x) - 1) / x,
        "exprel_diff": exprel_diff,
        "chebyshevt": chebyshevt,
        "chebyshevt_diff": chebyshevt_diff,
        "abs": function(sympy.Abs),
        "ceil": function(sympy.ceiling),
        "gammaln": function(sympy.loggamma),
        "min": flat(sympy.Min),
        "max": flat(sympy.Max),
        "where": where,
        "lt": ordered(sympy.StrictLessThan, sympy.StrictGreaterThan),
        "le": ordered(sympy.LessThan, sympy.GreaterThan),
        "eq": unevaluated(sympy.Equality),
        "and": lambda _, a, b: sympy.And(a, b),
        "or": lambda _, a, b: sympy.Or(a, b),
        "not": lambda _, a: sympy.Not(a),
    }
