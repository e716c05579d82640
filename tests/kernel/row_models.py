"""Losses of rows, columns for them, and their sums added exactly."""

from __future__ import annotations

import math

import numpy as np

from descend.expression.derivative import gradient
from descend.expression.parse import parse
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.program import lower

MODELS = {  # name → loss of a row, parameters
    "line": ("(y - b0 - b1*x)^2", (0.3, 1.2)),
    "plane": ("(y - b0 - b1*x - b2*z)^2", (0.3, 1.2, -0.5)),
    "logistic": ("softplus(b0 + b1*x + b2*z) - where(y > 0, 1, 0)*(b0 + b1*x + b2*z)", (0.1, -1, 0.7)),
    "decay": ("(y - b0*exp(-b1*x) - b2)^2", (2, 0.4, 0.1)),
    "peak": ("(y - b0*exp(-((x - b1)/b2)^2))^2", (1, 0.2, 1.5)),
    "wave": ("(y - b0*sin(b1*x + b2))^2", (1, 2, 0.3)),
    "power": ("(y - b0*(1 + x^2)^b1)^2", (0.7, 0.6)),
    "rational": ("(y - (b0 + b1*x)/(1 + b2*x^2))^2", (1, 0.5, 0.3)),
    "absolute": ("abs(y - b0 - b1*x)", (0.2, 1)),
    "hinge": ("max(0, 1 - y*(b0 + b1*x))", (0.1, 0.8)),
    "poisson": ("exp(b0 + b1*x) - y*(b0 + b1*x) + gammaln(2 + z^2)", (0.1, 0.3)),
    "steps": ("floor(3*x)*b0 + ceil(y)*b1 + min(x, z)", (1, 2)),
    "inverse functions": ("atan(b0*x)^2 + asinh(b1*y) + tanh(z)*b0", (1.5, 0.7)),
    "error functions": ("erf(b0*x) + erfc(b1*y)", (1.5, 0.7)),
    "no columns": ("(b0 - 1)^2 + exp(b1)", (3, 0.5)),
    "no parameters": ("sin(x)*y", ()),
    "one column itself": ("x", ()),
}


def columns_of(rows, count=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=rows) for _ in range(count)]


def program_of(text, parameters):
    tape, root = parse(text)
    names = [f"b{k}" for k in range(parameters)]
    outputs = [root, *gradient(tape, root, [tape.symbol(n) for n in names])]
    return lower(tape, outputs, [*names, "x", "y", "z"])


def by_fsum(program, parameters, columns):
    """Return (sum, sum of sizes) of each output, each row by NumPy and the rows added exactly."""
    rows = len(columns[0])
    outputs = evaluate_arrays(Interpreter(program, arrays()), [*parameters, *columns])
    spread = [np.broadcast_to(np.asarray(o, float), rows) for o in outputs]
    return [(math.fsum(o), math.fsum(np.abs(o))) for o in spread]
