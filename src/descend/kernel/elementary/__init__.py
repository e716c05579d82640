"""Functions of mathematics in vectors of any number of lanes: LLVM IR of our own, for every machine.

A file a family; `definition` writes one of them as a function of a module.  They need no more than IEEE arithmetic,
comparisons and shifts of whole numbers, and are good to 4 units in the last place (docs/vector-mathematics.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from descend.kernel.elementary import arc, circular, error_function, exponential, logarithm, power
from descend.kernel.elementary.writer import Avx512Body, Truth, Vector
from descend.kernel.lower import Body
from descend.kernel.target import Target


class Form(NamedTuple):
    """A function: its formula, which lanes that is not good for (None: none is), and what is taken there instead.

    Without `instead` those lanes are left to the C library.
    """

    formula: Callable[..., Vector]
    rare: Callable[..., Truth] | None = None
    instead: Callable[..., Vector] | None = None


FORMS: dict[str, Form] = {
    "exp": Form(exponential.exp),
    "expm1": Form(exponential.expm1),
    "sinh": Form(exponential.sinh),
    "cosh": Form(exponential.cosh),
    "tanh": Form(exponential.tanh),
    "log": Form(logarithm.log),
    "log1p": Form(logarithm.log1p),
    "log2": Form(logarithm.log2),
    "log10": Form(logarithm.log10),
    "asinh": Form(logarithm.asinh),
    "acosh": Form(logarithm.acosh),
    "atanh": Form(logarithm.atanh),
    "sin": Form(circular.sin, circular.far, circular.sin_far),
    "cos": Form(circular.cos, circular.far, circular.cos_far),
    "tan": Form(circular.tan, circular.far, circular.tan_far),
    "asin": Form(arc.asin),
    "acos": Form(arc.acos),
    "atan": Form(arc.atan),
    "atan2": Form(arc.atan2),
    "erf": Form(error_function.erf),
    "erfc": Form(error_function.erfc),
    "cbrt": Form(power.cbrt),
    "pow": Form(power.power, power.unusual),
}
# What the C library does not have: log1p where the argument is known to lie in [0, 1].
MORE = {"log1p_unit": Form(logarithm.log1p_unit)}
ARGUMENTS = {"atan2": 2, "pow": 2}  # of the functions with more than one
PURE = "nounwind willreturn memory(none)"
WIDE = '"min-legal-vector-width"="512"'  # vectors go in registers, whatever width the processor likes best


class Definition(NamedTuple):
    """A function of a module: its name, the texts that it needs (by name, its own among them), what they declare."""

    name: str
    helpers: Mapping[str, str]
    declared: frozenset[str]


@cache
def definition(function: str, lanes: int, made_for: Target) -> Definition:
    """Write a function of `FORMS` or `MORE` for vectors of `lanes` doubles (1: for a double) of a machine."""
    form = MORE.get(function) or FORMS[function]
    name = f"descend_{function}_v{lanes}"
    body = Avx512Body(lanes) if lanes == 8 and "+avx512f" in made_for.features.split(",") else Body(lanes)
    arguments = [Vector(body, f"%x{k}") for k in range(ARGUMENTS.get(function, 1))]
    value = form.formula(*arguments)
    if form.rare is not None:
        rare = form.rare(*arguments)
        some = rare.name
        if lanes > 1:
            some = body.emit(f"icmp ne i{lanes} {body.emit(f'bitcast {body.truth} {rare.name} to i{lanes}')}, 0")
        body.write(f"br i1 {some}, label %rare, label %done")
        body.label("rare")
        given = ", ".join(f"{body.kind} {a.name}" for a in [value, *arguments])
        mended = body.emit(f"call {body.kind} @{name}_rare({given}, {body.truth} {rare.name}) #1")
        body.write("br label %done")
        body.label("done")
        value = Vector(body, body.emit(f"phi {body.kind} [{value.name}, %entry], [{mended}, %rare]"))
        body.helpers[f"{name}_rare"] = _rare(body, form, function, name, len(arguments))
    body.helpers[name] = _function(body, name, arguments, "", value.name)
    return Definition(name, body.helpers, frozenset(body.declared))


def _rare(user: Body, form: Form, function: str, name: str, count: int) -> str:
    """Return the function that replaces those lanes of a value for which the formula is not good."""
    body = type(user)(user.lanes)
    arguments = [Vector(body, f"%x{k}") for k in range(count)]
    if form.instead is not None:
        right = form.instead(*arguments)
    else:
        right = Vector(body, body.library(function, *(a.name for a in arguments)))
    rare = Truth(body, "%rare")
    value = rare.where(right, Vector(body, "%value"))
    user.helpers.update(body.helpers)
    user.declared |= body.declared
    return _function(body, f"{name}_rare", [Vector(body, "%value"), *arguments], f", {body.truth} %rare", value.name)


def _function(body: Body, name: str, arguments: list[Vector], more: str, value: str) -> str:
    head = ", ".join(f"{body.kind} {a.name}" for a in arguments) + more
    cold = "cold " if more else ""
    lines = "\n".join(body.lines)
    return (
        f"define internal {body.kind} @{name}({head}) noinline {cold}{PURE} {WIDE} {{\n"
        f"entry:\n{lines}\n  ret {body.kind} {value}\n}}"
    )
