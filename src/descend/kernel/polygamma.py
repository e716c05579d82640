"""The derivatives of log Γ, ψ(x) and ψ⁽ⁿ⁾(x) for x > 0: recurrence to a large argument, an asymptotic series there.

With y = x + K ≥ n + 16 (Abramowitz & Stegun 1964, 6.3.5, 6.3.18, 6.4.6, 6.4.11):

    ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹·n!·( Σ_{k<K} (x + k)^(−n−1) + y^(−n)·(1/n + 1/(2y) + Σⱼ B₂ⱼ·aⱼ) ),    n ≥ 1
    ψ(x) = log y − 1/(2y) − Σⱼ B₂ⱼ·aⱼ − Σ_{k<K} 1/(x + k),

aⱼ = (2j + n − 1)!/((2j)!·n!·y²ʲ).  Every sum for n ≥ 1 has one sign, so it is right to some 1e-15.  ψ has a zero at
1.46; on [1, 2] it is (x − zero)·(Y + P(x − 1)/Q(x − 1)), a minimax approximation of Boost's (J. Maddock 2006), and
below 1 it comes from there by one step of the recurrence.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from math import floor, inf, isfinite, nan
from typing import Any

MOST = 170  # the largest order: 171! is no double
START = 16.0  # the series is used from order + 16 on
BERNOULLI = tuple(
    float(Fraction(top, bottom))
    for top, bottom in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798), (-174611, 330),
        (854513, 138), (-236364091, 2730),
    )
)  # fmt: skip

ZERO = (1569415565 / 1073741824, 381566830 / 1073741824 / 1073741824, 0.9016312093258695918615325e-19)  # its sum is it
LEVEL = 0.99558162689208984
TOP = (0.25479851061131551, -0.32555031186804491, -0.65031853770896507, -0.28919126444774784, -0.045251321448739056,
       -0.0020713321167745952)  # fmt: skip
BOTTOM = (1.0, 2.0767117023730469, 1.4606242909763515, 0.43593529692665969, 0.054151797245674225, 0.0021284987017821144,
          -0.55789841321675513e-6)  # fmt: skip


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except (OverflowError, ValueError):
        return inf


def _reciprocal(n: float, y: float) -> float:
    """y^(−n−1)."""
    if n > 3.0:
        return _power(y, -n - 1.0)
    square = y * y
    power = y if n == 0 else square if n == 1 else square * y if n == 2 else square * square
    return 1.0 / power if power else inf


def polygamma(n: float, x: float) -> float:
    """Return ψ⁽ⁿ⁾(x); NaN for x < 0 and where n is not 0, 1, 2, ..."""
    if not (isfinite(n) and floor(n) == n and 0 <= n <= MOST) or not x >= 0:
        return nan
    x = x + 0.0  # -0 is 0
    if n == 0 and x <= 2:
        near: float = _around_zero(x if x >= 1 else x + 1.0)
        return near if x >= 1 else near - (1.0 / x if x else inf)
    total = 0.0
    while x < n + START:
        total = total + _reciprocal(n, x)
        x = x + 1.0
    series: float = _series(n, x)
    if n == 0:
        return ((math.log(x) - 0.5 / x) - series) - total
    total = total + _power(x, -n) * ((1.0 / n + 0.5 / x) + series)
    size = 1.0
    for factor in range(2, int(n) + 1):
        size = size * float(factor)
    return size * total if n % 2 else -(size * total)


def _around_zero(x: Any) -> Any:
    """ψ(x) for 1 ≤ x ≤ 2."""
    t = x - 1.0
    g = ((x - ZERO[0]) - ZERO[1]) - ZERO[2]
    top, bottom = 0.0 * t, 0.0 * t
    for c in reversed(TOP):
        top = top * t + c
    for c in reversed(BOTTOM):
        bottom = bottom * t + c
    return g * LEVEL + g * (top / bottom)


def _series(n: float, y: Any) -> Any:
    inverse = 1.0 / y / y
    a = (n + 1.0) * 0.5 * inverse
    total = BERNOULLI[0] * a
    for j, bernoulli in enumerate(BERNOULLI[1:], 2):
        a = a * (((n + float(2 * j - 1)) * (n + float(2 * j - 2))) / float(2 * j * (2 * j - 1))) * inverse
        total = total + bernoulli * a
    return total


def polygamma_arrays(n: Any, x: Any) -> Any:
    """Return the values for an order and an array."""
    import numpy as np

    order = float(np.ravel(n)[0])  # a constant of the formula
    if not (isfinite(order) and floor(order) == order and 0 <= order <= MOST):
        return np.full(np.shape(x), nan)
    x = np.asarray(x, float)
    y = np.where(x >= 0, x, nan) + 0.0
    total = np.zeros(y.shape)
    while (low := y < order + START).any():
        total = np.where(low, total + np.power(y, -order - 1.0), total)
        y = np.where(low, y + 1.0, y)
    if order == 0:
        near, below = x + 0.0 <= 2, x + 0.0 < 1
        digamma = _around_zero(np.where(below, x + 1.0, x)) - np.where(below, 1.0 / (x + 0.0), 0.0)
        return np.where(near & (x >= 0), digamma, ((np.log(y) - 0.5 / y) - _series(order, y)) - total)
    total = total + np.power(y, -order) * ((1.0 / order + 0.5 / y) + _series(order, y))
    size = 1.0
    for factor in range(2, int(order) + 1):
        size = size * float(factor)
    return size * total if order % 2 else -(size * total)


def _hex(value: float) -> str:
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def _series_text() -> str:
    """Spell `_series` in LLVM's language, multiplication for multiplication."""
    lines = [
        "%q = fdiv double 1.0, %y", "%inverse = fdiv double %q, %y", "%n.one = fadd double %n, 1.0",
        "%n.half = fmul double %n.one, 0.5", "%a1 = fmul double %n.half, %inverse",
        f"%s1 = fmul double {_hex(BERNOULLI[0])}, %a1",
    ]  # fmt: skip
    for j, bernoulli in enumerate(BERNOULLI[1:], 2):
        lines += [
            f"%u{j} = fadd double %n, {float(2 * j - 1)}", f"%w{j} = fadd double %n, {float(2 * j - 2)}",
            f"%uw{j} = fmul double %u{j}, %w{j}", f"%r{j} = fdiv double %uw{j}, {float(2 * j * (2 * j - 1))}",
            f"%ar{j} = fmul double %a{j - 1}, %r{j}", f"%a{j} = fmul double %ar{j}, %inverse",
            f"%b{j} = fmul double {_hex(bernoulli)}, %a{j}", f"%s{j} = fadd double %s{j - 1}, %b{j}",
        ]  # fmt: skip
    return "\n".join(f"  {line}" for line in lines)


