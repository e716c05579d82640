"""Gradient descent with a fixed learning rate, or one that is a formula of the step number k."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.descent.arithmetic import STEP_NUMBER, Symbols
from descend.descent.method.base import Method, State, stepped
from descend.errors import MethodError
from descend.expression.parse import parse
from descend.expression.tape import Formula
from descend.kernel.interpret import Interpreter
from descend.kernel.program import lower


@dataclass(frozen=True)
class GradientDescent(Method):
    """x ← x - rate · ∇f(x), Cauchy's method with a fixed factor (Cauchy 1847).

    `learning_rate` is a positive number, or a formula of the step number k = 0, 1, 2, ... such as "0.1/(1+k/10)".
    It multiplies the gradient of the cost as named: nothing is rescaled.
    """

    name: ClassVar[str] = "gradient-descent"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Cauchy, C. R. Acad. Sci. Paris 25 (1847)"

    learning_rate: float | str

    def __post_init__(self) -> None:
        if not isinstance(self.learning_rate, str):
            try:
                rate = float(self.learning_rate)
            except (TypeError, ValueError, OverflowError):
                rate = float("nan")
            if isinstance(self.learning_rate, bool) or not 0 < rate < float("inf"):
                raise MethodError("a learning rate is a number greater than 0, or a formula of the step number k")
            object.__setattr__(self, "learning_rate", rate)
        else:
            formula = parse(self.learning_rate)
            if formula.names not in {("k",), ()}:
                raise MethodError("a learning rate is a number or a formula of the step number k, such as 0.1/(1+k/10)")
            object.__setattr__(self, "_formula", formula)
            object.__setattr__(self, "_rate", Interpreter(lower(formula.tape, [formula.root], ("k",))))
            for number in (0, 1):
                if not 0 < self.rate(number) < float("inf"):
                    raise MethodError(
                        f"the learning rate is {self.rate(number):g} at the step number k = {number}; "
                        "it must be a positive number there (k counts from 0)"
                    )

    def rate(self, number: Any) -> Any:
        """Return the factor of step `number`: a float, or one symbol while traced."""
        if not isinstance(self.learning_rate, str):
            return self.learning_rate
        if isinstance(number, Symbols):
            formula: Formula = self._formula  # type: ignore[attr-defined]
            # Renamed before it is copied: a variable of the cost may be called k as well.
            own = formula.tape
            (renamed,) = own.substitute((formula.root,), {own.symbol("k"): own.symbol(STEP_NUMBER)})
            return Symbols(number.tape, [number.tape.graft(own, renamed)])
        (value,) = self._rate([float(number)])  # type: ignore[attr-defined]
        return value

    def learn(self, state: State, point: Any, evaluation: Any) -> State:
        rate = self.rate(state.number)
        return stepped(state, point - rate * evaluation.gradient, rate)

    def describe(self) -> str:
        return f"gradient descent, learning rate {self.learning_rate}"
