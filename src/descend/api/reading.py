"""What the doors share: reading a cost in any of its forms, and refusing what this version does not have."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from descend.errors import DataError, FormulaError, MethodError, StartError, UnavailableError, printable, unknown_name
from descend.expression.limits import STANDARD, Limits
from descend.expression.parse import parse
from descend.expression.tape import Formula
from descend.expression.tokens import tokenise
from descend.problem.parameters import number, real_array
from descend.problem.problem import replace_names

LONE_E = re.compile(r"[eE](?![A-Za-z0-9_])")  # in any text that has a name e


@dataclass(frozen=True)
class Reading:
    """A cost as a formula, with the user's own SymPy symbols (if any) and what has to be said about the reading."""

    formula: Formula
    symbols: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_cost(
    cost: Any, *, names: Collection[str] = (), given: Collection[str] = (), limits: Limits | None = None
) -> Reading:
    """Read text, a SymPy expression or a plain Python function; symbols that are `given` a value may be integers.

    Raises `FormulaError`.
    """
    check_settings(None, limits)
    limits = limits or STANDARD
    if isinstance(cost, str):
        formula = parse(cost, names=names, limits=limits)
        return Reading(formula, {}, euler_note(cost, names, limits))
    from descend.expression.sympy import from_sympy, is_sympy

    if is_sympy(cost):
        read = from_sympy(cost, limits, given)
        return Reading(read.formula, read.symbols, read.notes)
    if callable(cost):
        from descend.expression.function import from_function

        return Reading(from_function(cost, limits))
    kind = printable(type(cost).__name__)
    raise FormulaError(f"a cost is text such as 'x^2', a SymPy expression or a function, not {kind}")


def euler_note(text: str, names: Collection[str], limits: Limits) -> tuple[str, ...]:
    """Say when a letter e was read as Euler's number."""
    if not LONE_E.search(text):
        return ()
    letters = {t.text for t in tokenise(text, limits) if t.kind == "name" and t.text in {"e", "E"}} - set(names)
    return tuple(
        f"{letter} is Euler's number here (give {letter} a start or a value to make it a name)"
        for letter in sorted(letters)
    )


SIGNS = {"positive": (0.0, None), "nonnegative": (0.0, None), "negative": (None, 0.0), "nonpositive": (None, 0.0)}