def _near_text() -> str:
    """Spell `_around_zero` of %t1 in LLVM's language."""
    lines = ["%t = fsub double %t1, 1.0"]
    for k, (above, root) in enumerate(zip(("%t1", "%g0", "%g1"), ZERO, strict=True)):
        lines.append(f"%g{k} = fsub double {above}, {_hex(root)}")
    lines.append("%nil = fmul double 0.0, %t")
    for name, coefficients in (("c", TOP), ("d", BOTTOM)):
        before = "%nil"
        for k, c in enumerate(reversed(coefficients)):
            lines += [f"%{name}m{k} = fmul double {before}, %t", f"%{name}{k} = fadd double %{name}m{k}, {_hex(c)}"]
            before = f"%{name}{k}"
    lines += [
        f"%cd = fdiv double %c{len(TOP) - 1}, %d{len(BOTTOM) - 1}", f"%gy = fmul double %g2, {_hex(LEVEL)}",
        "%gr = fmul double %g2, %cd", "%around = fadd double %gy, %gr",
    ]  # fmt: skip
    return "\n".join(f"  {line}" for line in lines)


DECLARED = (
    "declare double @llvm.floor.f64(double) #1",
    "declare double @log(double) #1",
    "declare double @pow(double, double) #1",
)


# The function in LLVM's language.
HELPER = (
    """
define internal double @polygamma(double %n, double %x) #1 {
entry:
  %nf = call double @llvm.floor.f64(double %n) #1
  %n1 = fcmp oeq double %nf, %n
  %n2 = fcmp oge double %n, 0.0
  %n3 = fcmp ole double %n, 170.0
  %x1 = fcmp oge double %x, 0.0
  %v1 = and i1 %n1, %n2
  %v2 = and i1 %n3, %x1
  %valid = and i1 %v1, %v2
  br i1 %valid, label %begin, label %undefined
undefined:
  ret double 0x7FF8000000000000
begin:
  %start = fadd double %x, 0.0
  %minus = fneg double %n
  %exponent = fsub double %minus, 1.0
  %large = fadd double %n, 16.0
  %isn0 = fcmp oeq double %n, 0.0
  %within = fcmp ole double %start, 2.0
  %near = and i1 %isn0, %within
  br i1 %near, label %close, label %test
close:
  %below = fcmp olt double %start, 1.0
  %up = fadd double %start, 1.0
  %t1 = select i1 %below, double %up, double %start
NEAR
  %back = fdiv double 1.0, %start
  %stepped = fsub double %around, %back
  %psi = select i1 %below, double %stepped, double %around
  ret double %psi
test:
  %y = phi double [%start, %begin], [%y.next, %add]
  %total = phi double [0.0, %begin], [%total.next, %add]
  %low = fcmp olt double %y, %large
  br i1 %low, label %step, label %series
step:
  %small = fcmp ole double %n, 3.0
  br i1 %small, label %product, label %library
product:
  %y2 = fmul double %y, %y
  %y3 = fmul double %y2, %y
  %y4 = fmul double %y2, %y2
  %is0 = fcmp oeq double %n, 0.0
  %is1 = fcmp oeq double %n, 1.0
  %is2 = fcmp oeq double %n, 2.0
  %p2 = select i1 %is2, double %y3, double %y4
  %p1 = select i1 %is1, double %y2, double %p2
  %p0 = select i1 %is0, double %y, double %p1
  %quotient = fdiv double 1.0, %p0
  br label %add
library:
  %called = call double @pow(double %y, double %exponent) #2
  br label %add
add:
  %power = phi double [%quotient, %product], [%called, %library]
  %total.next = fadd double %total, %power
  %y.next = fadd double %y, 1.0
  br label %test
series:
SERIES
  %h = fdiv double 0.5, %y
  %digamma = fcmp oeq double %n, 0.0
  br i1 %digamma, label %zero, label %above
zero:
  %l = call double @log(double %y) #1
  %z1 = fsub double %l, %h
  %z2 = fsub double %z1, LAST
  %z3 = fsub double %z2, %total
  ret double %z3
above:
  %i = fdiv double 1.0, %n
  %ih = fadd double %i, %h
  %bracket = fadd double %ih, LAST
  %p = call double @pow(double %y, double %minus) #2
  %tail = fmul double %p, %bracket
  %sum = fadd double %total, %tail
  br label %factor
factor:
  %k = phi double [2.0, %above], [%k.next, %multiply]
  %size = phi double [1.0, %above], [%size.next, %multiply]
  %more = fcmp ole double %k, %n
  br i1 %more, label %multiply, label %done
multiply:
  %size.next = fmul double %size, %k
  %k.next = fadd double %k, 1.0
  br label %factor
done:
  %value = fmul double %size, %sum
  %negated = fneg double %value
  %whole = fptosi double %n to i64
  %bit = and i64 %whole, 1
  %odd = icmp eq i64 %bit, 1
  %result = select i1 %odd, double %value, double %negated
  ret double %result
}
""".replace("SERIES", _series_text())
    .replace("NEAR", _near_text())
    .replace("LAST", f"%s{len(BERNOULLI)}")
)
