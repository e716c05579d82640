"""Formulas on vectors of doubles, written as LLVM IR with Python's operators.

``+``, ``-`` and ``*`` may be contracted to a fused multiply-add, where the target has one; nothing else is allowed to
change them.  `plain_add` and its kind are for what must be rounded as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from descend.kernel.lower import Body

FUSE = "contract"
SIGN = 1 << 63
HALF = 0xFFFFFFFFF8000000
UPPER = 0xFFFFFFFF00000000  # of a double these bits have 21 of its 53 digits


class Avx512Body(Body):
    """A function on vectors of eight doubles for a processor with AVX-512, which scales by a power of two at once."""

    def scalef(self, x: str, k: str) -> str:
        """Return x·2^k, rounded once: also where that overflows or is not normal."""
        name = "llvm.x86.avx512.mask.scalef.pd.512"
        self.declared.add(f"declare {self.kind} @{name}({self.kind}, {self.kind}, {self.kind}, i8, i32) #1")
        given = ", ".join(f"{self.kind} {a}" for a in (x, k, x))
        return self.emit(f"call {self.kind} @{name}({given}, i8 -1, i32 4) #1")


@dataclass(frozen=True)
class Truth:
    """A truth value in each lane."""

    body: Body
    name: str

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.body, self.body.emit(f"and {self.body.truth} {self.name}, {other.name}"))

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.body, self.body.emit(f"or {self.body.truth} {self.name}, {other.name}"))

    def __invert__(self) -> Truth:
        return Truth(self.body, self.body.instruction("not", [self.name]))

    def where(self, yes: Vector | float, no: Vector | float) -> Vector:
        """Take `yes` where true, `no` elsewhere."""
        b = self.body
        a, c = (x.name if isinstance(x, Vector) else b.number(x) for x in (yes, no))
        return Vector(b, b.emit(f"select {b.truth} {self.name}, {b.kind} {a}, {b.kind} {c}"))


@dataclass(frozen=True)
class Bits:
    """The 64 bits of each lane, as whole numbers that wrap round."""

    body: Body
    name: str

    @staticmethod
    def kind(body: Body) -> str:
        """Return LLVM's type of them."""
        return f"<{body.lanes} x i64>" if body.lanes > 1 else "i64"

    def _with(self, op: str, other: Bits | int) -> Bits:
        right = other.name if isinstance(other, Bits) else _whole(self.body, other)
        return Bits(self.body, self.body.emit(f"{op} {self.kind(self.body)} {self.name}, {right}"))

    def __add__(self, other: Bits | int) -> Bits:
        return self._with("add", other)

    def __sub__(self, other: Bits | int) -> Bits:
        return self._with("sub", other)

    def __rsub__(self, other: int) -> Bits:
        b = self.body
        return Bits(b, b.emit(f"sub {Bits.kind(b)} {_whole(b, other)}, {self.name}"))

    def __and__(self, other: Bits | int) -> Bits:
        return self._with("and", other)

    def __or__(self, other: Bits | int) -> Bits:
        return self._with("or", other)

    def __xor__(self, other: Bits | int) -> Bits:
        return self._with("xor", other)

    def __lshift__(self, places: int) -> Bits:
        return self._with("shl", places)

    def __rshift__(self, places: int) -> Bits:
        """Shift zeros in from the left: what every vector unit can do."""
        return self._with("lshr", places)

    def is_zero(self) -> Truth:
        """Whether no bit is set."""
        b = self.body
        return Truth(b, b.emit(f"icmp eq {Bits.kind(b)} {self.name}, {_whole(b, 0)}"))

    def vector(self) -> Vector:
        """Return the doubles that have these bits."""
        b = self.body
        return Vector(b, b.emit(f"bitcast {Bits.kind(b)} {self.name} to {b.kind}"))


