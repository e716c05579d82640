"""How the forms that keep their digits are computed, from primitive operations and without branches.

Sources: Higham, *Accuracy and Stability of Numerical Algorithms* (2002), ch. 1, for 1 − cos and its kind; Mächler
(2012), *Accurately computing log(1 − exp(−|a|))*; Knuth, *The Art of Computer Programming* 2, 4.2.2, for the exact
error of a difference; Blanchard, D. J. Higham and N. J. Higham (2021), *Accurately computing the log-sum-exp and
softmax functions*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from descend.kernel.program import Lowering

SPLIT = 700  # exp(x) is taken as exp(x/2)² above
PRECISION = Fraction(1, 2**60)  # of the series of exprel


def _versin(b: Lowering, x: int) -> int:
    """2·sin²(x/2)."""
    s = b.emit("sin", b.emit("mul", b.number(Fraction(1, 2)), x))
    return b.emit("mul", b.emit("add", s, s), s)


def _coshm1(b: Lowering, x: int) -> int:
    """2·sinh²(x/2)."""
    s = b.emit("sinh", b.emit("mul", b.number(Fraction(1, 2)), x))
    return b.emit("mul", b.emit("add", s, s), s)


def _hypot(b: Lowering, x: int, y: int) -> int:
    """h·sqrt(1 + (l/h)²) for the larger h and the smaller l of |x| and |y|: the C library's takes 60 times as long."""
    x, y = b.emit("abs", x), b.emit("abs", y)
    high, low = b.emit("max", x, y), b.emit("min", x, y)
    one = b.number(1)
    ratio = b.emit("where", b.emit("eq", low, high), one, b.emit("div", low, high))  # 0/0 and inf/inf are 1
    return b.emit("mul", high, b.emit("sqrt", b.emit("add", one, b.emit("mul", ratio, ratio))))


def _hypotm1(b: Lowering, x: int) -> int:
    """x²/(1 + sqrt(1 + x²)), x² being where it cannot overflow."""
    one = b.number(1)
    return b.emit("mul", x, b.emit("div", x, b.emit("add", one, _hypot(b, one, x))))


def _sqrt1pm1(b: Lowering, x: int) -> int:
    """x/(1 + sqrt(1 + x))."""
    one = b.number(1)
    return b.emit("div", x, b.emit("add", one, b.emit("sqrt", b.emit("add", one, x))))


def _dircos(b: Lowering, x: int, y: int) -> int:
    return b.emit("div", x, _hypot(b, x, y))


def _logcosh(b: Lowering, x: int) -> int:
    """log1p(cosh x − 1) near 0, else |x| − log 2 + log1p(exp(−2|x|))."""
    size = b.emit("abs", x)
    near = b.emit("log1p", _coshm1(b, size))
    tail = b.emit("log1p", b.emit("exp", b.emit("mul", b.number(-2), size)))
    far = b.emit("add", b.emit("sub", size, b.emit("log", b.number(2))), tail)
    return b.emit("where", b.emit("lt", size, b.number(1)), near, far)


def _sech(b: Lowering, x: int) -> int:
    """2t/(1 + t²) for t = exp(−|x|)."""
    t = b.emit("exp", b.emit("neg", b.emit("abs", x)))
    return b.emit("div", b.emit("add", t, t), b.emit("add", b.number(1), b.emit("mul", t, t)))


def _onemsq(b: Lowering, x: int) -> int:
    one = b.number(1)
    return b.emit("mul", b.emit("sub", one, x), b.emit("add", one, x))


def _log1mexp(b: Lowering, x: int) -> int:
    """log(−expm1(x)) where exp(x) is above a half, else log1p(−exp(x))."""
    near = b.emit("log", b.emit("neg", b.emit("expm1", x)))
    far = b.emit("log1p", b.emit("neg", b.emit("exp", x)))
    return b.emit("where", b.emit("lt", b.number(Fraction(-7, 10)), x), near, far)


def _bose(b: Lowering, x: int) -> int:
    return b.emit("div", b.number(1), b.emit("expm1", x))


def shrunk(b: Lowering, high: int, low: int) -> int:
    """exp(low − high) for low ≤ high, the rounding error of the difference made good.

    A difference of 700 is wrong by up to 6e-14, and so would be its exponential, relatively.
    """
    d = b.emit("sub", high, low)
    back = b.emit("sub", d, high)
    error = b.emit("sub", b.emit("sub", high, b.emit("sub", d, back)), b.emit("add", low, back))
    error = b.emit("where", b.emit("eq", error, error), error, b.number(0))  # NaN where one is infinite
    t = b.emit("exp", b.emit("neg", d))
    t = b.emit("sub", t, b.emit("mul", t, error))
    return b.emit("where", b.emit("eq", high, low), b.number(1), t)  # also for two equal infinities


def _largest(b: Lowering, args: Sequence[int]) -> tuple[int, list[int], int]:
    """Return the largest argument m, exp(a − m) of each argument, and their sum without that of m itself (a 1)."""
    ordered = sorted(args)  # one order, so that the value and all weights share these
    most = ordered[0]
    for a in ordered[1:]:
        most = b.emit("max", most, a)
    if len(ordered) == 2:
        x, y = ordered
        t = shrunk(b, most, b.emit("min", x, y))
        shares = {x: b.emit("where", b.emit("le", y, x), b.number(1), t)}
        shares[y] = b.emit("where", b.emit("le", x, y), b.number(1), t)
        return most, [shares[a] for a in args], t
    shares = {a: shrunk(b, most, a) for a in ordered}
    rest = seen = -1
    for a in ordered:
        top = b.emit("eq", a, most)
        first = top if seen < 0 else b.emit("and", top, b.emit("not", seen))
        seen = top if seen < 0 else b.emit("or", seen, top)
        share = b.emit("where", first, b.number(0), shares[a])
        rest = share if rest < 0 else b.emit("add", rest, share)
    return most, [shares[a] for a in args], rest


