"""Problem: symbols only.  A cost (or the loss of one row) and its variables; no data, no numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

from descend.errors import FormulaError, UnavailableError, printable, unknown_name
from descend.expression import binders
from descend.expression.derivative import Gradient, full_gradient
from descend.expression.shifted import shift_exponentials
from descend.expression.stabilise import stabilise
from descend.expression.tape import Formula, Tape, natural
from descend.problem.layout import Extent, Labels, Layout


@dataclass(frozen=True)
class Problem:
    """A cost to be minimised.

    `root` is the cost as it is minimised (maximising has flipped its sign, once, here).  With `columns`, it is the
    loss of one row, and the cost is its sum (or, with `mean`, its mean) over the rows.

    A variable that is in `extents` is an array; `indexed` says that the cost has sums or products over an index, or
    entries of arrays, so that it needs an objective of its own.  `penalty` is what was added to the cost, if anything,
    and `kinked` a penalty that is not part of it because it has kinks (`penalty.KinkedPenalty`).
    """

    tape: Tape
    root: int
    variables: tuple[str, ...]
    columns: tuple[str, ...] = ()
    mean: bool = False
    maximise: bool = False
    notes: tuple[str, ...] = ()
    extents: Mapping[str, Extent] = field(default_factory=dict)
    indexed: bool = False
    penalty: int | None = None
    kinked: Any = None

    @cached_property
    def layout(self) -> Layout:
        """Where each variable stands in the vector."""
        return Layout(tuple((name, self.extents.get(name)) for name in self.variables))

    @property
    def labels(self) -> tuple[str, ...] | Labels:
        """The name of each entry of the vector."""
        return self.layout.labels if self.extents else self.variables

    @property
    def symbols(self) -> list[int]:
        """Entries of the variables that are numbers."""
        return [self.tape.symbol(name) for name in self.variables if name not in self.extents]

    @cached_property
    def full_gradient(self) -> Gradient:
        """The derivatives in all variables (differentiated once)."""
        return full_gradient(self.tape, self.root, self.symbols, tuple(self.extents))

    @property
    def gradient(self) -> list[int]:
        """Entries of the derivatives in the variables that are numbers."""
        return self.full_gradient.slopes

    @cached_property
    def rough(self) -> frozenset[str]:
        """What derivatives at a point do not see: a "kink" as abs has it, perhaps a "jump" as sign has it."""
        present = {self.tape[entry].op for entry in self.tape.reachable((self.root,))}
        kinds = {"kink": {"abs", "min", "max"}, "jump": {"sign", "floor", "ceil", "where"}}
        return frozenset(kind for kind, ops in kinds.items() if present & ops)

    @property
    def user_root(self) -> int:
        """The cost in the user's sign."""
        return self.tape.neg(self.root) if self.maximise else self.root


def replace_names(
    formula: Formula, values: Mapping[str, float | Fraction], formulas: Mapping[str, Formula] | None = None
) -> Formula:
    """Return the formula with names replaced by numbers (constants, fixed variables) and by formulas (tied ones)."""
    tape, root = formula
    present = tape.symbols((root,))
    replacements: dict[int, int] = {}
    tied = formulas or {}
    for name, other in tied.items():
        _must_occur(name, present, tape, root)
        replacements[present[name]] = tape.graft(other.tape, other.root)
    mentioned = tape.symbols([root, *replacements.values()])  # a tied formula may mention fixed names
    for name, value in values.items():
        _must_occur(name, mentioned, tape, root)
        replacements[mentioned[name]] = tape.constant(value)
    if not replacements:
        return formula
    # A tied formula may mention fixed names, and the other way round: replace until nothing changes.
    for _ in range(len(replacements)):
        new = tape.substitute((root,), replacements)[0]
        if new == root:
            break
        root = new
    if any(entry in tape.symbols((root,)).values() for entry in replacements):
        raise FormulaError("the tied variables refer to each other in a circle")
    return Formula(tape, root)


def _must_occur(name: str, present: Mapping[str, int], tape: Tape, root: int) -> None:
    if name in tape.arrays((root,)):
        raise UnavailableError(
            f"{printable(name)} is an array: it cannot be fixed or tied in this version (constants go into data=)"
        )
    if name not in present:
        raise FormulaError(unknown_name(name, present, "the formula has no variable"))


def make_problem(
    formula: Formula,
    *,
    variables: Sequence[str] | None = None,
    maximise: bool = False,
    notes: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    keep_as_written: bool = False,
) -> Problem:
    """Make a problem of a cost formula.

    `variables` gives their order and must name every symbol and array of the formula (default: all, in natural
    order); the arrays in `data` are constants.  Forms that lose digits are replaced, unless `keep_as_written`.
    Raises `FormulaError` for a cost without variables, or one that lacks a named variable, and `DataError` for data
    that are too short.
    """
    tape, root = formula
    given = dict(data or {})
    arrays = tape.arrays((root,))
    extents: dict[str, Extent] = {}
    indexed = any(tape[k].op in binders.BINDERS or tape[k].op == "access" for k in tape.reachable((root,)))
    if indexed:
        from descend.problem.extents import array_extents  # NumPy is needed from here on

        _no_variables_in_places(tape, root)
        extents = array_extents(tape, root, given)
    present = tuple(sorted([*formula.names, *(a for a in arrays if a not in given)], key=natural))
    _no_name_twice(present, arrays)
    order = present if variables is None else tuple(variables)
    if len(set(order)) != len(order):
        raise FormulaError("a variable is named twice")
    for name in order:
        if name not in present:
            raise FormulaError(unknown_name(name, present, "the cost does not contain the variable"))
    missing = [name for name in present if name not in order]
    if missing:
        raise FormulaError(
            f"the cost also contains {', '.join(map(printable, missing))}: name it in variables=, "
            "or give it a value with constants= or fixed="
        )
    if not order:
        raise FormulaError("the cost is a constant: it contains no variable, so there is nothing to descend")
    if not keep_as_written:
        root = stabilise(tape, root)
        if indexed:
            root = shift_exponentials(tape, root)
    return Problem(
        tape,
        tape.neg(root) if maximise else root,
        order,
        maximise=maximise,
        notes=tuple(notes),
        extents=extents,
        indexed=indexed,
    )


def _no_name_twice(present: Sequence[str], arrays: Sequence[str]) -> None:
    for name, following in pairwise(present):
        if name == following:
            shown = printable(name)
            raise FormulaError(f"{shown} is used as a number and as an array, {shown}[...]: give one another name")
    for name in present:
        if name.endswith("]") and name.partition("[")[0] in arrays:
            raise FormulaError(f"the variable called {printable(name)} could be an entry of an array: rename it")


def _no_variables_in_places(tape: Tape, root: int) -> None:
    """Refuse bounds and indices with names that have no value yet."""
    for index in tape.reachable((root,)):
        entry = tape[index]
        ends = entry.args[-2:] if entry.op in binders.BINDERS else entry.args if entry.op == "access" else ()
        names = [printable(name) for name in tape.symbols(ends)]
        if names:
            what = f"the index of {printable(str(entry.value))}[...]" if entry.op == "access" else "a bound of a sum"
            raise FormulaError(
                f"{what} contains {', '.join(names)}, which has no value: give it one, constants={{{names[0]!r}: 10}}"
            )
