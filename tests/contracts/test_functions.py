"""Every row of the table of functions is whole, and every reader of tapes can spell it."""

from __future__ import annotations

import re

import pytest
import sympy

from descend.expression import latex, write
from descend.expression.derivative import gradient
from descend.expression.functions import COMMUTATIVE, CONDITIONS, SPELLINGS, TABLE
from descend.expression.parse import parse
from descend.expression.sympy import from_sympy, to_sympy
from descend.expression.sympy_table import spellings
from descend.expression.tape import Tape
from tests.oracles.evaluate import OPERATIONS

ROWS = pytest.mark.parametrize("row", TABLE.values(), ids=list(TABLE))
# Two that are understood as others of the table when they come back: the way is not the same, the value is.
ELSEWHERE = {
    "log2",
    "log10",
    "log1p",
    "expm1",
    "cbrt",
    "sigmoid",
    "softplus",
    "logaddexp",
    "hypot",
    "logsumexp",
    "softmax",
    "dircos",
    "hypotm1",
    "sqrt1pm1",
    "versin",
    "coshm1",
    "logcosh",
    "log1mexp",
    "bose",
    "onemsq",
    "sharevar",
    "exprel",
    "exprel_diff",
    "chebyshevt_diff",
}
ORDERED = {"polygamma", "exprel_diff", "chebyshevt_diff"}  # whose first argument is a whole number


def call(row):
    """Return a tape with the row called on symbols or conditions."""
    tape = Tape()
    count = row.arity[0] if row.arity[1] is not None else 3
    args = [tape.symbol(f"x{k}") for k in range(count)]
    if row.name in ORDERED:
        args[0] = tape.constant(1)
    if row.name in {"and", "or", "not", "where"}:
        conditions = [tape.call("lt", arg, tape.constant(0)) for arg in args]
        args = conditions if row.name != "where" else [conditions[0], *args[1:]]
    return tape, tape.call(row.name, *args)


@ROWS
def test_says_what_it_is(row):
    assert row.name in TABLE
    assert row.meaning.strip()
    assert row.domain.strip()
    assert re.fullmatch(r"[a-z][a-z0-9_]*", row.name)
    least, most = row.arity
    assert least >= 0
    assert most is None or most >= least


@ROWS
def test_spellings_are_its_own(row):
    for spelling in (row.name, *row.aliases) if row.typed else ():
        assert SPELLINGS[spelling] == row.name
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", spelling)
    owners = [other.name for other in TABLE.values() for alias in (other.name, *other.aliases) if alias in row.aliases]
    assert set(owners) <= {row.name}


@ROWS
def test_has_a_partial_for_every_argument(row):
    tape, root = call(row)
    entry = tape[root]
    assert len(TABLE[entry.op].partials(tape, entry.args, root)) == len(entry.args)
    if row.name not in CONDITIONS:
        symbols = list(tape.symbols((root,)).values())
        assert len(gradient(tape, root, symbols)) == len(symbols)


@ROWS
def test_exact_values_are_right(row):
    for argument, value in row.exact.items():
        assert abs(OPERATIONS[row.name](float(argument)) - float(value)) < 1e-12


@ROWS
def test_every_reader_spells_it(row):
    assert row.name in write.WRITTEN
    assert row.name in latex.WRITTEN
    assert row.name in spellings()
    assert row.name in OPERATIONS
    tape, root = call(row)
    assert write.to_text(tape, root)
    assert write.to_latex(tape, root)
    assert isinstance(to_sympy(tape, root), sympy.Basic)


@ROWS
def test_text_and_sympy_bring_it_back(row):
    if row.name in CONDITIONS:
        return  # they stand inside where, which is tested
    tape, root = call(row)
    text = write.to_text(tape, root)
    assert write.to_text(*parse(text)) == text
    back = from_sympy(to_sympy(tape, root)).formula
    if row.name not in ELSEWHERE:
        assert write.to_text(*back) == text


@ROWS
def test_the_typed_are_typed(row):
    if row.typed and row.name not in {"where"} | ORDERED:
        count = row.arity[0]
        tape, root = parse(f"{row.name}({', '.join(f'x{k}' for k in range(count))})")
        assert tape[root].op == row.name or count == 1


def test_nothing_is_spelled_that_does_not_exist():
    for names in (write.WRITTEN, latex.WRITTEN, spellings().keys(), OPERATIONS.keys()):
        assert set(names) <= TABLE.keys()
    assert set(TABLE) >= COMMUTATIVE | CONDITIONS
    assert len(set(SPELLINGS)) == len(SPELLINGS)
