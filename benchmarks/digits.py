"""Bits lost, of the 53 of a double, by formulas that cancel: as written and after `stabilise`, against mpmath.

The points are a logarithmic grid over 1e-300 … 1e300 (both signs where the domain has both) with random digits, and
fine grids around 0 and over the range where exponentials neither overflow nor vanish.  A bit is lost for each doubling
of the relative error beyond half a unit in the last place; a result that is not finite, or has the wrong sign or size,
has lost all 53.  Counted are the points where the true value is a normal number.  Points where the stable form loses
more than two bits, the condition number is above 16 and the true value changes its sign within a sixteenth of the
arguments are zero crossings: they are listed apart, with the condition number where most is lost beyond it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite, log2
from pathlib import Path
from typing import Any

import mpmath as mp

from descend.expression.derivative import gradient
from descend.expression.parse import parse
from descend.expression.stabilise import stabilise
from descend.expression.tape import Tape
from descend.kernel.interpret import Interpreter
from descend.kernel.program import lower
from tests.oracles.evaluate import evaluate

LEAST, LARGEST = sys.float_info.min, sys.float_info.max
ANY, POSITIVE, ABOVE, INSIDE = "any x", "x > 0", "x > -1", "|x| < 1"
FORMULAS = (
    ("log(1 + exp(x))", ANY), ("log(exp(x) + exp(y))", ANY), ("log(exp(x) + exp(y) + 1)", ANY), ("log(cosh(x))", ANY),
    ("1 - cos(x)", ANY), ("sqrt(1 + x^2) - 1", ANY), ("(exp(x) - 1)/x", ANY), ("1/(1 + exp(-x))", ANY),
    ("log(1/(1 + exp(-x)))", ANY), ("exp(x)/(exp(x) + exp(y))", ANY), ("1 - tanh(x)^2", ANY), ("log(1 + x)", ABOVE),
    ("exp(x) - 1", ANY), ("cosh(x) - 1", ANY), ("sqrt(1 + x) - 1", ABOVE), ("sqrt(x^2 + y^2)", ANY),
    ("log(1 - exp(-x))", POSITIVE), ("log(x + sqrt(1 + x^2))", ANY), ("log((1 + x)/(1 - x))", INSIDE),
    ("sqrt(x + 1) - sqrt(x)", POSITIVE), ("1/x - 1/(x + 1)", POSITIVE), ("1 - erf(x)", ANY),
)  # fmt: skip
ORDERS = ("value", "first", "second")
PAGE = Path(__file__).parent.parent / "docs" / "digits.md"
MARK = "<!-- measured by python -m benchmarks digits -->"


@dataclass
class Loss:
    """Bits lost at many points, and the worst of those at zero crossings."""

    bits: list[float] = field(default_factory=list)
    at: tuple[float, ...] = ()  # the point of the worst
    crossings: list[tuple[float, float]] = field(default_factory=list)  # (bits lost, condition number)

    def take(self, bits: float, point: tuple[float, ...]) -> None:
        """Count a point."""
        if bits > max(self.bits, default=-1.0):
            self.at = point
        self.bits.append(bits)

    @property
    def worst(self) -> float:
        """The most bits lost."""
        return max(self.bits, default=0.0)

    def __str__(self) -> str:
        return f"{sum(self.bits) / max(1, len(self.bits)):.1f} / {self.worst:.1f}"


def lost(value: float, right: Any) -> float:
    """Return how many of 53 bits are wrong."""
    if not isfinite(value):
        return 53.0
    error = abs(mp.mpf(value) - right) / abs(right)
    return min(53.0, max(0.0, log2(float(error)) + 53.0)) if error > 2.0**-53 else 0.0


def numbers(domain: str, quick: bool, rng: random.Random) -> list[float]:
    """Return the points of one variable."""
    step, fine = (25, 20) if quick else (2, 120)
    sizes = [rng.uniform(1, 10) * 10.0**k for k in range(-300, 300, step)]
    fine_grid = [reach * (k + rng.random()) / fine for reach in (1.5, 12, 740) for k in range(-fine, fine)]
    found = [*sizes, *(-s for s in sizes), *fine_grid, 1e-300, 1e300]
    if domain == INSIDE:
        found += [sign * (1 - s) for s in sizes if 1e-16 < s < 1 for sign in (1, -1)]
    inside = {ANY: lambda _: True, POSITIVE: lambda x: x > 0, ABOVE: lambda x: x > -1, INSIDE: lambda x: abs(x) < 1}
    return [x for x in found if inside[domain](x)]


def points(text: str, domain: str, quick: bool) -> list[tuple[float, ...]]:
    """Return the points of a formula; the second variable is as large, nearly equal, or anything."""
    rng = random.Random(1)  # noqa: S311 - points, not secrets
    xs = numbers(domain, quick, rng)
    if "y" not in text:
        return [(x,) for x in xs]
    xs = rng.sample(xs, len(xs) // 3)
    near = [x + rng.gauss(0, 1) for x in xs]
    close = [x * (1 + rng.gauss(0, 1) * 10.0 ** -rng.randrange(17)) for x in xs]
    other = rng.sample(xs, len(xs))
    found = [pair for ys in (near, close, other) for pair in zip(xs, ys, strict=True)]
    return [p for p in found if all(abs(c) < LARGEST for c in p)]


def digits_needed(point: Sequence[float], text: str) -> int:
    """Return the digits that evaluation as written needs to keep 30: cancellation of 1e-300 against 1, thrice over."""
    sizes = [abs(c) for c in point if c]
    near = max(0.0, -mp.log10(min(sizes)))
    large = 330 + 2.1 * max(0.0, mp.log10(max(sizes))) if max(sizes) > 2 else 0
    return int(60 + large + (4 if "/x" in text else 2.1) * near)


class Formula:
    """A formula, its stable form, and all derivatives up to the second of both."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tape, root = parse(text)
        self.names = tuple(self.tape.symbols((root,)))
        stable = stabilise(self.tape, root)
        self.written, self.orders = derivatives(self.tape, root, self.names)
        self.stable, _ = derivatives(self.tape, stable, self.names)
        self.run = Interpreter(lower(self.tape, [*self.written, *self.stable], self.names))

    def right(self, point: Sequence[float], digits: int = 0) -> list[Any]:
        """Return the true values, from the formula as written, in enough digits."""
        with mp.workdps(digits or digits_needed(point, self.text)):
            return evaluate(self.tape, self.written, dict(zip(self.names, point, strict=True)))

    def measure(self, where: Sequence[tuple[float, ...]]) -> list[tuple[Loss, Loss]]:
        """Return (as written, stable) for value, first and second derivatives."""
        losses = [(Loss(), Loss()) for _ in ORDERS]
        for point in where:
            right = self.right(point)
            values = self.run(point)
            half = len(right)
            for k, true in enumerate(right):
                if not LEAST <= abs(true) <= LARGEST:
                    continue
                pair = losses[self.orders[k]]
                bits = [lost(values[k], true), lost(values[half + k], true)]
                crossing = bits[1] > 2 and self.crosses(point, k) and (condition := self.condition(point, k)) > 16
                for loss, bit in zip(pair, bits, strict=True):
                    if crossing:
                        loss.crossings.append((bit, condition))
                    else:
                        loss.take(bit, point)
        return losses

    def crosses(self, point: Sequence[float], k: int) -> bool:
        """Whether an output changes its sign near a point."""
        signs = set()
        for factor in (15 / 16, 1, 17 / 16):
            for moved in ([c * factor for c in point], [point[0] * factor, *point[1:]]):
                signs.add(int(mp.sign(self.right(moved)[k])))
        return len(signs - {0}) > 1

    def condition(self, point: Sequence[float], k: int) -> float:
        """Return Σ |x·∂f/∂x / f| of an output, by differences."""
        base = self.right(point)[k]
        total = mp.mpf(0)
        for n, c in enumerate(point):
            with mp.workdps(digits_needed(point, self.text)):
                step = mp.mpf(c) * mp.mpf(2) ** -60
                moved = [*point[:n], mp.mpf(c) + step, *point[n + 1 :]]
            total += abs((self.right(moved)[k] - base) / base) * mp.mpf(2) ** 60
        return float(total)


