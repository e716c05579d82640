"""Problem: symbols only.  A cost (or the loss of one row) and its variables; no data, no numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from descend.errors import FormulaError, nearest, printable
from descend.expression.derivative import gradient
from descend.expression.tape import Formula, Tape


@dataclass(frozen=True)
class Problem:
    """A cost to be minimised.

    `root` is the cost as it is minimised (maximising has flipped its sign, once, here).  With `columns`, it is the
    loss of one row, and the cost is its sum (or, with `mean`, its mean) over the rows.
    """

    tape: Tape
    root: int
    variables: tuple[str, ...]
    columns: tuple[str, ...] = ()
    mean: bool = False
    maximise: bool = False
    notes: tuple[str, ...] = ()
    _slopes: list[int] = field(default_factory=list, compare=False, repr=False)

    @property
    def symbols(self) -> list[int]:
        """Entries of the variables."""
        return [self.tape.symbol(name) for name in self.variables]

    @property
    def gradient(self) -> list[int]:
        """Entries of the derivatives in the variables (differentiated once)."""
        if not self._slopes:
            self._slopes.extend(gradient(self.tape, self.root, self.symbols))
        return self._slopes

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
        _must_occur(name, present)
        replacements[present[name]] = tape.graft(other.tape, other.root)
    mentioned = tape.symbols([root, *replacements.values()])  # a tied formula may mention fixed names
    for name, value in values.items():
        _must_occur(name, mentioned)
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


def _must_occur(name: str, present: Mapping[str, int]) -> None:
    if name not in present:
        raise FormulaError(unknown_name(name, present, "the formula has no variable"))


def unknown_name(name: str, present: Sequence[str] | Mapping[str, int], what: str) -> str:
    """Return the sentence for a name that does not occur, with what there is and the nearest to it."""
    shown = ", ".join(printable(p) for p in list(present)[:8]) + (", ..." if len(present) > 8 else "")
    close = nearest(name, present)
    hint = f"; did you mean {close}?" if close else f"; it has {shown}" if present else "; it has none"
    return f"{what} {printable(name)!r}{hint}"


def make_problem(
    formula: Formula,
    *,
    variables: Sequence[str] | None = None,
    maximise: bool = False,
    notes: Sequence[str] = (),
) -> Problem:
    """Make a problem of a cost formula.

    `variables` gives their order and must name every symbol of the formula (default: all, in natural order).
    Raises `FormulaError` for a cost without variables, or one that lacks a named variable.
    """
    present = formula.names
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
    root = formula.tape.neg(formula.root) if maximise else formula.root
    return Problem(formula.tape, root, order, maximise=maximise, notes=tuple(notes))
