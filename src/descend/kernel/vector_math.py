"""Vector forms of the C library's functions, so that LLVM can vectorise loops that call them.

LLVM does not vectorise a call to ``exp`` by itself.  Where glibc's vector library (libmvec, x86-64) is there, the call
carries the attribute that names its vector forms (the vector function ABI); elsewhere calls stay scalar.  The vector
forms are good to 4 units in the last place; NaN and infinities come through.
"""

from __future__ import annotations

import platform
from functools import cache
from typing import NamedTuple

from descend.kernel.lower import Body

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


@cache
def widths() -> tuple[Width, ...]:
    """Return the vector widths that this machine and its C library have, widest first; none where there are none."""
    if platform.system() != "Linux" or platform.machine() not in {"x86_64", "AMD64"}:
        return ()
    import llvmlite.binding as llvm

    try:
        llvm.load_library_permanently("libmvec.so.1")
    except RuntimeError:
        return ()
    features = llvm.get_host_cpu_features()
    found = [Width("b", 2)]
    if features.get("avx2"):
        found.insert(0, Width("d", 4))
    if features.get("avx512f"):
        found.insert(0, Width("e", 8))
    return tuple(found)


@cache
def variants(name: str, arguments: int) -> tuple[tuple[str, int], ...]:
    """Return (vector function, lanes) of a function of the C library; none where it has no vector form."""
    if name not in {*ONE, *LATER, *TWO}:
        return ()
    import llvmlite.binding as llvm

    found = [(f"_ZGV{w.letter}N{w.lanes}{'v' * arguments}_{name}", w.lanes) for w in widths()]
    return tuple((full, lanes) for full, lanes in found if llvm.address_of_symbol(full))


@cache
def _renamed(name: str) -> str:
    """Return another name under which LLVM finds a function of the C library."""
    import llvmlite.binding as llvm

    other = f"descend_{name}"
    llvm.add_symbol(other, llvm.address_of_symbol(name))
    return other


class VectorBody(Body):
    """A function whose calls of the C library may be vectorised."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: dict[str, int] = {}  # text of an attribute → its number
        self.vectors: dict[str, str] = {}  # vector function → its declaration

    def intrinsic(self, name: str, *args: str) -> str:
        """Call an intrinsic or a library function on doubles."""
        found = variants(name, len(args)) if not name.startswith("llvm.") else ()
        if not found:
            return super().intrinsic(name, *args)
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
