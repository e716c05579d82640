"""A tape that computes the same function and keeps its digits: log(1 + exp(x)) becomes softplus(x), and so on.

Each rule replaces one entry by a form of the table (`functions/stable.py` and others; the field `stands_for`) that is
equal to it as a function, on the same domain; only (exp(x) − 1)/x takes its limit 1 at 0.  Derivatives are taken
afterwards, of the stable forms.  A tape without such forms comes back as it is, entry for entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from descend.expression.exponentials import (
    exponential,
    exponentials,
    log_of_sum,
    product_of_shares,
    scaled,
    share,
)
from descend.expression.offsets import exact_root, rewrite_sum
from descend.expression.tape import Tape

MOST_FACTORS = 16  # of a product that is searched for quotients
ROUNDS = 4  # how often a rewritten entry is looked at again


def stabilise(tape: Tape, root: int) -> int:
    """Return an entry that is the same function of its symbols and keeps its digits.

    Higham, *Accuracy and Stability of Numerical Algorithms* (2002), ch. 1; Hamming, *Numerical Methods for Scientists
    and Engineers* (1973), ch. 3.

    >>> from descend.expression.parse import parse
    >>> from descend.expression.write import to_text
    >>> tape, root = parse("log(1 + exp(2x)) + 1 - cos(x)")
    >>> to_text(tape, stabilise(tape, root))
    'softplus(2*x) + versin(x)'
    """
    return stabilise_all(tape, (root,))[0]


def stabilise_all(tape: Tape, roots: Iterable[int]) -> list[int]:
    """Return `stabilise` of several entries."""
    roots = list(roots)
    new: dict[int, int] = {}
    for index in tape.reachable(roots):
        entry = tape[index]
        args = tuple(new[a] for a in entry.args)
        found = index if args == entry.args else tape.rebuild(entry, args)
        for _ in range(ROUNDS):
            better = _better(tape, found, found != index)
            if better is None or better == found:
                break
            found = better
        new[index] = found
    return [new[root] for root in roots]


def _better(tape: Tape, index: int, new: bool) -> int | None:
    """Apply the rule of an entry; one that is `new` may be a multiple of an entry that no rule has seen."""
    rule = RULES.get(tape[index].op)
    better = rule(tape, index) if rule is not None else None
    if better is None and new:
        factor, core = scaled(tape, index)
        rule = RULES.get(tape[core].op) if core != index else None
        inner = rule(tape, core) if rule is not None else None
        better = None if inner is None else tape.mul((tape.constant(factor), inner))
    return better


def _log(tape: Tape, index: int) -> int | None:
    """Rewrite the logarithm of a positive constant times something."""
    factor, core = scaled(tape, tape[index].args[0])
    entry = tape[core]
    size, args = abs(factor), entry.args
    result: int | None = None
    if factor > 0:
        match entry.op:
            case "add":
                result = _log_of_sum(tape, core)
            case "cosh":
                result = tape.call("logcosh", args[0])
            case "sech":
                result = tape.neg(tape.call("logcosh", args[0]))
            case "sigmoid":
                result = tape.neg(tape.call("softplus", tape.neg(args[0])))
            case "softmax":
                others = [tape.sub(other, args[0]) for other in args[1:]]
                op = "softplus" if len(others) == 1 else "logsumexp"
                arguments = others if len(others) == 1 else [tape.constant(0), *others]
                result = tape.neg(tape.call(op, *arguments))
            case "expm1":  # log(exp(u) - 1), for u > 0
                result = tape.add((args[0], tape.call("log1mexp", tape.neg(args[0]))))
            case "div":
                result = _log_of_quotient(tape, *args)
    elif factor < 0 and entry.op == "expm1":
        result = tape.call("log1mexp", args[0])
    if result is None or size == 1:
        return result
    return tape.add((tape.call("log", tape.constant(size)), result))


def _log_of_sum(tape: Tape, index: int) -> int | None:
    parts = exponentials(tape, index)
    if parts is not None:
        return log_of_sum(tape, parts)
    terms = tape[index].args
    one = next((k for k, term in enumerate(terms) if tape.value(term) == 1), None)
    if one is not None:
        return tape.call("log1p", tape.add([*terms[:one], *terms[one + 1 :]]))
    if len(terms) == 2:  # sqrt(1 + u²) ± u
        for root, other in (terms, terms[::-1]):
            entry = tape[root]
            if entry.op == "hypot" and tape.constant(1) in entry.args:
                u = entry.args[entry.args[0] == tape.constant(1)]
                if other in {u, tape.neg(u)}:
                    return tape.call("asinh", other)
    return None


def _log_of_quotient(tape: Tape, top: int, bottom: int) -> int | None:
    """log((1 + u)/(1 − u)) = 2·atanh(u)."""
    above, below = tape[top], tape[bottom]
    if above.op != "add" or below.op != "add" or len(above.args) != 2 or len(below.args) != 2:
        return None
    one = tape.constant(1)
    if one not in above.args or one not in below.args:
        return None
    u, v = (pair[pair[0] == one] for pair in (above.args, below.args))
    return tape.mul((tape.constant(2), tape.call("atanh", u))) if u == tape.neg(v) else None


def _log1p(tape: Tape, index: int) -> int | None:
    (argument,) = tape[index].args
    parts = exponentials(tape, argument) if tape[argument].op == "add" else None
    single = exponential(tape, argument)
    if parts is None and single is not None and tape.value(single.exponent) is None:
        if single.weight == -1:
            return tape.call("log1mexp", single.exponent)
        parts = [single] if single.weight > 0 else None
    one = exponential(tape, tape.constant(1))
    return None if parts is None or one is None else log_of_sum(tape, [one, *parts])


def _two_squares(tape: Tape, index: int) -> tuple[int, int] | None:
    """Return a and b where the entry is a² + b²."""
    entry = tape[index]
    if entry.op != "add" or len(entry.args) != 2:
        return None
    sides = [_square_root(tape, term) for term in entry.args]
    if sides[0] is None or sides[1] is None:
        return None
    return sides[0], sides[1]


def _square_root(tape: Tape, index: int) -> int | None:
    """Return a where the entry is a², up to the sign of a."""
    factor, core = scaled(tape, index)
    entry = tape[core]
    value = tape.value(core)
    root = exact_root(factor if value is None else factor * value)
    if root is None:
        return None
    if value is not None:
        return tape.constant(root)
    exponent = tape.value(entry.args[1]) if entry.op == "pow" else None
    base: int | None = None
    if exponent is not None and exponent > 0 and exponent.denominator == 1 and exponent % 2 == 0:
        base = tape.pow(entry.args[0], tape.constant(exponent / 2))
    elif entry.op == "mul" and len(entry.args) == 2 and entry.args[0] == entry.args[1]:
        base = entry.args[0]
    return None if base is None else tape.mul((tape.constant(root), base))


def _sqrt(tape: Tape, index: int) -> int | None:
    sides = _two_squares(tape, tape[index].args[0])
    return None if sides is None else tape.call("hypot", *sides)


def _pow(tape: Tape, index: int) -> int | None:
    """Rewrite (a² + b²)^(k/2), a power of a negative whole exponent of an exponential's sum, and cosh(u)^(−k)."""
    base, exponent = tape[index].args
    power = tape.value(exponent)
    if power is None:
        return None
    if power.denominator == 2 and (sides := _two_squares(tape, base)):
        hypotenuse = tape.call("hypot", *sides)
        return _div_or_pow(tape, hypotenuse, 2 * power)
    if tape[base].op == "cosh" and power < 0:
        return tape.pow(tape.call("sech", tape[base].args[0]), tape.constant(-power))
    if power == -2:
        return _quotient(tape, tape.constant(1), tape.pow(base, tape.constant(2)))
    return None


