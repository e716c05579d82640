"""For which machine code is made: the one that runs, or (``DESCEND_TARGET=generic``) any of its architecture.

The generic target uses no instruction set beyond the architecture's first and no vector function of the C library: it
is the path that every platform has, and tests run both.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import cache

from descend.errors import MethodError, printable

NAMES = ("native", "generic")


@dataclass(frozen=True)
class Target:
    """A machine to compile for: LLVM's names for it, and how many doubles its vector registers hold."""

    name: str
    triple: str
    cpu: str
    features: str
    lanes: int
    c_library: str  # its name and version where it has vector functions that may be called, else ""


def target() -> Target:
    """Return the target that DESCEND_TARGET names (`native` where it is not set).

    Raises `MethodError` for any other name, `ImportError` or `RuntimeError` where LLVM does not work.
    """
    name = os.environ.get("DESCEND_TARGET", "").strip() or NAMES[0]
    if name not in NAMES:
        raise MethodError(f"DESCEND_TARGET is {printable(name)!r}; it may be {' or '.join(NAMES)}")
    return _made(name)


@cache
def _made(name: str) -> Target:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = str(llvm.get_default_triple())
    if name == "generic":
        return Target(name, triple, "generic", "", 2, "")
    features = llvm.get_host_cpu_features()
    lanes = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
    return Target(name, triple, str(llvm.get_host_cpu_name()), features.flatten(), lanes, _vector_library())


def _vector_library() -> str:
    """Load glibc's vector functions (x86-64) and say which they are; "" where there are none."""
    if platform.system() != "Linux" or platform.machine() not in {"x86_64", "AMD64"}:
        return ""
    import llvmlite.binding as llvm

    try:
        llvm.load_library_permanently("libmvec.so.1")
    except RuntimeError:
        return ""
    return "-".join(platform.libc_ver()) or "glibc"
