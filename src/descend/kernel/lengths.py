"""Lengths of vectors, in machine code, as `Vector` has them."""

from __future__ import annotations

from descend.kernel.lower import Body, double

INFINITY = double(float("inf"))


def squares(b: Body, entries: list[str]) -> str:
    """Write the sum of squares, added from the first to the last."""
    total, *others = [b.emit(f"fmul double {entry}, {entry}") for entry in entries]
    for other in others:
        total = b.emit(f"fadd double {total}, {other}")
    return total


def norm(b: Body, entries: list[str], block: str) -> str:
    """Write the Euclidean length of a vector, free of overflow and underflow, as `Vector.norm` has it, into `block`."""
    sizes = [b.intrinsic("fabs", e) for e in entries]
    if len(entries) == 1:
        return sizes[0]  # the root of the square is the same double wherever the square is normal
    square = squares(b, entries)
    plain = b.intrinsic("sqrt", square)
    # Most often the sum alone says that the largest entry is between 1e-150 and 1e150.
    inside = b.emit(f"fcmp ogt double {square}, {double(len(entries) * 1.1e-300)}")
    inside = b.emit(f"and i1 {inside}, {b.emit(f'fcmp olt double {square}, {double(0.9e300)}')}")
    b.write(f"br i1 {inside}, label %measured, label %measure")
    b.label("measure")
    largest = sizes[0]
    for size in sizes[1:]:
        largest = b.intrinsic("maximum", largest, size)
    inside = b.emit(f"fcmp ogt double {largest}, {double(1e-150)}")
    inside = b.emit(f"and i1 {inside}, {b.emit(f'fcmp olt double {largest}, {double(1e150)}')}")
    b.write(f"br i1 {inside}, label %measured, label %scale")
    b.label("scale")
    root = b.intrinsic("sqrt", squares(b, [b.emit(f"fdiv double {e}, {largest}") for e in entries]))
    scaled = b.emit(f"fmul double {largest}, {root}")
    usable = b.emit(f"fcmp one double {largest}, {double(0.0)}")
    usable = b.emit(f"and i1 {usable}, {b.emit(f'fcmp olt double {largest}, {INFINITY}')}")
    scaled = b.emit(f"select i1 {usable}, double {scaled}, double {largest}")  # 0, inf and NaN are their own length
    b.write("br label %measured")
    b.label("measured")
    return b.emit(f"phi double [{plain}, %{block}], [{plain}, %measure], [{scaled}, %scale]")
