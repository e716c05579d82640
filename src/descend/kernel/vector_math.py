"""Vector forms of the C library's functions, so that loops that call them can be vectorised.

LLVM does not vectorise a call to ``exp`` by itself.  Where glibc's vector library (libmvec, x86-64) is there, the call
carries the attribute that names its vector forms (the vector function ABI); elsewhere calls stay scalar.  The vector
forms are good to 4 units in the last place; NaN and infinities come through.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from descend.kernel.lower import Body
from descend.kernel.target import Target, target

ONE = ("exp", "log", "sin", "cos")  # since glibc 2.22
LATER = (
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cosh", "erf", "erfc", "expm1", "log10", "log1p", "log2",
    "sinh", "tan", "tanh",
)  # since glibc 2.35  # fmt: skip
TWO = ("pow", "atan2")
FIRST_ATTRIBUTE = 10  # `#0` to `#9` belong to `lower`


class Width(NamedTuple):
    """One instruction set: its letter in the vector function ABI, and how many doubles it holds."""

    letter: str
    lanes: int


WIDTHS = (Width("e", 8), Width("d", 4), Width("b", 2))


@cache
def widths(made_for: Target) -> tuple[Width, ...]:
    """Return the vector widths for which the C library of a target has functions, widest first; none without one."""
    return tuple(w for w in WIDTHS if w.lanes <= made_for.lanes) if made_for.c_library else ()


@cache
def variants(name: str, arguments: int, made_for: Target) -> tuple[tuple[str, int], ...]:
    """Return (vector function, lanes) of a function of the C library; none where it has no vector form."""
    if name not in {*ONE, *LATER, *TWO}:
        return ()
    import llvmlite.binding as llvm

    found = [(f"_ZGV{w.letter}N{w.lanes}{'v' * arguments}_{name}", w.lanes) for w in widths(made_for)]
    return tuple((full, lanes) for full, lanes in found if llvm.address_of_symbol(full))


@cache
def _renamed(name: str) -> str:
    """Return another name under which LLVM finds a function of the C library."""
    import llvmlite.binding as llvm

    other = f"descend_{name}"
    llvm.add_symbol(other, llvm.address_of_symbol(name))
    return other


class LanesBody(Body):
    """A function on vectors: library functions are vector functions where there are any, else called lane by lane."""

    def __init__(self, lanes: int) -> None:
        super().__init__(lanes)
        self.target = target()

    def library(self, name: str, *args: str) -> str:
        """Call a function of the C library in all lanes."""
        for full, lanes in variants(name, len(args), self.target):
            if lanes == self.lanes:
                return self.call(full, *args)
        return super().library(name, *args)


class VectorBody(Body):
    """A function on scalars whose calls of the C library may be vectorised by LLVM, with the loop around them."""

    def __init__(self) -> None:
        super().__init__()
        self.target = target()
        self.attributes: dict[str, int] = {}  # text of an attribute → its number
        self.vectors: dict[str, str] = {}  # vector function → its declaration

    def library(self, name: str, *args: str) -> str:
        """Call a function of the C library on doubles."""
        found = variants(name, len(args), self.target)
        if not found:
            return super().library(name, *args)
        for full, lanes in found:
            types = ", ".join([f"<{lanes} x double>"] * len(args))
            self.vectors[full] = f"declare <{lanes} x double> @{full}({types})"
        forms = ",".join(full for full, _ in found)
        if name == "pow":
            # Under a name that LLVM does not know: it would make exp2(3x) of pow(8, x), and a call that is marked
            # `nobuiltin` instead is never vectorised.
            name = _renamed(name)
            forms = ",".join(f"{full.replace('_pow', '_' + name)}({full})" for full, _ in found)
        text = f'nounwind willreturn memory(none) "vector-function-abi-variant"="{forms}"'
        number = self.attributes.setdefault(text, FIRST_ATTRIBUTE + len(self.attributes))
        self.declared.add(f"declare double @{name}({', '.join(['double'] * len(args))}) #1")
        return self.emit(f"call double @{name}({', '.join(f'double {a}' for a in args)}) #{number}")

    def trailer(self) -> str:
        """Return what the module needs besides: declarations kept alive, and the attributes."""
        lines = list(self.vectors.values())
        if self.vectors:
            kept = ", ".join(f"ptr @{name}" for name in self.vectors)
            size = len(self.vectors)
            lines.append(f'@llvm.compiler.used = appending global [{size} x ptr] [{kept}], section "llvm.metadata"')
        lines += [f"attributes #{number} = {{ {text} }}" for text, number in self.attributes.items()]
        return "\n".join(lines) + "\n"
