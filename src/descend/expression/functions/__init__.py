"""THE table: everything mathematical that is known about each function, one row each, a file a family.

Kernel, writers and SymPy's reader keep their own spellings; a contract test checks that no cell is empty.
"""

from __future__ import annotations

from descend.expression.functions import elementary, operators, piecewise, special, stable, trigonometric
from descend.expression.functions.base import Curvature, Function, Monotone
from descend.expression.functions.piecewise import CONDITIONS

TABLE: dict[str, Function] = {
    function.name: function
    for family in (operators, elementary, trigonometric, piecewise, special, stable)
    for function in family.ROWS
}

# What a person may write → the name of the row.
SPELLINGS: dict[str, str] = {
    spelling: function.name
    for function in TABLE.values()
    if function.typed
    for spelling in (function.name, *function.aliases)
}

COMMUTATIVE = frozenset({"add", "mul", "min", "max", "and", "or", "hypot", "logaddexp", "logsumexp", "sharevar", "eq"})

__all__ = ["COMMUTATIVE", "CONDITIONS", "SPELLINGS", "TABLE", "Curvature", "Function", "Monotone"]
