"""Models that are linear in their parameters, with a squared loss: solved in closed form, with all their digits.

The columns of the design are centred (where a constant is among them) and scaled before a blocked, updatable QR; the
answer is then refined in the user's own units with residuals in doubled precision (Björck, *Numerical Methods for
Least Squares Problems*, 1996, §2.9), so that it does not matter how the columns are scaled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from descend.expression.analyse import linear_in
from descend.expression.derivative import gradient
from descend.expression.tape import Tape
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.program import lower
from descend.vector import Vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from descend.data.source import Table

BLOCK = 65_536
REFINED_ENTRIES = 20_000_000  # of the design: above, one refinement pass costs more than the digits are worth
ROUNDS = 12  # at most: each brings the digits that the conditioning leaves, until nothing changes


class LeastSquares(NamedTuple):
    """The solution (in the order of the parameters), and the parameters that the data do not determine."""

    solution: Vector
    undetermined: tuple[str, ...]


def solve_linear(
    tape: Tape, observed: int, predicted: int, parameters: Sequence[str], columns: Sequence[str], table: Table
) -> LeastSquares | None:
    """Solve min Σ (y - ŷ)² where ŷ is linear in the parameters; None where it is not certainly so."""
    if not linear_in(tape, predicted, parameters):
        return None
    symbols = [tape.symbol(name) for name in parameters]
    slopes = gradient(tape, predicted, symbols)
    if set(tape.symbols([*slopes, observed])) & set(parameters):
        return None
    zero = dict.fromkeys(symbols, tape.constant(0))
    offset = tape.substitute((predicted,), zero)[0]
    rest = tape.sub(observed, offset)
    interpreter = Interpreter(lower(tape, [*slopes, rest], columns), arrays())
    return _solve(interpreter, [table.column(name) for name in columns], table.rows, parameters)


class _Design:
    """The design matrix X and the right side y, made block by block."""

    def __init__(self, interpreter: Interpreter, columns: Sequence[Any], rows: int) -> None:
        import numpy as np

        self.interpreter, self.columns, self.rows = interpreter, columns, rows
        self.factors = np.ones(len(interpreter.program.outputs))

    def __iter__(self) -> Any:
        import numpy as np

        for low in range(0, self.rows, BLOCK):
            high = min(self.rows, low + BLOCK)
            values = evaluate_arrays(self.interpreter, [c[low:high] for c in self.columns])
            full = np.array([np.broadcast_to(v, high - low) for v in values], dtype=np.float64)
            full *= self.factors[:, None]
            yield full[:-1].T, full[-1]


def _solve(
    interpreter: Interpreter, columns: Sequence[Any], rows: int, parameters: Sequence[str]
) -> LeastSquares | None:
    import numpy as np

    size = len(parameters)
    design = _Design(interpreter, columns, rows)
    largest = np.zeros(size + 1)
    for x, y in design:
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            return None  # the descent finds and names the row
        largest = np.maximum(largest, np.append(np.abs(x).max(axis=0), np.abs(y).max()))
    # Every column to the size of 1, by powers of two: exact, and products can neither overflow nor vanish.
    design.factors = 2.0 ** -np.clip(np.frexp(largest)[1], -1000, 1000)
    low, high, total = np.full(size, np.inf), np.full(size, -np.inf), np.zeros(size)
    for x, _ in design:
        low, high, total = np.minimum(low, x.min(axis=0)), np.maximum(high, x.max(axis=0)), total + x.sum(axis=0)
    constant = np.flatnonzero((low == high) & (low != 0))
    centre = np.zeros(size)
    if len(constant):
        anchor = int(constant[0])
        centre = total / rows
        centre[anchor] = 0.0
    scale = np.maximum(np.abs(low - centre), np.abs(high - centre))
    scale[scale == 0] = 1.0

    # R of the centred, scaled design, a block at a time.
    triangle = np.zeros((0, size))
    for x, _ in design:
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, (x - centre) / scale]), mode="r"))
    if len(triangle) < size:
        triangle = np.vstack([triangle, np.zeros((size - len(triangle), size))])
    _, singular, right = np.linalg.svd(triangle)
    rank = int((singular > singular[0] * max(rows, size) * 2.0**-52).sum()) if singular[0] > 0 else 0
    inverse = np.zeros(size)
    inverse[:rank] = 1.0 / singular[:rank]

    def correction(weights: Any) -> Any:
        """(XᵀX)⁺ w in the user's units, through the centred and scaled design."""
        # X = (Z·S + 1·cᵀ): with the constant column k of value v, c is absorbed by the coefficient of column k.
        inner = weights.copy()
        if len(constant):
            inner = inner - centre / low[anchor] * weights[anchor]
        z = right.T @ (inverse**2 * (right @ (inner / scale))) / scale
        if len(constant):
            z[anchor] -= (centre * z).sum() / low[anchor]
        return z

    solution = np.zeros(size)
    for _ in range(ROUNDS if rows * size <= REFINED_ENTRIES else 2):
        change = correction(_normal_residual(design, solution))
        solution = solution + change
        if (np.abs(change) <= 2.0**-53 * np.abs(solution)).all():
            break
    with np.errstate(all="ignore"):
        solution = solution * design.factors[:-1] / design.factors[-1]
    if not np.isfinite(solution).all():
        return None
    undetermined: tuple[str, ...] = ()
    if rank < size:
        weights = np.abs(right[rank:]).max(axis=0)
        undetermined = tuple(p for p, w in zip(parameters, weights, strict=True) if w > 1e-6)
    return LeastSquares(Vector([float(s) for s in solution]), undetermined)


def _normal_residual(design: _Design, solution: Any) -> Any:
    """Xᵀ(y - Xβ), every product and sum in doubled precision (Dekker 1971; Ogita, Rump & Oishi 2005)."""
    import numpy as np

    totals = np.zeros(len(solution))
    lows = np.zeros(len(solution))
    for x, y in design:
        residual, low = y.copy(), np.zeros_like(y)
        for j, coefficient in enumerate(solution):
            product, error = _two_product(-coefficient, x[:, j])
            residual, rounding = _two_sum(residual, product)
            low += error + rounding
        residual, low = _two_sum(residual, low)
        for j in range(len(solution)):
            product, error = _two_product(x[:, j], residual)
            error = error + x[:, j] * low
            high, rest = _exact_sum(product)
            total, rounding = _two_sum(totals[j], high)
            totals[j] = total
            lows[j] += rounding + rest + float(np.sum(error))
    return totals + lows


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _split(a: Any) -> tuple[Any, Any]:
    shifted = 134217729.0 * a
    high = shifted - (shifted - a)
    return high, a - high


def _two_product(a: Any, b: Any) -> tuple[Any, Any]:
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _exact_sum(values: Any) -> tuple[float, float]:
    """The sum of an array as two doubles: halves are added with their rounding errors until one is left."""
    import numpy as np

    low = 0.0
    while len(values) > 1:
        half = len(values) // 2
        rest = values[2 * half :]
        values, errors = _two_sum(values[:half], values[half : 2 * half])
        low += float(np.sum(errors))
        values = np.concatenate([values, rest])
    return float(values[0]), low