def declared_bounds(symbols: Mapping[str, Any], names: Collection[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the bounds that SymPy symbols declare, of the variables `names`, and what has to be said about them."""
    if not symbols:
        return {}, ()
    from descend.expression.sympy_symbols import declared_sign

    signs = {name: declared_sign(symbols[name]) for name in names if name in symbols}
    found = {name: sign for name, sign in signs.items() if sign is not None}
    notes = tuple(
        f"{printable(name)} is declared {sign}: its {'lower' if sign in {'positive', 'nonnegative'} else 'upper'} "
        "bound is 0"
        for name, sign in found.items()
    )
    return {name: SIGNS[sign] for name, sign in found.items()}, notes


def unbounded_notes(symbols: Mapping[str, Any], door: str) -> tuple[str, ...]:
    """Return what a door without bounds has to say about symbols that are declared positive or negative."""
    bounds, _ = declared_bounds(symbols, list(symbols))
    return tuple(f"{door} has no bounds: what {printable(name)} is declared to be is not enforced" for name in bounds)


def name_of(symbol: Any) -> str:
    """Return the name of a variable given as text or as a SymPy symbol."""
    return str(getattr(symbol, "name", symbol))


def named_numbers(values: Any, what: str) -> dict[str, float]:
    """Return a mapping name → number with plain names."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise StartError(f"{what} is a mapping from names to numbers")
    return {name_of(k): number(v, f"{what} of {printable(name_of(k))}") for k, v in values.items()}


def constant_arrays(data: Any) -> dict[str, Any]:
    """Return the constant arrays of a formula as float64: a mapping from names to sequences of finite numbers.

    Raises `DataError`.
    """
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise DataError("data is a mapping from the names of constant arrays to their numbers: data={'c': [1, 2, 3]}")
    import numpy as np

    arrays = {}
    for key, values in data.items():
        name = name_of(key)
        try:
            array = np.array(real_array(values))  # a copy: what the user does with his own later is his business
        except (TypeError, ValueError, OverflowError):
            raise DataError("a constant array holds real numbers", column=name) from None
        if array.ndim != 1:
            raise DataError(f"a constant array has one dimension, not {array.ndim}", column=name)
        if not np.isfinite(array).all():
            row = int(np.flatnonzero(~np.isfinite(array))[0])
            raise DataError(f"entry {row} is not a finite number", column=name)
        arrays[name] = array
    return arrays


def start_names(start: Any) -> list[str]:
    """Return the names that a start mentions."""
    return [name_of(k) for k in start] if isinstance(start, Mapping) else []


def order_of(variables: Iterable[Any] | None) -> list[str] | None:
    """Return the names in `variables=`, which may be one name, or names and SymPy symbols."""
    if variables is None:
        return None
    if isinstance(variables, str) or not isinstance(variables, Iterable):
        return [name_of(variables)]
    return [name_of(v) for v in variables]


def prepared(
    reading: Reading,
    *,
    constants: Any = None,
    fixed: Any = None,
    tied: Any = None,
    arrays: Collection[str] = (),
    limits: Limits | None = None,
) -> Formula:
    """Return the formula with constants and fixed variables put in as numbers, tied ones as formulas.

    Raises `FormulaError` for names it does not have, those of the constant `arrays` included.
    """
    present = reading.formula.tape.arrays((reading.formula.root,)) if arrays else ()
    for name in arrays:  # asked before numbers are put in: a sum that is empty for them reads no array any more
        if name not in present:
            raise FormulaError(unknown_name(name, present, "the formula has no array"))
    numbers = named_numbers(constants, "constants")
    held = named_numbers(fixed, "fixed")
    tied_names = [name_of(k) for k in tied] if isinstance(tied, Mapping) else []
    for name in [*held, *tied_names]:
        if name in numbers or (name in held and name in tied_names):
            raise FormulaError(f"{printable(name)} is given two values: name it once, in constants=, fixed= or tied=")
    numbers |= held
    formulas: dict[str, Formula] = {}
    if tied is not None:
        if not isinstance(tied, Mapping):
            raise FormulaError("tied is a mapping from names to formulas")
        formulas = {name_of(k): read_cost(v, names=tied, limits=limits).formula for k, v in tied.items()}
    return replace_names(reading.formula, numbers, formulas)


LATER = "is not in this version"


def refuse(**arguments: tuple[Any, Any, str]) -> None:
    """Raise `UnavailableError` for an argument of a later version that is not at its default.

    Each argument: (value, default, what to do meanwhile).
    """
    for name, (value, default, instead) in arguments.items():
        same = value is default or (isinstance(value, (bool, int)) and value == default)  # arrays do not compare so
        if not same:
            raise UnavailableError(f"{name}= {LATER}; {instead}")


def positive_count(value: Any, what: str, least: int = 0) -> int:
    """Return a whole number ≥ `least`, or raise `MethodError`."""
    if isinstance(value, bool) or type(value).__name__ == "ndarray" or not hasattr(value, "__index__"):
        if isinstance(value, float) and value.is_integer():  # 1e6 looks are what a person means
            value = int(value)
        else:
            raise MethodError(f"{what} must be a whole number, not {printable(repr(value))}")
    try:
        result = int(value.__index__())
    except TypeError:
        raise MethodError(f"{what} must be a whole number, not {printable(repr(value))}") from None
    if result > 10**18:
        raise MethodError(f"{what} may be at most 10^18")
    if result < least:
        raise MethodError(f"{what} must be at least {least}, not {result}")
    return result


def check_settings(callback: Any, limits: Any) -> None:
    """Refuse a callback that cannot be called and limits that are none (`MethodError`)."""
    if callback is not None and not callable(callback):
        raise MethodError("callback must be a function of one argument, or None")
    if limits is not None and not isinstance(limits, Limits):
        raise MethodError("limits must be made with descend.Limits(...), or None")


def setting(value: Any, what: str) -> bool:
    """Return True or False, or raise `MethodError`."""
    if not isinstance(value, bool):
        raise MethodError(f"{what} must be True or False, not {printable(repr(value), 40)}")
    return value


def any_number(value: Any, what: str) -> float:
    """Return a finite number, or raise `MethodError`."""
    try:
        return number(value, what)
    except StartError as error:
        raise MethodError(str(error)) from None


def positive_number(value: Any, what: str) -> float | None:
    """Return a number > 0, or None for None; raise `MethodError` otherwise."""
    if value is None:
        return None
    result = any_number(value, what)
    if result <= 0:
        raise MethodError(f"{what} must be greater than 0, not {result}")
    return result


def learning_rate_of(value: Any) -> float | str | None:
    """Return a learning rate: None, a formula of k as text, or a finite number (0 and below are refused)."""
    return value if isinstance(value, str) else positive_number(value, "learning_rate")
