"""A learning rate that is a formula of the step number k = 0, 1, 2, ..."""

from __future__ import annotations

from typing import Any

from descend.descent.arithmetic import Symbols
from descend.errors import MethodError
from descend.expression.parse import parse
from descend.kernel.interpret import Interpreter
from descend.kernel.program import lower

CHECKED = (0, 1)  # the steps that every run takes; a rate that goes wrong later ends the run there


class Schedule:
    """The rate of each step, such as "0.1/(1+k/10)".

    Raises `FormulaError` for a text that is no formula, `MethodError` for one of other names than k or whose first
    rates are not positive.  A rate that is not positive and finite later on ends the run at that step.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.formula = parse(text)
        if self.formula.names not in {("k",), ()}:
            raise MethodError("a learning rate is a number or a formula of the step number k, such as 0.1/(1+k/10)")
        self._interpreter = Interpreter(lower(self.formula.tape, [self.formula.root], ("k",)))
        for number in CHECKED:
            if not usable(self(number)):
                raise MethodError(
                    f"the learning rate is {self(number):g} at the step number k = {number}; "
                    "it must be a positive number there (k counts from 0)"
                )

    def __call__(self, number: Any) -> Any:
        """Return the rate of step `number`: a float, or one symbol while traced."""
        if isinstance(number, Symbols):
            return number.of(self.formula, "k")
        (value,) = self._interpreter([float(number)])
        return value


def usable(rate: float) -> bool:
    """Whether a rate is positive and finite."""
    return 0 < rate < float("inf")