def _logsumexp(b: Lowering, *args: int) -> int:
    most, _, rest = _largest(b, args)
    return b.emit("add", most, b.emit("log1p", rest))


def _softmax(b: Lowering, *args: int) -> int:
    _, shares, rest = _largest(b, args)
    return b.emit("mul", shares[0], b.emit("div", b.number(1), b.emit("add", b.number(1), rest)))


def _sharevar(b: Lowering, x: int, y: int) -> int:
    return b.emit("mul", _softmax(b, x, y), _softmax(b, y, x))


def _exprel(b: Lowering, x: int) -> int:
    """expm1(x)/x."""
    plain = b.emit("div", b.emit("expm1", x), x)
    plain = b.emit("where", b.emit("eq", x, b.number(0)), b.number(1), plain)
    return b.emit("where", b.emit("lt", b.number(SPLIT), x), _exprel_above(b, 0, x), plain)


def _exprel_above(b: Lowering, m: int, x: int) -> int:
    """The derivative of order m for x ≥ m + 1, by N_j = (1 − j·N_{j−1})/x for N_j = exp(−x)·exprel⁽ʲ⁾(x)."""
    one = b.number(1)
    n = b.emit("div", b.emit("neg", b.emit("expm1", b.emit("neg", x))), x)
    for j in range(1, m + 1):
        n = b.emit("div", b.emit("sub", one, b.emit("mul", b.number(j), n)), x)
    root = b.emit("exp", b.emit("mul", b.number(Fraction(1, 2)), x))
    return b.emit("mul", b.emit("mul", root, n), root)


def _exprel_below(b: Lowering, m: int, x: int) -> int:
    """The same for y = −x ≥ m + 1: m!/y^(m+1)·(1 − exp(−y)·Σ_{j ≤ m} yʲ/j!), of which at most half cancels."""
    y = b.emit("neg", x)
    clipped = b.emit("min", y, b.number(1000))  # so that 0·∞ cannot arise
    total = b.number(Fraction(1))
    for j in range(m, 0, -1):
        step = b.emit("div", b.emit("mul", clipped, total), b.number(j))
        total = b.emit("add", b.number(1), step)
    result = b.emit("sub", b.number(1), b.emit("mul", b.emit("exp", b.emit("neg", clipped)), total))
    for j in (1, *range(1, m + 1)):
        result = b.emit("mul", result, b.emit("div", b.number(j), y))
    return result


def _exprel_between(b: Lowering, m: int, x: int) -> int:
    """The same for |x| ≤ m + 1, by series without alternating signs.

    Σ xᵏ/(k!·(m + 1 + k)) for x ≥ 0, and exp(x)·Σ |x|ᵏ·m!/(m + 1 + k)! for x < 0 (Kummer's transformation).
    """
    up, down = [Fraction(1, m + 1)], [Fraction(1, m + 1)]
    power, factorial = Fraction(1), Fraction(1)  # of the end of the interval, and k!
    while power * up[-1] > PRECISION * up[0] or power * down[-1] > PRECISION * down[0]:
        k = len(up)
        power *= m + 1
        factorial *= k
        up.append(1 / (factorial * (m + 1 + k)))
        down.append(down[-1] / (m + 1 + k))
    z = b.emit("abs", x)
    negative = b.emit("lt", x, b.number(0))
    total = b.emit("where", negative, b.number(down[-1]), b.number(up[-1]))
    for d, u in zip(down[-2::-1], up[-2::-1], strict=True):
        c = b.number(u) if u == d else b.emit("where", negative, b.number(d), b.number(u))
        total = b.emit("add", c, b.emit("mul", z, total))
    return b.emit("where", negative, b.emit("mul", b.emit("exp", x), total), total)


def exprel_diff(b: Lowering, order: Fraction | None, x: int) -> int:
    """Return the slot of ∫₀¹ sᵐ·exp(s·x) ds, the derivative of order m of (exp(x) − 1)/x."""
    assert order is not None  # the tape has seen to it
    if order == 0:
        return _exprel(b, x)
    m = order.numerator
    above = b.emit("where", b.emit("lt", x, b.number(0)), _exprel_below(b, m, x), _exprel_above(b, m, x))
    near = b.emit("lt", b.emit("abs", x), b.number(m + 1))
    return b.emit("where", near, _exprel_between(b, m, x), above)


FORMS: dict[str, Callable[..., int]] = {
    "versin": _versin, "coshm1": _coshm1, "hypotm1": _hypotm1, "sqrt1pm1": _sqrt1pm1, "dircos": _dircos,
    "hypot": _hypot,
    "logcosh": _logcosh, "sech": _sech, "onemsq": _onemsq, "log1mexp": _log1mexp, "bose": _bose, "exprel": _exprel,
    "logaddexp": _logsumexp, "logsumexp": _logsumexp, "softmax": _softmax, "sharevar": _sharevar,
}  # fmt: skip
