"""A loss that is typed: the cost of one row as a formula in y (observed) and yhat (predicted)."""

from __future__ import annotations

import re

from descend.errors import FormulaError, UnavailableError, printable
from descend.expression import binders
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.problem.loss.base import Loss

OBSERVED, PREDICTED = "y", "yhat"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(-[A-Za-z0-9_]+)*(\s*\([\d.,\s+eE-]*\))?")  # huber, log-loss, tweedie(1.5)
_MENTIONS = re.compile(rf"\b({OBSERVED}|{PREDICTED})\b")


def is_formula(text: str) -> bool:
    """Whether `text` is a formula rather than a name, perhaps misspelt, of a loss with its settings."""
    name = text.strip()
    return bool(_MENTIONS.search(name)) or (name != "" and not _NAME.fullmatch(name))


def formula_loss(text: str, limits: Limits) -> Loss:
    """Return the loss Σ text over the rows.

    Raises `FormulaError` for a text that cannot be read or contains other names than y and yhat.
    """
    tape, root = parse(text, names=(OBSERVED, PREDICTED), limits=limits)
    if any(tape[k].op in binders.BINDERS or tape[k].op == "access" for k in tape.reachable((root,))):
        raise UnavailableError("sums over an index and entries of arrays are not part of losses; write the terms out")
    names = tape.symbols((root,))
    for name in names:
        if name not in {OBSERVED, PREDICTED}:
            raise FormulaError(
                f"the loss mentions {printable(name)!r}; a loss is a formula in {OBSERVED} (the left side of the "
                f"model) and {PREDICTED} (its right side), and in no other name"
            )
    if PREDICTED not in names:
        raise FormulaError(
            f"the loss does not contain {PREDICTED}, the right side of the model, so there is nothing to learn"
        )

    def row(onto: Tape, observed: int, predicted: int) -> int:
        grafted = onto.graft(tape, root)
        # All at once: a column or parameter of the model that is called y or yhat stays what it is.
        return onto.substitute((grafted,), {onto.symbol(OBSERVED): observed, onto.symbol(PREDICTED): predicted})[0]

    shown = printable(text)
    return Loss(shown, "sum of a formula over the rows", f"Σ {shown}", row, mean=False, quadratic=False, source="")
