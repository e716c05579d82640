"""One step of learning, as a person reads it: predict, calculate the error, learn."""

from __future__ import annotations

from dataclasses import dataclass

from descend.errors import printable
from descend.vector import Vector


def _point(names: tuple[str, ...], values: Vector) -> str:
    return ", ".join(f"{printable(name)} = {value:.10g}" for name, value in zip(names, values, strict=True))


@dataclass(frozen=True)
class Step:
    """Step `number` of a fixed-rate descent.

    predict: the point looked at; error: the cost there, and its slope; learn: the point after the step,
    new = old - learning rate · slope.
    """

    number: int
    names: tuple[str, ...]
    point: Vector
    cost: float
    gradient: Vector
    learning_rate: float
    new_point: Vector
    cost_name: str = "cost"
    maximise: bool = False

    @property
    def predict(self) -> dict[str, float]:
        """Where this step looks: variable → value."""
        return dict(zip(self.names, self.point, strict=True))

    @property
    def error(self) -> float:
        """The cost at that point."""
        return self.cost

    @property
    def slope(self) -> dict[str, float]:
        """The exact derivative of the cost at that point: variable → slope."""
        return dict(zip(self.names, self.gradient, strict=True))

    @property
    def learn(self) -> dict[str, float]:
        """The point after the step: variable → value."""
        return dict(zip(self.names, self.new_point, strict=True))

    def __str__(self) -> str:
        sign = "+" if self.maximise else "-"
        names = tuple(map(printable, self.names))
        slopes = ", ".join(f"slope in {n} = {g:.10g}" for n, g in zip(names, self.gradient, strict=True))
        lines = [
            f"step {self.number}",
            f"  predict  {_point(self.names, self.point)}",
            f"  error    {self.cost_name} = {self.cost:.10g}, {slopes}",
        ]
        for name, old, slope, new in zip(names, self.point, self.gradient, self.new_point, strict=True):
            shown = f"({slope:.10g})" if slope < 0 else f"{slope:.10g}"
            lines.append(f"  learn    {name} = {old:.10g} {sign} {self.learning_rate:.10g} · {shown} = {new:.10g}")
        return "\n".join(lines)
