"""LLVM IR → machine code, and the counted, never silent, way back to the interpreter."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from descend.kernel.interpret import Interpreter
from descend.kernel.lower import obstacle, point_function
from descend.kernel.program import Program

log = logging.getLogger("descend")


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
    log.info("no machine code: %s; the formula is interpreted", reason)


class MachineCode:
    """A compiled module.  It keeps the engine alive for as long as its functions may be called."""

    def __init__(self, text: str, level: int) -> None:
        machine = _target_machine(3 if level > 1 else 1)
        import llvmlite.binding as llvm

        parsed = llvm.parse_assembly(text)
        parsed.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=level)
        tuning.loop_vectorization = level > 1
        tuning.slp_vectorization = False
        builder = llvm.create_pass_builder(machine, tuning)
        builder.getModulePassManager().run(parsed, builder)
        self._engine = llvm.create_mcjit_compiler(parsed, machine)
        self._engine.finalize_object()
        COUNTERS.compiled += 1

    def address(self, name: str) -> int:
        """Return the address of a function."""
        return int(self._engine.get_function_address(name))


@cache
def _host() -> tuple[Any, str, str]:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def _target_machine(level: int) -> Any:
    """Return a new target machine: each engine owns, and destroys, the one it is made with."""
    target, cpu, features = _host()
    return target.create_target_machine(cpu=cpu, features=features, opt=level)


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
    return obstacle(program) or unavailable()


class PointKernel:
    """All outputs of a program at one point, in machine code; the same call as an `Interpreter` with floats."""

    def __init__(self, program: Program) -> None:
        self._code = MachineCode(point_function(program), 1)
        self._in = (ctypes.c_double * max(1, len(program.inputs)))()
        self._out = (ctypes.c_double * max(1, len(program.outputs)))()
        self._sizes = (len(program.inputs), len(program.outputs))
        prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
        self._call = prototype(self._code.address("point"))
        self._addresses = (ctypes.addressof(self._in), ctypes.addressof(self._out))

    def __call__(self, inputs: Sequence[float]) -> list[float]:
        self._in[: self._sizes[0]] = list(inputs)
        self._call(*self._addresses)
        return list(self._out[: self._sizes[1]])


Evaluator = PointKernel | Interpreter
