"""The m-th derivative of the Chebyshev polynomial T_k at x, for a degree k that is known only when it is evaluated.

From (T_n, T_{n+1}) to (T_{2n}, T_{2n+1}) or (T_{2n+1}, T_{2n+2}) by T_{2n} = 2·T_n² − 1 and T_{2n+1} =
2·T_n·T_{n+1} − x, a bit of k at a time: O(log k) steps (Koepf 1999, *Efficient computation of Chebyshev polynomials in
computer algebra*).  The derivatives are carried along as the first m + 1 coefficients of the power series of T_n(x + t)
in t, so nothing is divided by 1 − x² and ±1 are points like any other.
"""

from __future__ import annotations

from math import floor, isfinite, nan
from typing import Any

MOST = 170  # the largest order: 171! is no double
LARGEST = 2.0**53  # the largest degree: above, doubles are not all the whole numbers


def chebyshev(m: float, k: float, x: float) -> float:
    """Return the value; NaN where m or k is not 0, 1, 2, ..."""
    if not (_whole(m, MOST) and _whole(k, LARGEST)):
        return nan
    return float(_series(int(m), int(k), x))


def _whole(number: float, most: float) -> bool:
    return isfinite(number) and floor(number) == number and 0 <= number <= most


def _series(m: int, k: int, x: Any) -> Any:
    """Return the value for whole numbers m and k; x is a number or an array."""
    if m > k or k == 0:
        return 0.0 * x if m > k else 1.0 + 0.0 * x
    a = [x, *(1.0 if j == 1 else 0.0 for j in range(1, m + 1))]  # T_1(x + t) = x + t
    b = [2.0 * _product(a, a, j) - (1.0 if j == 0 else 0.0) for j in range(m + 1)]
    shift = [x, *(1.0 if j == 1 else 0.0 for j in range(1, m + 1))]
    for bit in bin(k)[3:]:
        middle = [2.0 * _product(a, b, j) - shift[j] for j in range(m + 1)]
        double = a if bit == "0" else b
        square = [2.0 * _product(double, double, j) - (1.0 if j == 0 else 0.0) for j in range(m + 1)]
        a, b = (square, middle) if bit == "0" else (middle, square)
    result = a[m]
    for j in range(2, m + 1):
        result = result * float(j)
    return result


def _product(a: list[Any], b: list[Any], j: int) -> Any:
    total = a[0] * b[j]
    for i in range(1, j + 1):
        total = total + a[i] * b[j - i]
    return total


def chebyshev_arrays(m: Any, k: Any, x: Any) -> Any:
    """Return the values for arrays (broadcast): a pass for each order and degree that occurs."""
    import numpy as np

    m, k, x = np.broadcast_arrays(np.asarray(m, float), np.asarray(k, float), np.asarray(x, float))
    result = np.full(x.shape, nan)
    for order, degree in np.unique(np.stack([m.ravel(), k.ravel()], axis=1), axis=0):
        if _whole(float(order), MOST) and _whole(float(degree), LARGEST):
            chosen = (m == order) & (k == degree)
            result[chosen] = _series(int(order), int(degree), x[chosen])
    return result


