"""The SymPy door, inwards: which names the symbols, arrays and indices of an expression have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from descend.errors import FormulaError, printable


class Names(NamedTuple):
    """Symbol or IndexedBase → its name, and what has to be said about them."""

    symbols: dict[Any, str]
    arrays: dict[Any, str]
    notes: tuple[str, ...]

    @property
    def owners(self) -> dict[str, Any]:
        """Name → the user's own Symbol or IndexedBase."""
        return {name: thing for things in (self.symbols, self.arrays) for thing, name in things.items()}


def name_everything(
    symbols: Iterable[Any], arrays: Iterable[Any], indices: Iterable[Any], whole: Iterable[Any]
) -> Names:
    """Choose the name of every Symbol and IndexedBase: its own, and for a Dummy one that is free.

    `indices` are the indices of sums, which need no name of their own; `whole` those symbols that may be integers.
    Raises `FormulaError` where two have one name, and for what cannot be a real number.
    """
    import sympy

    found, allowed = list(dict.fromkeys(symbols)), set(whole)
    owners: dict[str, Any] = {}
    notes: list[str] = []
    for array in dict.fromkeys(arrays):
        shown = _check(array.label, integers=True)
        if owners.setdefault(array.label.name, array) != array:
            raise FormulaError(f"two different arrays are called {shown} (their shapes or assumptions differ)")
        notes += _notes(array.label, shown)
    named = dict(owners)
    for symbol in found:
        if isinstance(symbol, sympy.Dummy):
            continue
        shown = _check(symbol, integers=symbol in allowed)
        if symbol.name in named:
            raise FormulaError(f"{shown} is an array ({shown}[i]) and a number in this expression; rename one")
        if owners.setdefault(symbol.name, symbol) != symbol:
            raise FormulaError(f"two different symbols are called {shown} (their assumptions differ); rename one")
        notes += [] if symbol in allowed else _notes(symbol, shown)
    for index in dict.fromkeys(indices):
        label = index.label if isinstance(index, sympy.Idx) else index
        if not isinstance(label, sympy.Dummy) and owners.get(label.name, label) != label:
            raise FormulaError(f"{printable(label.name)} is the index of a sum and something else too; rename one")
    for symbol in found:
        if not isinstance(symbol, sympy.Dummy):
            continue
        shown = _check(symbol, integers=symbol in allowed)
        count = 1
        while f"{symbol.name}_{count}" in owners:
            count += 1
        owners[f"{symbol.name}_{count}"] = symbol
        notes += [f"the dummy {shown} is called {shown}_{count} here", *_notes(symbol, shown)]
    return Names(
        {thing: name for name, thing in owners.items() if name not in named},
        {thing: name for name, thing in named.items()},
        tuple(notes),
    )


def _check(symbol: Any, *, integers: bool) -> str:
    """Refuse a symbol that cannot be a real number; return its name as it can be shown."""
    import sympy

    if not isinstance(symbol, sympy.Symbol):
        raise FormulaError("an array is called by a plain name: sympy.IndexedBase('x')")
    name = symbol.name
    shown = printable(name)
    if not name or "`" in name or not name.isprintable():
        raise FormulaError(f"a symbol's name must be printable and without backticks, unlike '{shown}'")
    if isinstance(symbol, sympy.Wild):
        raise FormulaError(f"{shown} is a Wild, a pattern; use a Symbol")
    if not symbol.is_commutative:
        raise FormulaError(f"the symbol {shown} does not commute; numbers do")
    if symbol.is_integer and not integers:
        raise FormulaError(
            f"the symbol {shown} is an integer; a descent moves through real numbers (real=True), and a constant is "
            f"given in constants="
        )
    if symbol.is_real is False or symbol.is_extended_real is False or (symbol.is_complex and not symbol.is_real):
        raise FormulaError(f"the symbol {shown} is not assumed to be real; a descent moves through real numbers")
    return shown


def _notes(symbol: Any, shown: str) -> list[str]:
    """Say what is not enforced.  The sign of a symbol is a bound, which the doors enforce (see `declared_sign`)."""
    if symbol.is_nonzero and declared_sign(symbol) is None:
        return [f"the assumption nonzero on {shown} is not enforced in this version"]
    return []


def declared_sign(owner: Any) -> str | None:
    """Return the sign that a Symbol (or the entries of an IndexedBase) is assumed to have: "positive", ...; or None."""
    symbol = getattr(owner, "label", owner)
    for assumption in ("positive", "negative", "nonnegative", "nonpositive"):
        if getattr(symbol, f"is_{assumption}", None):
            return assumption
    return None