@dataclass(frozen=True)
class Vector:
    """A double in each lane."""

    body: Body
    name: str

    def _with(self, op: str, other: Vector | float, *, turned: bool = False) -> Vector:
        b = self.body
        pair = [self.name, other.name if isinstance(other, Vector) else b.number(other)]
        if turned:
            pair.reverse()
        return Vector(b, b.emit(f"{op} {b.kind} {pair[0]}, {pair[1]}"))

    def __add__(self, other: Vector | float) -> Vector:
        return self._with(f"fadd {FUSE}", other)

    def __radd__(self, other: float) -> Vector:
        return self._with(f"fadd {FUSE}", other, turned=True)

    def __sub__(self, other: Vector | float) -> Vector:
        return self._with(f"fsub {FUSE}", other)

    def __rsub__(self, other: float) -> Vector:
        return self._with(f"fsub {FUSE}", other, turned=True)

    def __mul__(self, other: Vector | float) -> Vector:
        return self._with(f"fmul {FUSE}", other)

    def __rmul__(self, other: float) -> Vector:
        return self._with(f"fmul {FUSE}", other)

    def __truediv__(self, other: Vector | float) -> Vector:
        return self._with("fdiv", other)

    def __rtruediv__(self, other: float) -> Vector:
        return self._with("fdiv", other, turned=True)

    def __neg__(self) -> Vector:
        return Vector(self.body, self.body.emit(f"fneg {self.body.kind} {self.name}"))

    def __abs__(self) -> Vector:
        return Vector(self.body, self.body.intrinsic("fabs", self.name))

    def plain_add(self, other: Vector | float) -> Vector:
        """Add, never fused."""
        return self._with("fadd", other)

    def plain_sub(self, other: Vector | float) -> Vector:
        """Subtract, never fused."""
        return self._with("fsub", other)

    def _compare(self, test: str, other: Vector | float) -> Truth:
        return Truth(self.body, self._with(f"fcmp {test}", other).name)

    def __lt__(self, other: Vector | float) -> Truth:
        return self._compare("olt", other)

    def __le__(self, other: Vector | float) -> Truth:
        return self._compare("ole", other)

    def __gt__(self, other: Vector | float) -> Truth:
        return self._compare("ogt", other)

    def __ge__(self, other: Vector | float) -> Truth:
        return self._compare("oge", other)

    def equals(self, other: Vector | float) -> Truth:
        """Whether equal; false for NaN."""
        return self._compare("oeq", other)

    def differs(self, other: Vector | float) -> Truth:
        """Whether not equal; true for NaN."""
        return self._compare("une", other)

    def sqrt(self) -> Vector:
        """Return the square root, correctly rounded."""
        return Vector(self.body, self.body.intrinsic("sqrt", self.name))

    def clamped(self, low: float, high: float) -> Vector:
        """Return the nearest number in [low, high]; NaN stays (which is what a vector unit's own min and max do)."""
        above = (self < low).where(low, self)
        return (above > high).where(high, above)

    def bits(self) -> Bits:
        """Return the 64 bits of each lane."""
        b = self.body
        return Bits(b, b.emit(f"bitcast {b.kind} {self.name} to {Bits.kind(b)}"))

    def first_half(self) -> Vector:
        """Return the first 26 of 53 bits: products of such numbers are exact."""
        return (self.bits() & HALF).vector()

    def polynomial(self, coefficients: Sequence[float]) -> Vector:
        """Return c₀ + c₁·x + c₂·x² + …, even and odd powers apart: two chains run side by side."""
        if len(coefficients) < 4:
            return _horner(self, coefficients)
        square = self * self
        return _horner(square, coefficients[::2]) + self * _horner(square, coefficients[1::2])


def _horner(x: Vector, coefficients: Sequence[float]) -> Vector:
    total = coefficients[-2] + x * coefficients[-1]
    for c in coefficients[-3::-1]:
        total = c + x * total
    return total


def with_sign_of(size: Vector, x: Vector) -> Vector:
    """Return `size`, turned round where `x` has its sign bit set."""
    return (size.bits() ^ (x.bits() & SIGN)).vector()


def _whole(body: Body, value: int) -> str:
    value = (value + (1 << 63)) % (1 << 64) - (1 << 63)  # LLVM writes them signed
    return f"splat (i64 {value})" if body.lanes > 1 else str(value)