DECLARED = ("declare double @llvm.floor.f64(double) #1", "declare i64 @llvm.ctlz.i64(i64, i1) #1")
# The same in LLVM's language, addition for addition.  The series overwrite themselves from the highest coefficient
# down, since coefficient j of a product needs none above j.
HELPER = """
define internal double @chebyshev(double %m, double %k, double %x) #1 {
entry:
  %a = alloca [171 x double], align 8
  %b = alloca [171 x double], align 8
  %mf = call double @llvm.floor.f64(double %m) #1
  %kf = call double @llvm.floor.f64(double %k) #1
  %m1 = fcmp oeq double %mf, %m
  %m2 = fcmp oge double %m, 0.0
  %m3 = fcmp ole double %m, 170.0
  %k1 = fcmp oeq double %kf, %k
  %k2 = fcmp oge double %k, 0.0
  %k3 = fcmp ole double %k, 9007199254740992.0
  %v1 = and i1 %m1, %m2
  %v2 = and i1 %m3, %k1
  %v3 = and i1 %k2, %k3
  %v4 = and i1 %v1, %v2
  %valid = and i1 %v4, %v3
  br i1 %valid, label %whole, label %undefined
undefined:
  ret double 0x7FF8000000000000
whole:
  %order = fptosi double %m to i64
  %degree = fptosi double %k to i64
  %nothing = fmul double 0.0, %x
  %above = icmp sgt i64 %order, %degree
  br i1 %above, label %zero, label %within
zero:
  ret double %nothing
within:
  %constant = icmp eq i64 %degree, 0
  br i1 %constant, label %one, label %fill
one:
  %unit = fadd double 1.0, %nothing
  ret double %unit
fill:
  %f = phi i64 [0, %within], [%f.next, %fill]
  %f.first = icmp eq i64 %f, 0
  %f.second = icmp eq i64 %f, 1
  %f.rest = select i1 %f.second, double 1.0, double 0.0
  %f.value = select i1 %f.first, double %x, double %f.rest
  %f.place = getelementptr inbounds double, ptr %a, i64 %f
  store double %f.value, ptr %f.place, align 8
  %f.next = add i64 %f, 1
  %f.more = icmp sle i64 %f.next, %order
  br i1 %f.more, label %fill, label %start
start:
  %zeros = call i64 @llvm.ctlz.i64(i64 %degree, i1 true) #1
  %length = sub i64 63, %zeros
  br label %step
step:
  ; the first round makes T_2 of T_1 (b is read, not used); each other takes a bit, from the second highest on
  %s = phi i64 [%length, %start], [%s.next, %stepped]
  %s.next = sub i64 %s, 1
  %initial = icmp eq i64 %s, %length
  %shifted = lshr i64 %degree, %s
  %lowest = and i64 %shifted, 1
  %is.odd = icmp eq i64 %lowest, 1
  %not.initial = xor i1 %initial, true
  %odd = and i1 %is.odd, %not.initial
  %double = select i1 %odd, ptr %b, ptr %a
  br label %coefficient
coefficient:
  %j = phi i64 [%order, %step], [%j.next, %stored]
  br label %term
term:
  %i = phi i64 [0, %coefficient], [%i.next, %term]
  %p = phi double [0.0, %coefficient], [%p.next, %term]
  %q = phi double [0.0, %coefficient], [%q.next, %term]
  %back = sub i64 %j, %i
  %a.i.place = getelementptr inbounds double, ptr %a, i64 %i
  %b.i.place = getelementptr inbounds double, ptr %b, i64 %back
  %a.i = load double, ptr %a.i.place, align 8
  %b.i = load double, ptr %b.i.place, align 8
  %d.i.place = getelementptr inbounds double, ptr %double, i64 %i
  %e.i.place = getelementptr inbounds double, ptr %double, i64 %back
  %d.i = load double, ptr %d.i.place, align 8
  %e.i = load double, ptr %e.i.place, align 8
  %p.term = fmul double %a.i, %b.i
  %q.term = fmul double %d.i, %e.i
  %p.sum = fadd double %p, %p.term
  %q.sum = fadd double %q, %q.term
  %i.first = icmp eq i64 %i, 0
  %p.next = select i1 %i.first, double %p.term, double %p.sum
  %q.next = select i1 %i.first, double %q.term, double %q.sum
  %i.next = add i64 %i, 1
  %i.more = icmp sle i64 %i.next, %j
  br i1 %i.more, label %term, label %summed
summed:
  %j.first = icmp eq i64 %j, 0
  %j.second = icmp eq i64 %j, 1
  %x.rest = select i1 %j.second, double 1.0, double 0.0
  %x.j = select i1 %j.first, double %x, double %x.rest
  %one.j = select i1 %j.first, double 1.0, double 0.0
  %p.twice = fmul double 2.0, %p.next
  %q.twice = fmul double 2.0, %q.next
  %middle = fsub double %p.twice, %x.j
  %square = fsub double %q.twice, %one.j
  %a.place = getelementptr inbounds double, ptr %a, i64 %j
  %b.place = getelementptr inbounds double, ptr %b, i64 %j
  %a.old = load double, ptr %a.place, align 8
  %a.even = select i1 %odd, double %middle, double %square
  %b.even = select i1 %odd, double %square, double %middle
  %a.new = select i1 %initial, double %a.old, double %a.even
  %b.new = select i1 %initial, double %square, double %b.even
  br label %stored
stored:
  store double %a.new, ptr %a.place, align 8
  store double %b.new, ptr %b.place, align 8
  %j.next = sub i64 %j, 1
  %j.more = icmp sge i64 %j.next, 0
  br i1 %j.more, label %coefficient, label %stepped
stepped:
  %s.more = icmp sge i64 %s.next, 0
  br i1 %s.more, label %step, label %factorial
factorial:
  %top.place = getelementptr inbounds double, ptr %a, i64 %order
  %top = load double, ptr %top.place, align 8
  br label %factor
factor:
  %n = phi i64 [2, %factorial], [%n.next, %multiply]
  %value = phi double [%top, %factorial], [%value.next, %multiply]
  %n.more = icmp sle i64 %n, %order
  br i1 %n.more, label %multiply, label %done
multiply:
  %n.double = sitofp i64 %n to double
  %value.next = fmul double %value, %n.double
  %n.next = add i64 %n, 1
  br label %factor
done:
  ret double %value
}
"""
