"""LLVM IR → machine code, and the counted, never silent, way back to the interpreter."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from descend.kernel.log import log
from descend.kernel.lower import LIBRARY, obstacle
from descend.kernel.program import Program
from descend.kernel.straight import point_function
from descend.kernel.target import target

LARGE = 10_000  # instructions from which a level less is optimised: 13,000 take 0.6 s to compile, or 0.3


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

    `level` is LLVM's, 3 where loops are to be vectorised; `instructions` is the size of the program in it.
    """

    def __init__(self, text: str, level: int, instructions: int) -> None:
        large = instructions >= LARGE
        level = level if not large else 1 if level > 1 else 0
        machine = _target_machine(level)
        import llvmlite.binding as llvm

        parsed = llvm.parse_assembly(text)
        parsed.verify()
        _optimise(parsed, machine, max(1, level))
        self._engine = llvm.create_mcjit_compiler(parsed, machine)
        self._engine.finalize_object()
        COUNTERS.compiled += 1

    def address(self, name: str) -> int:
        """Return the address of a function."""
        return int(self._engine.get_function_address(name))


def _target_machine(level: int) -> Any:
    """Return a new target machine: each engine owns, and destroys, the one it is made with."""
    made_for = target()
    import llvmlite.binding as llvm

    kind = llvm.Target.from_triple(made_for.triple)
    return kind.create_target_machine(cpu=made_for.cpu, features=made_for.features, opt=level)


def _optimise(parsed: Any, machine: Any, level: int) -> None:
    import llvmlite.binding as llvm

    tuning = llvm.create_pipeline_tuning_options(speed_level=level)
    tuning.loop_vectorization = level > 2
    tuning.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, tuning)
    passes = builder.getModulePassManager()
    passes.run(parsed, builder)
    # llvmlite inherits a _dispose that does nothing before the one that frees the passes: 45 KB a kernel would stay.
    llvm.newpassmanagers.NewPassManager._dispose(passes)  # noqa: SLF001
    passes.detach()


@cache
def unavailable() -> str | None:
    """Return why no machine code can be made on this platform, or None where it can."""
    try:
        _target_machine(1)
    except (ImportError, OSError, RuntimeError) as error:
        return f"llvmlite does not work here ({error})"
    return None


def compilable(program: Program) -> str | None:
    """Return why `program` cannot be compiled here, or None when it can."""
    return obstacle(program) or unavailable() or _missing(program)


def _missing(program: Program) -> str | None:
    """Return which library function this process lacks: LLVM would end the process over it."""
    for name in {LIBRARY[instruction.op] for instruction in program.instructions if instruction.op in LIBRARY}:
        if not _in_process(name):
            return f"the C library here has no {name} function"
    return None


@cache
def _in_process(name: str) -> bool:
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
