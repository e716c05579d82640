"""Fused loops for Numba, written out by hand; `row` is a compiled (z, y) → (loss, slope) that Numba inlines."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

BLOCK = 1024  # rows of a wide table that are worked on at a time


def loop_of(columns: int, row: Any) -> Any:
    """Return ``loop(x, y, b, first, last)`` → array of cost and gradient, for 5, 10 or a multiple of 10 columns."""
    make = {5: _five, 10: _ten}.get(columns, _many)
    return numba.njit(fastmath=True, nogil=True)(make(row))


def _five(row: Any) -> Any:
    def loop(x: Any, y: Any, b: Any, first: Any, last: Any) -> Any:
        x0, x1, x2, x3, x4 = x[0, first:last], x[1, first:last], x[2, first:last], x[3, first:last], x[4, first:last]
        own = y[first:last]
        b0, b1, b2, b3, b4 = b[0], b[1], b[2], b[3], b[4]
        cost = g0 = g1 = g2 = g3 = g4 = 0.0
        for i in range(len(own)):  # from 0: what could be negative is not vectorised
            loss, d = row(b0 * x0[i] + b1 * x1[i] + b2 * x2[i] + b3 * x3[i] + b4 * x4[i], own[i])
            cost += loss
            g0 += d * x0[i]
            g1 += d * x1[i]
            g2 += d * x2[i]
            g3 += d * x3[i]
            g4 += d * x4[i]
        return np.array([cost, g0, g1, g2, g3, g4])

    return loop


def _ten(row: Any) -> Any:
    def loop(x: Any, y: Any, b: Any, first: Any, last: Any) -> Any:
        x0, x1, x2, x3, x4 = x[0, first:last], x[1, first:last], x[2, first:last], x[3, first:last], x[4, first:last]
        x5, x6, x7, x8, x9 = x[5, first:last], x[6, first:last], x[7, first:last], x[8, first:last], x[9, first:last]
        own = y[first:last]
        b0, b1, b2, b3, b4, b5, b6, b7, b8, b9 = b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9]
        cost = g0 = g1 = g2 = g3 = g4 = g5 = g6 = g7 = g8 = g9 = 0.0
        for i in range(len(own)):
            z = b0 * x0[i] + b1 * x1[i] + b2 * x2[i] + b3 * x3[i] + b4 * x4[i]
            z += b5 * x5[i] + b6 * x6[i] + b7 * x7[i] + b8 * x8[i] + b9 * x9[i]
            loss, d = row(z, own[i])
            cost += loss
            g0 += d * x0[i]
            g1 += d * x1[i]
            g2 += d * x2[i]
            g3 += d * x3[i]
            g4 += d * x4[i]
            g5 += d * x5[i]
            g6 += d * x6[i]
            g7 += d * x7[i]
            g8 += d * x8[i]
            g9 += d * x9[i]
        return np.array([cost, g0, g1, g2, g3, g4, g5, g6, g7, g8, g9])

    return loop


def _many(row: Any) -> Any:
    def loop(x: Any, y: Any, b: Any, first: Any, last: Any) -> Any:
        sums = np.zeros(1 + len(b))
        space = np.empty(BLOCK)
        for low in range(first, last, BLOCK):
            own = y[low : min(last, low + BLOCK)]
            rows = len(own)
            z = space[:rows]
            z[:] = 0.0
            for j in range(0, len(b), 5):
                x0, x1, x2 = x[j, low : low + rows], x[j + 1, low : low + rows], x[j + 2, low : low + rows]
                x3, x4 = x[j + 3, low : low + rows], x[j + 4, low : low + rows]
                b0, b1, b2, b3, b4 = b[j], b[j + 1], b[j + 2], b[j + 3], b[j + 4]
                for i in range(rows):
                    z[i] += b0 * x0[i] + b1 * x1[i] + b2 * x2[i] + b3 * x3[i] + b4 * x4[i]
            cost = 0.0
            for i in range(rows):
                loss, z[i] = row(z[i], own[i])
                cost += loss
            sums[0] += cost
            for j in range(0, len(b), 5):
                x0, x1, x2 = x[j, low : low + rows], x[j + 1, low : low + rows], x[j + 2, low : low + rows]
                x3, x4 = x[j + 3, low : low + rows], x[j + 4, low : low + rows]
                g0 = g1 = g2 = g3 = g4 = 0.0
                for i in range(rows):
                    d = z[i]
                    g0 += d * x0[i]
                    g1 += d * x1[i]
                    g2 += d * x2[i]
                    g3 += d * x3[i]
                    g4 += d * x4[i]
                sums[1 + j] += g0
                sums[2 + j] += g1
                sums[3 + j] += g2
                sums[4 + j] += g3
                sums[5 + j] += g4
        return sums

    return loop


@numba.njit(fastmath=True, nogil=True)
def softmax_loop(x: Any, y: Any, w: Any, first: Any, last: Any) -> Any:
    """Return cost and gradient of softmax regression with three classes and five columns."""
    x0, x1, x2, x3, x4 = x[0, first:last], x[1, first:last], x[2, first:last], x[3, first:last], x[4, first:last]
    y0, y1, y2 = y[0, first:last], y[1, first:last], y[2, first:last]
    a0, a1, a2, a3, a4 = w[0, 0], w[0, 1], w[0, 2], w[0, 3], w[0, 4]
    b0, b1, b2, b3, b4 = w[1, 0], w[1, 1], w[1, 2], w[1, 3], w[1, 4]
    c0, c1, c2, c3, c4 = w[2, 0], w[2, 1], w[2, 2], w[2, 3], w[2, 4]
    cost = p0 = p1 = p2 = p3 = p4 = q0 = q1 = q2 = q3 = q4 = r0 = r1 = r2 = r3 = r4 = 0.0
    for i in range(len(y0)):
        u0, u1, u2, u3, u4 = x0[i], x1[i], x2[i], x3[i], x4[i]
        a = a0 * u0 + a1 * u1 + a2 * u2 + a3 * u3 + a4 * u4
        b = b0 * u0 + b1 * u1 + b2 * u2 + b3 * u3 + b4 * u4
        c = c0 * u0 + c1 * u1 + c2 * u2 + c3 * u3 + c4 * u4
        m = max(a, b, c)
        ea, eb, ec = np.exp(a - m), np.exp(b - m), np.exp(c - m)
        total = ea + eb + ec
        cost += m + np.log(total) - y0[i] * a - y1[i] * b - y2[i] * c
        da, db, dc = ea / total - y0[i], eb / total - y1[i], ec / total - y2[i]
        p0 += da * u0
        p1 += da * u1
        p2 += da * u2
        p3 += da * u3
        p4 += da * u4
        q0 += db * u0
        q1 += db * u1
        q2 += db * u2
        q3 += db * u3
        q4 += db * u4
        r0 += dc * u0
        r1 += dc * u1
        r2 += dc * u2
        r3 += dc * u3
        r4 += dc * u4
    return np.array([cost, p0, p1, p2, p3, p4, q0, q1, q2, q3, q4, r0, r1, r2, r3, r4])
