"""Vector forms of the C library's functions: glibc's (libmvec, x86-64) where it has them, or our own (`elementary`).

`LanesBody` writes vector code.  `VectorBody` writes scalar loops for LLVM to vectorise, which it does not do with a
call to ``exp`` by itself: the call carries the attribute that names its vector forms (the vector function ABI).  All
are good to 4 units in the last place; NaN and infinities come through.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from descend.kernel import elementary
from descend.kernel.lower import Body
from descend.kernel.program import Program
from descend.kernel.target import Target, target

ONE = ("exp", "log", "sin", "cos")  # since glibc 2.22
LATER = (
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cosh", "erf", "erfc", "expm1", "log10", "log1p", "log2",
    "sinh", "tan", "tanh",
)  # since glibc 2.35  # fmt: skip
TWO = ("pow", "atan2")
# Which is used where both exist (measured: python -m benchmarks vectormath).  Written out in a row kernel ours is the
# faster of the two, for no register has to be saved, but for these, which are long.
LIBMVEC_IN_ROWS = frozenset({"erf", "erfc"})
# Where LLVM widens a scalar loop both are calls, and ours has to be compiled: only where it is much faster.
OURS_IN_LOOPS = frozenset({"tanh"})
INLINED = 24  # calls of our own functions in one body that are written out in place; the rest are calls
FIRST_ATTRIBUTE = 10  # `#0` to `#9` belong to `lower`


class Width(NamedTuple):
    """One instruction set: its letter in the vector function ABI, and how many doubles it holds."""

    letter: str
    lanes: int


WIDTHS = {"x86_64": (Width("e", 8), Width("d", 4), Width("b", 2)), "aarch64": (Width("n", 2),)}


@cache
def widths(made_for: Target) -> tuple[Width, ...]:
    """Return the vector widths of a target, widest first; none where the ABI of its vector functions is not known."""
    architecture = made_for.triple.partition("-")[0].replace("arm64", "aarch64")
    return tuple(w for w in WIDTHS.get(architecture, ()) if w.lanes <= made_for.lanes)


@cache
def variants(name: str, arguments: int, made_for: Target) -> tuple[tuple[str, int], ...]:
    """Return (vector function, lanes) of a function of the C library; none where it has no vector form."""
    if not made_for.c_library or name not in {*ONE, *LATER, *TWO}:
        return ()
    import llvmlite.binding as llvm

    found = [(mangled(w, name, arguments), w.lanes) for w in widths(made_for)]
    return tuple((full, lanes) for full, lanes in found if llvm.address_of_symbol(full))


def mangled(width: Width, name: str, arguments: int) -> str:
    """Return what the vector function ABI calls the form of a function, without a mask."""
    return f"_ZGV{width.letter}N{width.lanes}{'v' * arguments}_{name}"


@cache
def _renamed(name: str) -> str:
    """Return another name under which LLVM finds a function of the C library."""
    import llvmlite.binding as llvm

    # LLVM looks through the process only once it has made an engine.
    address = llvm.address_of_symbol(name)
    if not address:
        address = ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value
    other = f"descend_{name}"
    llvm.add_symbol(other, address)
    return other


class LanesBody(Body):
    """A function on vectors: library functions are vector functions; called lane by lane where there is none."""

    def __init__(self, lanes: int) -> None:
        super().__init__(lanes)
        self.target = target()
        self.inlined = 0

    def library(self, name: str, *args: str) -> str:
        """Compute a function of the C library in all lanes."""
        if name in LIBMVEC_IN_ROWS:
            for full, lanes in variants(name, len(args), self.target):
                if lanes == self.lanes:
                    return self.call(full, *args)
        if self.lanes > 1 and name in elementary.FORMS:
            return self.own(name, *args)
        return super().library(name, *args)

    def spelling(self, program: Program, slot: int) -> str:
        """Return the operation of a slot: log1p of exp(-|x|), as softplus and its kind have it, is the easier one."""
        first = len(program.inputs)
        chain = ("log1p", "exp", "neg", "abs")
        at = slot
        for op in chain:
            if at < first or program.instructions[at - first].op != op:
                return super().spelling(program, slot)
            (at,) = program.instructions[at - first].args
        return "log1p_unit"

    def instruction(self, op: str, args: Sequence[str], constant: float | None = None) -> str:
        """Write one primitive operation, or log1p of a number in [0, 1]."""
        return self.own(op, *args) if op == "log1p_unit" else super().instruction(op, args, constant)

    def own(self, name: str, *args: str) -> str:
        """Call our own form of a function."""
        definition = elementary.definition(name, self.lanes, self.target)
        self.helpers.update(definition.helpers)
        self.declared.update(definition.declared)
        self.inlined += 1
        attributes = "alwaysinline" if self.inlined <= INLINED else ""
        given = ", ".join(f"{self.kind} {a}" for a in args)
        return self.emit(f"call {self.kind} @{definition.name}({given}) {attributes}")


class VectorBody(Body):
    """A function on scalars whose calls of the C library may be vectorised by LLVM, with the loop around them."""

    def __init__(self) -> None:
        super().__init__()
        self.target = target()
        self.attributes: dict[str, int] = {}  # text of an attribute → its number
        self.vectors: dict[str, str] = {}  # vector function → its declaration, if it is not defined here

    def library(self, name: str, *args: str) -> str:
        """Call a function of the C library on doubles."""
        forms = self._forms(name, len(args))
        if not forms:
            return super().library(name, *args)
        if name == "pow":
            # Under a name that LLVM does not know: it would make exp2(3x) of pow(8, x), and a call that is marked
            # `nobuiltin` instead is never vectorised.
            name = _renamed(name)
        listed = ",".join(f"{mangled(width, name, len(args))}({form})" for width, form in forms)
        text = f'nounwind willreturn memory(none) "vector-function-abi-variant"="{listed}"'
        number = self.attributes.setdefault(text, FIRST_ATTRIBUTE + len(self.attributes))
        self.declared.add(f"declare double @{name}({', '.join(['double'] * len(args))}) #1")
        return self.emit(f"call double @{name}({', '.join(f'double {a}' for a in args)}) #{number}")

    def _forms(self, name: str, arguments: int) -> list[tuple[Width, str]]:
        """Return the vector functions to be called for a function, which the module declares or defines."""
        available = () if name in OURS_IN_LOOPS else variants(name, arguments, self.target)
        theirs = {lanes: full for full, lanes in available}
        found = []
        for width in widths(self.target):
            if width.lanes in theirs:
                full = theirs[width.lanes]
                types = ", ".join([f"<{width.lanes} x double>"] * arguments)
                self.vectors[full] = f"declare <{width.lanes} x double> @{full}({types})"
            elif name in elementary.FORMS:
                definition = elementary.definition(name, width.lanes, self.target)
                full = definition.name
                self.helpers.update(definition.helpers)
                self.declared.update(definition.declared)
                self.vectors[full] = ""
            else:
                continue
            found.append((width, full))
        return found

    def trailer(self) -> str:
        """Return what the module needs besides: declarations kept alive, and the attributes."""
        lines = [line for line in self.vectors.values() if line]
        if self.vectors:
            kept = ", ".join(f"ptr @{name}" for name in self.vectors)
            size = len(self.vectors)
            lines.append(f'@llvm.compiler.used = appending global [{size} x ptr] [{kept}], section "llvm.metadata"')
        lines += [f"attributes #{number} = {{ {text} }}" for text, number in self.attributes.items()]
        return "\n".join(lines) + "\n"
