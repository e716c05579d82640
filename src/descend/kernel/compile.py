"""LLVM IR → machine code, and the counted, never silent, way back to the interpreter."""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from descend.kernel import cache
from descend.kernel.log import log
from descend.kernel.lower import LIBRARY, obstacle
from descend.kernel.program import Program
from descend.kernel.straight import point_function
from descend.kernel.target import target

LARGE = 5_000  # operations from which LLVM optimises a level less: a loop of 7,600 takes 1.2 s to compile, or 0.2
VERSION = (
    1  # of the way from a text to an object; whoever changes passes or flags raises it: old objects are not used then
)

DECLARED = re.compile(r"^declare [^@\n]*@([^\s(]+)\(", re.MULTILINE)
# Functions that LLVM may call though no text declares them.
ADDED = (
    "memcpy", "memmove", "memset", "bcmp", "sincos", "exp2", "exp10", "ldexp", "frexp", "fma", "fmod", "sqrt", "floor",
    "ceil", "trunc", "rint", "nearbyint", "round", "roundeven", "fmin", "fmax", "fminimum", "fmaximum",
)  # fmt: skip


@dataclass
class Counters:
    """What this process compiled, and how often no machine code could be made (with the last reason)."""

    compiled: int = 0
    fallbacks: int = 0
    reason: str | None = None


COUNTERS = Counters()


def fall_back(reason: str) -> None:
    """Count that machine code was wanted and could not be had."""
    COUNTERS.fallbacks += 1
    COUNTERS.reason = reason
    log("info", "no machine code: %s; the formula is interpreted", reason)


class MachineCode:
    """A compiled module.  It keeps the engine alive for as long as its functions may be called.

    `level` is 1 for scalar code, which needs registers for its stack slots and no optimiser; 2 for loops that are
    written as vector code; 3 where LLVM is to vectorise loops.  `instructions` is the size of the program in it.
    """

    def __init__(self, text: str, level: int, instructions: int) -> None:
        large = instructions >= LARGE
        level = 2 if large and level == 3 else level
        effort = 0 if large and level == 1 else level if level == 3 else 1
        machine = _target_machine(effort)
        key = cache.key_of(_all_that_decides(text, level, effort))
        found = cache.load(key)
        # LLVM ends the process over a function that is not there.
        if found is None or not all(map(in_process, found.symbols)):
            found = _compiled(text, level, machine)
            cache.save(key, found)
        import llvmlite.binding as llvm

        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(found.code))

    def address(self, name: str) -> int:
        """Return the address of a function; the first call makes the code ready to run."""
        return int(self._engine.get_function_address(name))


def _target_machine(effort: int) -> Any:
    """Return a new target machine: each engine owns, and destroys, the one it is made with."""
    made_for = target()
    import llvmlite.binding as llvm

    kind = llvm.Target.from_triple(made_for.triple)
    return kind.create_target_machine(cpu=made_for.cpu, features=made_for.features, opt=effort)


def _all_that_decides(text: str, level: int, effort: int) -> tuple[str, ...]:
    """Return everything that the object of a module depends on."""
    import llvmlite
    import llvmlite.binding as llvm

    t = target()
    versions = (str(VERSION), llvmlite.__version__, ".".join(map(str, llvm.llvm_version_info)))
    return (*versions, t.triple, t.cpu, t.features, t.c_library, str(level), str(effort), text)


def _compiled(text: str, level: int, machine: Any) -> cache.Cached:
    """Return the object of a module, and which functions it may call."""
    import llvmlite.binding as llvm

    parsed = llvm.parse_assembly(text)
    parsed.verify()  # a hundredth of the time
    tuning = llvm.create_pipeline_tuning_options(speed_level=3 if level == 3 else 1)
    tuning.loop_vectorization = level == 3
    tuning.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, tuning)
    passes = _short_way() if level == 1 else builder.getModulePassManager()
    passes.run(parsed, builder)
    # llvmlite inherits a _dispose that does nothing before the one that frees the passes: 45 KB a kernel would stay.
    llvm.newpassmanagers.NewPassManager._dispose(passes)  # noqa: SLF001
    passes.detach()
    code = machine.emit_object(parsed)
    COUNTERS.compiled += 1
    declared = {name for name in DECLARED.findall(text) if not name.startswith("llvm.")}
    added = {name for name in ADDED if name.encode() + b"\0" in code}
    return cache.Cached(tuple(sorted(declared | added)), code)


def _short_way() -> Any:
    """Return the passes for scalar code: the rest of LLVM's own takes half the time and makes it no faster."""
    import llvmlite.binding as llvm

    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    return passes


@functools.cache
def unavailable() -> str | None:
    """Return why no machine code can be made on this platform, or None where it can."""
    try:
        import llvmlite.binding as llvm

        llvm.Target.from_triple(target().triple)
    except (ImportError, OSError, RuntimeError) as error:
        return f"llvmlite does not work here ({error})"
    return None


def compilable(program: Program) -> str | None:
    """Return why `program` cannot be compiled here, or None when it can."""
    return obstacle(program) or unavailable() or _missing(program)


def _missing(program: Program) -> str | None:
    """Return which library function this process lacks: LLVM would end the process over it."""
    for name in {LIBRARY[instruction.op] for instruction in program.instructions if instruction.op in LIBRARY}:
        if not in_process(name):
            return f"the C library here has no {name} function"
    return None


@functools.cache
def in_process(name: str) -> bool:
    """Whether LLVM will find a function.  It looks through the process, but only once it has made an engine."""
    import llvmlite.binding as llvm

    if llvm.address_of_symbol(name):
        return True
    try:
        return hasattr(ctypes.CDLL(None), name)
    except (OSError, TypeError):  # no such handle on this platform
        return False


class PointKernel:
    """All outputs of a program at one point, in machine code; the same call as an `Interpreter` with floats.

    Every call has a buffer of its own, so one kernel may be called from several threads at once.
    """

    def __init__(self, program: Program) -> None:
        text, memory = point_function(program)
        self._code = MachineCode(text, 1, len(program.instructions))
        self._count = len(program.inputs)
        self._offset = 8 * self._count
        self._end = self._count + len(program.outputs)
        self._buffer = ctypes.c_double * (self._count + len(program.outputs) + memory)
        prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
        self._call = prototype(self._code.address("point"))

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        """Return the outputs; raises `ValueError` for another number of inputs than the program has."""
        buffer = self._buffer()
        buffer[: self._count] = list(inputs)
        address = ctypes.addressof(buffer)
        self._call(address, address + self._offset)
        return buffer[self._count : self._end]