def _div_or_pow(tape: Tape, base: int, power: Fraction) -> int:
    if power == -1:
        one = tape.constant(1)
        found = _quotient(tape, one, base)
        return tape.div(one, base) if found is None else found
    return tape.pow(base, tape.constant(power))


def _div(tape: Tape, index: int) -> int | None:
    return _quotient(tape, *tape[index].args)


def _mul(tape: Tape, index: int) -> int | None:
    """Look at a product with a quotient c/d among its factors as a quotient, as SymPy writes it."""
    factors = tape[index].args
    if len(factors) > MOST_FACTORS:
        return None
    for k, factor in enumerate(factors):
        entry = tape[factor]
        if entry.op == "div" and tape.value(entry.args[0]) is not None:
            top, bottom = entry.args
        elif entry.op == "pow" and tape.value(entry.args[1]) == -2:
            top, bottom = tape.constant(1), tape.pow(entry.args[0], tape.constant(2))
        elif entry.op == "sigmoid" and any(tape[f].op == "exp" for f in factors):
            bottom = tape.add((tape.constant(1), tape.call("exp", tape.neg(entry.args[0]))))
            top = tape.constant(1)
        else:
            continue
        for j, other in enumerate(factors):
            if j != k and tape.value(other) is None:
                found = _quotient(tape, tape.mul((top, other)), bottom)
                if found is not None:
                    return tape.mul([found if n == j else f for n, f in enumerate(factors) if n != k])
    return None


