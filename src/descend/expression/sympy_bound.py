"""The SymPy door, inwards: sums, products and entries of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from descend.errors import FormulaError, printable
from descend.expression import binders
from descend.expression.tape import Tape
from descend.expression.whole import BOUND, PLACE, Restriction, objection


def levels(nodes: Iterable[Any]) -> dict[Any, int]:
    """Return the indices that the sums and products among `nodes` bind, each with a level of its own."""
    import sympy

    found: dict[Any, int] = {}
    for node in nodes:
        if isinstance(node, (sympy.Sum, sympy.Product)):
            for limit in reversed(node.limits):
                if len(limit) != 3 or not isinstance(limit[0], (sympy.Symbol, sympy.Idx)):
                    raise FormulaError("a sum needs an index and both of its bounds: sympy.Sum(x[i], (i, 0, n - 1))")
                found.setdefault(limit[0], binders.OPEN + len(found))
    return found


def operands(node: Any) -> tuple[Any, ...] | None:
    """Return the parts of a sum, product or array entry that are read: body and bounds, or the place."""
    import sympy

    match node:
        case sympy.Sum() | sympy.Product():
            return (node.function, *(bound for limit in node.limits for bound in limit[1:]))
        case sympy.Indexed():
            if not isinstance(node.base, sympy.IndexedBase):
                raise FormulaError("an entry is one of an array with a name: sympy.IndexedBase('x')[i]")
            if len(node.indices) != 1:
                raise FormulaError("an array has one index; of a table with rows of 3, write a[3*i + j]")
            return tuple(node.indices)
    return None


def whole(node: Any) -> tuple[Any, ...]:
    """Return the operands of a node that stand for whole numbers: bounds and places."""
    import sympy

    match node:
        case sympy.Sum() | sympy.Product():
            return tuple(bound for limit in node.limits for bound in limit[1:])
        case sympy.Indexed():
            return tuple(node.indices)
    return ()


def bind(tape: Tape, node: Any, args: list[int], indices: Mapping[Any, int]) -> int:
    """Return the entry of a sum or product; SymPy lists the innermost range first."""
    import sympy

    op = "sum" if isinstance(node, sympy.Sum) else "prod"
    result, *bounds = args
    for bound in bounds:
        _check_whole(tape, bound, BOUND)
    for limit, low, high in zip(node.limits, bounds[::2], bounds[1::2], strict=True):
        first, last = tape.value(low), tape.value(high)
        if first is not None and last is not None and last < first - 1:
            raise FormulaError(
                f"the range of {shown(limit[0])} runs from {first} down to {last}, which SymPy counts with the sign "
                "turned (Karr's convention) and descend as empty; write it upwards"
            )
        result = binders.bind(tape, op, indices[limit[0]], (result, low, high))
    return result


def access(tape: Tape, name: str, place: int) -> int:
    """Return the entry of ``name[place]``."""
    value = tape.value(place)
    if value is not None and value < 0:
        shown = printable(name)
        raise FormulaError(f"places are counted from 0; the last of n entries is {shown}[n - 1], not {shown}[{value}]")
    _check_whole(tape, place, PLACE)
    return tape.access(name, place)


def _check_whole(tape: Tape, found: int, restriction: Restriction) -> None:
    reason = objection(tape, found, restriction)
    if reason is not None:
        raise FormulaError(reason)


def shown(index: Any) -> str:
    """Return the name of an index as it can be shown."""
    return printable(getattr(index, "name", ""))