def derivatives(tape: Tape, root: int, names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return value, gradient and Hessian (one triangle) as entries, and the order of each."""
    symbols = [tape.symbol(name) for name in names]
    slopes = gradient(tape, root, symbols)
    second = [entry for k, slope in enumerate(slopes) for entry in gradient(tape, slope, symbols[: k + 1])]
    return [root, *slopes, *second], [0] + [1] * len(slopes) + [2] * len(second)


def run(quick: bool) -> None:
    """Print the table; a full run also writes it into the documentation."""
    lines = [
        "| formula | x | value: written | stable | first: written | stable | second: written | stable |",
        "|---|---|---|---|---|---|---|---|",
    ]
    apart = ["| formula | order | points | bits lost | condition number |", "|---|---|---|---|---|"]
    count = 0
    for text, domain in FORMULAS:
        formula = Formula(text)
        where = points(text, domain, quick)
        count += len(where)
        losses = formula.measure(where)
        cells = [str(loss) for pair in losses for loss in pair]
        lines.append(f"| `{text}` | {domain.replace('|', '&#124;')} | {' | '.join(cells)} |")
        print(lines[-1], *(pair[1].at for pair in losses if pair[1].worst > 4), flush=True)
        for order, (_, stable) in zip(ORDERS, losses, strict=True):
            if stable.crossings:
                bits, condition = max(stable.crossings, key=lambda pair: pair[0] - log2(pair[1]))
                apart.append(f"| `{text}` | {order} | {len(stable.crossings)} | {bits:.1f} | {condition:.1e} |")
    print("\n".join(apart))
    if not quick:
        head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
        table = "\n".join([*lines, "", f"{count:,} points. At zero crossings:", "", *apart])
        PAGE.write_text(f"{head}{MARK}\n\n{table}\n", encoding="utf-8")
