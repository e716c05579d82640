"""One trial: a text is read as a cost and as a model, and what comes out is written, substituted and differentiated.

Anything but success or a `DescendError` with a fair message is a failure, which raises.
"""

from __future__ import annotations

import time

from descend.errors import DescendError, printable
from descend.expression.derivative import full_gradient
from descend.expression.limits import Limits
from descend.expression.parse import parse, parse_model
from descend.expression.write import to_text

SEVEN = 7
ROOMY = Limits(characters=100_000, nesting=1_000, nodes=100_000, digits=2_400, exponent=2_400, power=10**16)
MOST_ENTRIES = 300  # formulas larger than this are read, but not written and differentiated every time


def read(text, reader=parse, **settings):
    """Return what `reader` makes of a text, or None and the error: (result, error, seconds of computing)."""
    started = time.process_time()
    try:
        result, error = reader(text, **settings), None
    except DescendError as refusal:
        result, error = None, refusal
    return result, error, time.process_time() - started


def judge(text, error):
    """Check that a refusal is fair: short, printable, and at a place inside the text."""
    message = str(error)
    assert len(message) < 600, message
    assert all(line.isprintable() for line in message.split("\n")), repr(message)
    assert len(message.split("\n")) in {1, 3}, message
    assert error.position is None or 0 <= error.position <= len(text), error.position


def shown(name):
    """Return a name as it is written: what cannot be seen is written as ``?``."""
    return printable(name, len(name))


def use(formula):
    """Write a formula, put 7 in the place of its constant n, and differentiate it."""
    tape, root = formula
    if len(tape) > MOST_ENTRIES:
        return
    written = to_text(tape, root, limit=20_000)
    if not written.endswith("…"):
        again, error, _ = read(written, limits=ROOMY)
        assert error is None or "Python can follow" in str(error), (written, str(error))
        if error is None:
            assert sorted(again.names) == sorted(map(shown, formula.names)), written
    names = tape.symbols([root])
    try:
        seven = tape.constant(SEVEN)
        tape.substitute([root], {entry: seven for name, entry in names.items() if name in {"n", "m"}})
    except DescendError as error:
        judge("", error)
    try:
        full_gradient(tape, root, list(names.values()), tape.arrays([root]))
    except DescendError as error:
        judge("", error)


def trial(text, names=()):
    """Try one text; return the seconds that the slower of its two readings took."""
    formula, error, seconds = read(text, names=names)
    if error is None:
        use(formula)
    else:
        judge(text, error)
    model, error, again = read(text, parse_model, names=names)
    if error is not None:
        judge(text, error)
    elif len(model.tape) <= MOST_ENTRIES:
        to_text(model.tape, model.right, limit=1_000)
    return max(seconds, again)
