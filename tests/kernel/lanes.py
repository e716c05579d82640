"""One function of the C library on vectors of doubles, in machine code, and its values in 50 digits."""

from __future__ import annotations

import ctypes
import math

import mpmath
import numpy as np

from descend.expression.parse import parse
from descend.kernel import elementary
from descend.kernel.compile import MachineCode
from descend.kernel.lower import Body, module
from descend.kernel.program import lower
from descend.kernel.target import target
from descend.kernel.vector_math import INLINED, LanesBody, variants

OURS, OURS_CALLED, LIBMVEC, CHOSEN, LANE_BY_LANE = "ours", "ours, called", "libmvec", "chosen", "lane by lane"


def log1p(x):
    return mpmath.log1p(x) if x != -1 else -mpmath.inf


def cbrt(x):
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


def erfc(x):
    return mpmath.erfc(x) if x < 30 else mpmath.exp(-x * x) / (x * mpmath.sqrt(mpmath.pi))


ORACLES = {
    name: getattr(mpmath, name)
    for name in [
        "exp",
        "expm1",
        "log",
        "log10",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "erf",
    ]
} | {
    "log1p": log1p,
    "log2": lambda x: mpmath.log(x, 2),
    "cbrt": cbrt,
    "erfc": erfc,
    "pow": mpmath.power,
    "atan2": mpmath.atan2,
}


class VectorFunction:
    """Arrays in, array out: ``void f(in.., out, n)`` takes `lanes` numbers at a time."""

    def __init__(self, write, lanes, arguments=1):
        """`write(body, arguments)` writes the value's instructions and returns its name."""
        body = LanesBody(lanes)
        body.label("entry")
        body.write("br label %loop")
        body.label("loop")
        body.write("%i = phi i64 [0, %entry], [%next, %loop]")
        taken = []
        for k in range(arguments):
            place = body.emit(f"getelementptr inbounds double, ptr %in{k}, i64 %i")
            taken.append(body.emit(f"load {body.kind}, ptr {place}, align 8"))
        value = write(body, taken)
        place = body.emit("getelementptr inbounds double, ptr %out, i64 %i")
        body.write(f"store {body.kind} {value}, ptr {place}, align 8")
        body.write(f"%next = add i64 %i, {lanes}")
        body.write("%more = icmp slt i64 %next, %n")
        body.write("br i1 %more, label %loop, label %done")
        body.label("done")
        body.write("ret void")
        pointers = ", ".join(f"ptr noalias %in{k}" for k in range(arguments))
        self.code = MachineCode(module([(f"void @f({pointers}, ptr noalias %out, i64 %n)", body)]), 2, 1)
        kinds = [ctypes.c_void_p] * (arguments + 1)
        self.call = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_int64)(self.code.address("f"))
        self.lanes = lanes

    def __call__(self, *arguments):
        size = len(arguments[0])
        whole = -(-size // self.lanes) * self.lanes
        padded = [np.concatenate([a, np.ones(whole - size)]) for a in arguments]
        out = np.empty(whole)
        self.call(*(a.ctypes.data for a in padded), out.ctypes.data, whole)
        return out[:size]


def written(name, how):
    """Return what writes a call of a function."""

    def write(body, arguments):
        match how:
            case "ours":
                return body.own(name, *arguments)
            case "ours, called":
                body.inlined = INLINED
                return body.own(name, *arguments)
            case "libmvec":
                return body.call(next(full for full, lanes in forms(name) if lanes == body.lanes), *arguments)
            case "lane by lane":
                return Body.library(body, name, *arguments)
            case "chosen":
                return body.library(name, *arguments)
        raise AssertionError(how)

    return write


def vector_function(name, lanes, how=CHOSEN):
    """Return an implementation of a function of the C library."""
    return VectorFunction(written(name, how), lanes, elementary.ARGUMENTS.get(name, 1))


def formula(text, lanes, names="x"):
    """Return the vector code of a formula."""
    tape, root = parse(text)
    program = lower(tape, [root], tuple(names))

    def write(body, arguments):
        slots = [*arguments, *[""] * len(program.instructions)]
        body.program(program, slots)
        return slots[program.outputs[0]]

    return VectorFunction(write, lanes, len(names))


def forms(name):
    """Return libmvec's forms of a function on this target, each with its lanes."""
    return variants(name, elementary.ARGUMENTS.get(name, 1), target())


def implementations(name):
    """Return every (how, lanes) that this target has."""
    found = [(LIBMVEC, lanes) for _, lanes in forms(name)]
    found += [(OURS, lanes) for lanes in (1, 2, 4, 8)]
    return [*found, (CHOSEN, target().lanes)]


def exactly(name, *arguments):
    """Return the value in 50 digits, or NaN where there is no real one."""
    with mpmath.workdps(50 if name not in {"cos", "tan"} else 80):  # mpmath loses 20 beside a zero of the cosine
        try:
            value = ORACLES[name](*map(mpmath.mpf, arguments))
        except (ValueError, ZeroDivisionError):
            return mpmath.nan
        return mpmath.nan if isinstance(value, mpmath.mpc) else value


def ulps(found, exact):
    """Return how many units in the last place of `exact` (2^-1074 below the normal numbers) `found` is off.

    Infinity counts as 2^1024, and so does what is larger.
    """
    if mpmath.isnan(exact) or math.isnan(found):
        return 0.0 if mpmath.isnan(exact) and math.isnan(found) else math.inf
    top = mpmath.ldexp(1, 1024)
    exact = min(max(exact, -top), top)
    near = min(max(mpmath.mpf(found), -top), top)
    exponent = max(mpmath.frexp(exact)[1], -1021) if exact else -1021
    return float(abs(mpmath.ldexp(near - exact, 53 - min(exponent, 1024))))
