"""A plain Python function → tape: it is called once, on symbols that write down what is done with them.

Operators, comparisons inside `numpy.where`-like conditions excepted, `abs`, and NumPy's elementwise functions are
understood.  ``x[0]`` reads an entry of an array variable; a Python loop over a known range is written out.
"""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NoReturn

from descend.errors import DescendError, FormulaError, printable
from descend.expression.functions import SPELLINGS, TABLE
from descend.expression.limits import STANDARD, Limits
from descend.expression.tape import Formula, Tape
from descend.expression.tokens import LETTERS, LONGEST_NAME

# NumPy's names of elementwise functions → names of the table (those that are called the same are found by name).
UFUNCS = {
    "absolute": "abs", "fabs": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "minimum": "min", "maximum": "max", "fmin": "min",
    "fmax": "max", "power": "pow", "float_power": "pow", "true_divide": "div", "divide": "div",
    "negative": "neg",
}  # fmt: skip


class Traced:
    """A number of which only the formula is known.

    A sum or product that grows term by term is a chain of links until its entry is asked for, so that a loop of n
    rounds makes one sum of n terms.
    """

    __slots__ = ("_entry", "_link", "name", "tape")
    __hash__ = None  # type: ignore[assignment]  # equality is a condition, not a truth

    def __init__(
        self, tape: Tape, entry: int = -1, name: str | None = None, link: tuple[str, Traced, int] | None = None
    ) -> None:
        self.tape, self._entry, self.name, self._link = tape, entry, name, link

    @property
    def entry(self) -> int:
        """The entry on the tape."""
        if self._link is not None:
            op, terms, first = self._link[0], [], self
            while first._link is not None and first._link[0] == op:
                terms.append(first._link[2])
                first = first._link[1]
            terms.append(first.entry)
            self._entry, self._link = self.tape.call(op, *reversed(terms)), None
        return self._entry

    def _grown(self, op: str, term: int) -> Traced:
        return Traced(self.tape, link=(op, self, term))

    def _other(self, value: Any) -> int:
        if isinstance(value, Traced):
            if value.tape is not self.tape:
                raise FormulaError("two functions that are traced at the same time cannot share their symbols")
            return value.entry
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            kind = printable(type(value).__name__)
            raise FormulaError(f"the function computes with a {kind}, where a formula has only real numbers")
        exact = value if isinstance(value, (int, Fraction)) else float(value)
        return self.tape.constant(exact)

    def _make(self, op: str, *args: Any) -> Traced:
        return Traced(self.tape, self.tape.call(op, *(self._other(a) for a in args)))

    def __add__(self, other: Any) -> Traced:
        return self._grown("add", self._other(other))

    def __radd__(self, other: Any) -> Traced:
        return Traced(self.tape, self.tape.add((self._other(other), self.entry)))

    def __sub__(self, other: Any) -> Traced:
        return self._grown("add", self.tape.neg(self._other(other)))

    def __rsub__(self, other: Any) -> Traced:
        return Traced(self.tape, self.tape.sub(self._other(other), self.entry))

    def __mul__(self, other: Any) -> Traced:
        return self._grown("mul", self._other(other))

    def __rmul__(self, other: Any) -> Traced:
        return Traced(self.tape, self.tape.mul((self._other(other), self.entry)))

    def __truediv__(self, other: Any) -> Traced:
        return self._make("div", self, other)

    def __rtruediv__(self, other: Any) -> Traced:
        return self._make("div", other, self)

    def __pow__(self, other: Any) -> Traced:
        return self._make("pow", self, other)

    def __rpow__(self, other: Any) -> Traced:
        return self._make("pow", other, self)

    def __neg__(self) -> Traced:
        return self._make("neg", self)

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        return self._make("abs", self)

    def __getitem__(self, place: Any) -> Traced:
        if self.name is None:
            raise FormulaError("only an argument of the function has entries, x[0] for instance")
        if isinstance(place, bool) or not hasattr(place, "__index__"):
            raise FormulaError(f"{self.name}[...] needs a whole number, not {printable(repr(place), 40)}")
        return Traced(self.tape, self.tape.access(self.name, self.tape.constant(int(place.__index__()))))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        """Take part in NumPy's elementwise functions: numpy.exp(x)."""
        name = ufunc.__name__
        if method != "__call__" or settings:
            raise FormulaError(f"numpy.{name} is only understood in its plain form, numpy.{name}(x)")
        match name:
            case "add" | "subtract" | "multiply" if isinstance(inputs[0], Traced):
                forward = {"add": inputs[0].__add__, "subtract": inputs[0].__sub__, "multiply": inputs[0].__mul__}
                return forward[name](inputs[1])
            case "add":
                return inputs[1].__radd__(inputs[0])
            case "subtract":
                return inputs[1].__rsub__(inputs[0])
            case "multiply":
                return inputs[1].__rmul__(inputs[0])
            case "square":
                return inputs[0] ** 2
            case "reciprocal":
                return 1 / inputs[0]
        op = UFUNCS.get(name) or SPELLINGS.get(name)
        if op is None or not TABLE[op].arity[0] <= len(inputs):
            raise FormulaError(f"numpy.{name} is not part of the language; `descend functions` lists what is")
        return self._make(op, *inputs)

    def _no_truth(self, *_: Any) -> NoReturn:
        raise FormulaError(
            "the function compares its arguments, and their values are not known while the formula is read; "
            "write the cost as text, with where(x > 0, a, b)"
        )

    __bool__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _no_truth

    def _no_number(self, *_: Any) -> NoReturn:
        raise FormulaError(
            "the function needs the value of an argument, which is not known while the formula is read; "
            "use numpy.exp(x), not math.exp(x)"
        )

    __float__ = __int__ = __index__ = __complex__ = __len__ = __iter__ = __round__ = _no_number
    __floordiv__ = __mod__ = __divmod__ = __matmul__ = _no_number


def from_function(function: Callable[..., Any], limits: Limits = STANDARD) -> Formula:
    """Call `function` once on symbols called like its arguments (those with a default keep it).

    Raises `FormulaError` for what has no formula, and for whatever the function raises.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise FormulaError("the arguments of this function cannot be read; give text or a SymPy expression") from None
    tape = Tape(limits.entries)
    positional, named = [], {}
    for parameter in parameters:
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            raise FormulaError("a cost is a function of named arguments, not of *args or **kwargs")
        if parameter.default is not parameter.empty:
            continue
        symbol = Traced(tape, tape.symbol(_checked(parameter.name)), parameter.name)
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = symbol
        else:
            positional.append(symbol)
    try:
        result = function(*positional, **named)
    except DescendError:
        raise
    except Exception as error:  # whatever the user's code raises
        raise FormulaError(f"the function raised {type(error).__name__}: {printable(str(error))}") from error
    if isinstance(result, Traced):
        if result.tape is not tape:
            raise FormulaError("the function returned a symbol of another call")
        return Formula(tape, result.entry)
    if isinstance(result, bool) or not isinstance(result, numbers.Real):
        raise FormulaError(f"the function returned a {printable(type(result).__name__)}, not one number")
    return Formula(tape, tape.constant(result if isinstance(result, (int, Fraction)) else float(result)))


def _checked(name: str) -> str:
    if name[0] not in LETTERS or "__" in name or len(name) > LONGEST_NAME or not name.isascii():
        raise FormulaError(f"{printable(name)!r} cannot be the name of a variable: begin with a letter, no __")
    return name