def _quotient(tape: Tape, top: int, bottom: int) -> int | None:
    """Return top/bottom in a form that keeps its digits and does not overflow on the way, or None."""
    a, above = scaled(tape, top)
    b, below = scaled(tape, bottom)
    if not b or tape.value(below) is not None:
        return None
    upper, lower = tape[above], tape[below]
    result: int | None = None
    if upper.op in {"sinh", "cosh"} and lower.op in {"sinh", "cosh"} and upper.args == lower.args != ():
        tanh = tape.call("tanh", upper.args[0])
        if upper.op != lower.op:
            result = tanh if upper.op == "sinh" else tape.div(tape.constant(1), tanh)
    elif lower.op == "cosh":
        result = tape.mul((above, tape.call("sech", lower.args[0])))
    elif lower.op == "pow" and tape[lower.args[0]].op == "cosh" and (tape.value(lower.args[1]) or 0) > 0:
        sech = tape.call("sech", tape[lower.args[0]].args[0])
        result = tape.mul((above, tape.pow(sech, lower.args[1])))
    elif lower.op == "hypot" and above in lower.args:
        other = lower.args[lower.args[0] == above]
        result = tape.call("dircos", above, other)
    elif lower.op == "hypot" and (value := tape.value(above)) and (one := _constant_side(tape, lower.args)):
        size, constant, other = one
        a, result = a * value / size, tape.call("dircos", constant, other)
    elif upper.op == "expm1" and lower.op == "add" and (double := _plus_one(tape, below, upper.args[0])):
        a, result = a / double, tape.call("tanh", tape.mul((tape.constant(Fraction(1, 2)), upper.args[0])))
    elif upper.op == "expm1" and (ratio := _ratio(tape, upper.args[0], below)) is not None:
        result = tape.mul((ratio, tape.call("exprel", upper.args[0])))
    elif lower.op == "expm1" and tape.value(above) is not None:
        result = tape.mul((above, tape.call("bose", lower.args[0])))
    elif lower.op == "expm1" and (ratio := _ratio(tape, lower.args[0], above)) is not None:
        result = tape.div(tape.constant(1), tape.mul((ratio, tape.call("exprel", lower.args[0]))))
    else:
        result = _share(tape, above, below)
    return None if result is None else tape.mul((tape.constant(a / b), result))


def _constant_side(tape: Tape, args: tuple[int, ...]) -> tuple[Fraction, int, int] | None:
    for constant, other in (args, args[::-1]):
        value = tape.value(constant)
        if value:
            return value, constant, other
    return None


def _plus_one(tape: Tape, index: int, exponent: int) -> Fraction | None:
    """Return c where the entry is c·(exp(exponent) + 1)."""
    parts = exponentials(tape, index) or []
    weights = {part.weight for part in parts}
    wanted = {exponent, tape.constant(0)}
    return parts[0].weight if len(weights) == 1 and {part.exponent for part in parts} == wanted else None


def _ratio(tape: Tape, argument: int, divisor: int) -> int | None:
    """Return argument/divisor where the divisor, up to a constant, is the argument or some of its factors."""
    factor, core = tape.factor(argument)
    d, rest = tape.factor(divisor)
    if not d or tape.value(rest) is not None:
        return None
    if core == rest:
        return tape.constant(factor / d)
    left = list(tape[core].args) if tape[core].op == "mul" else [core]
    for part in tape[rest].args if tape[rest].op == "mul" else (rest,):
        if part not in left:
            return None
        left.remove(part)
    return tape.mul((tape.constant(factor / d), *left))


def _share(tape: Tape, top: int, bottom: int) -> int | None:
    """Return a quotient with a sum of exponentials, or its square, below."""
    entry = tape[bottom]
    squared = entry.op == "pow" and tape.value(entry.args[1]) == 2
    parts = exponentials(tape, entry.args[0] if squared else bottom)
    part = exponential(tape, top) if parts is not None else None
    if parts is None or part is None:
        return None
    return product_of_shares(tape, part, parts) if squared else share(tape, part, parts)


RULES: dict[str, Callable[[Tape, int], int | None]] = {
    "add": rewrite_sum,
    "div": _div,
    "log": _log,
    "log1p": _log1p,
    "mul": _mul,
    "pow": _pow,
    "sqrt": _sqrt,
}
