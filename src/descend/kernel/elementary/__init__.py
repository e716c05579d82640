"""Functions of mathematics in vectors of any number of lanes: LLVM IR of our own, for every machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from descend.kernel.elementary import circular, exponential, logarithm
from descend.kernel.elementary.writer import Truth, Vector
from descend.kernel.lower import Body


class Form(NamedTuple):
    """A function: its formula, and which lanes are left to the C library (None: no lane is)."""

    formula: Callable[..., Vector]
    rare: Callable[..., Truth] | None = None


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
    "sin": Form(circular.sin, circular.far),
    "cos": Form(circular.cos, circular.far),
    "tan": Form(circular.tan, circular.far),
}


class Definition(NamedTuple):
    """A function of a module: its name, text, and what the text declares."""

    name: str
    text: str
    declared: frozenset[str]


def definition(function: str, lanes: int) -> Definition:
    """Write the function called `function` in the C library, for vectors of `lanes` doubles (1: for a double)."""
    form = FORMS[function]
    body = Body(lanes)
    count = form.formula.__code__.co_argcount
    arguments = [Vector(body, f"%x{k}") for k in range(count)]
    head = ", ".join(f"{body.kind} {a.name}" for a in arguments)
    name = f"descend_{function}_v{lanes}"
    value = form.formula(*arguments)
    texts = []
    if form.rare is not None:
        rare = form.rare(*arguments)
        some = rare.name
        if lanes > 1:
            some = body.emit(f"icmp ne i{lanes} {body.emit(f'bitcast {body.truth} {rare.name} to i{lanes}')}, 0")
        body.write(f"br i1 {some}, label %rare, label %done")
        body.label("rare")
        given = ", ".join(f"{body.kind} {a.name}" for a in [value, *arguments])
        mended = body.emit(f"call {body.kind} @{name}_rare({given}, {body.truth} {rare.name})")
        body.write("br label %done")
        body.label("done")
        value = Vector(body, body.emit(f"phi {body.kind} [{value.name}, %entry], [{mended}, %rare]"))
        texts.append(_rare(name, function, lanes, head, [a.name for a in arguments]))
    lines = "\n".join(body.lines)
    texts.append(
        f"define internal {body.kind} @{name}({head}) noinline nounwind willreturn memory(none) {{\n"
        f"entry:\n{lines}\n  ret {body.kind} {value.name}\n}}"
    )
    declared = body.declared | {f"declare double @{function}({', '.join(['double'] * count)}) #1"}
    return Definition(name, "\n".join(texts), frozenset(declared))


def _rare(name: str, function: str, lanes: int, head: str, arguments: list[str]) -> str:
    """Write the function that replaces those lanes of a value for which the formula is not good."""
    body = Body(lanes)
    right = body.library(function, *arguments)
    value = body.emit(f"select {body.truth} %rare, {body.kind} {right}, {body.kind} %value")
    lines = "\n".join(body.lines)
    return (
        f"define internal {body.kind} @{name}_rare({body.kind} %value, {head}, {body.truth} %rare) "
        f"cold noinline nounwind willreturn memory(none) {{\n{lines}\n  ret {body.kind} {value}\n}}"
    )
