"""Vector forms in loops over an index and in vector code: which is called, and that it is good there too."""

from __future__ import annotations

import os
import subprocess
import sys

import llvmlite.binding as llvm
import numpy as np
import pytest

from descend.expression.reverse import Loop, Scatter
from descend.expression.tape import Tape
from descend.kernel import elementary
from descend.kernel.elementary import ARGUMENTS
from descend.kernel.indexed import IndexedKernel
from descend.kernel.interpret import arrays
from descend.kernel.lower import module
from descend.kernel.nest import make_nest
from descend.kernel.target import NAMES, Target, target
from descend.kernel.vector_math import (
    INLINED,
    LATER,
    ONE,
    OURS_IN_LOOPS,
    TWO,
    LanesBody,
    VectorBody,
    variants,
    widths,
)
from tests.kernel.lanes import exactly, ulps

SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 5e-324, 1e-310, -1e-310, 1e308, -1e308, 709.7, 710])
SPECIAL = np.append(SPECIAL, [-745, -746, 1e22])


@pytest.fixture(params=NAMES)
def machine(request, monkeypatch):
    monkeypatch.setenv("DESCEND_TARGET", request.param)
    return target()


def optimised(text, machine):
    """What LLVM makes of a module."""
    llvm.initialize_all_targets()
    kind = llvm.Target.from_triple(machine.triple)
    compiler = kind.create_target_machine(cpu=machine.cpu, features=machine.features, opt=3)
    parsed = llvm.parse_assembly(text)
    parsed.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    builder = llvm.create_pass_builder(compiler, tuning)
    builder.getModulePassManager().run(parsed, builder)
    return str(parsed)


def scalar_loop(name, machine):
    """A loop of one call a round, for LLVM to vectorise."""
    body = VectorBody()
    body.target = machine
    body.label("entry")
    body.write("br label %loop")
    body.label("loop")
    body.write("%i = phi i64 [0, %entry], [%next, %loop]")
    arguments = [body.load(f"%in{k}", "%i") for k in range(ARGUMENTS.get(name, 1))]
    body.store(body.library(name, *arguments), "%out", "%i")
    body.write("%next = add nuw nsw i64 %i, 1")
    body.write("%more = icmp slt i64 %next, %n")
    body.write("br i1 %more, label %loop, label %done")
    body.label("done")
    body.write("ret void")
    return module([("void @f(ptr noalias %in0, ptr noalias %in1, ptr noalias %out, i64 %n)", body)]) + body.trailer()


def of_function(text, name):
    """The lines of one function of a module."""
    begin = text.index(f"@{name}(")
    return text[begin : text.index("\n}", begin)]


@pytest.mark.parametrize("name", elementary.FORMS)
def test_a_loop_is_vectorised(name, machine):
    text = of_function(optimised(scalar_loop(name, machine), machine), "f")
    libmvec = [full for full, lanes in variants(name, ARGUMENTS.get(name, 1), machine) if lanes == machine.lanes]
    ours = f"descend_{name}_v{machine.lanes}"
    called = libmvec[0] if libmvec and name not in OURS_IN_LOOPS else ours
    assert f"call <{machine.lanes} x double> @{called}(" in text


@pytest.mark.parametrize("name", ["exp", "sin", "pow", "atan2"])
def test_a_loop_is_vectorised_on_64_bit_arm(name):
    """Not run here; the calls of the ABI's vector functions are there."""
    machine = Target("generic", "aarch64-unknown-linux-gnu", "generic", "", 2, "")
    text = of_function(optimised(scalar_loop(name, machine), machine), "f")
    assert f"call <2 x double> @descend_{name}_v2(" in text


def test_calls_stay_scalar_where_the_abi_of_vector_functions_is_not_known():
    machine = Target("generic", "riscv64-unknown-linux-gnu", "generic", "", 2, "")
    assert widths(machine) == ()
    assert "call double @exp(" in scalar_loop("exp", machine)
    assert "vector-function-abi-variant" not in scalar_loop("exp", machine)


def test_vector_code_is_written_out_in_place_and_shared(machine):
    """exp is no call; sine and cosine of one number share its reduction; the 25th function is a call."""

    def operations(*names):
        body = LanesBody(machine.lanes)
        body.label("entry")
        x = body.emit(f"load {body.kind}, ptr %in, align 8")
        for k, name in enumerate(names):
            place = body.emit(f"getelementptr {body.kind}, ptr %out, i64 {k}")
            body.write(f"store {body.kind} {body.library(name, x)}, ptr {place}, align 8")
        body.write("ret void")
        text = optimised(module([("void @f(ptr noalias %in, ptr noalias %out)", body)]), machine)
        return of_function(text, "f")

    assert "@descend_" not in operations("exp")
    apart = operations("sin").count("\n") + operations("cos").count("\n")
    assert operations("sin", "cos").count("\n") < 0.8 * apart
    many = ["exp", "log", "tanh", "atan", "cbrt"] * 5
    assert "@descend_" not in operations(*many[:INLINED])
    assert operations(*many).count("@descend_") == len(many) - INLINED


def pointwise(op, *arguments):
    """op of arrays, by a loop that stores one result an entry."""
    tape = Tape()
    index = tape.index(0)
    names = "xy"[: len(arguments)]
    value = tape.call(op, *(tape.access(name, index) for name in names))
    size = len(arguments[0])
    loop = Loop(0, tape.constant(0), tape.constant(size - 1))
    kernel = IndexedKernel(make_nest(tape, [], [Scatter("g", index, value, (loop,))], []), dict.fromkeys("xyg", 0))
    result = np.zeros(size)
    kernel([], dict(zip(names, arguments, strict=True)), {"g": result})
    return result


@pytest.mark.parametrize("op", [*ONE, *LATER])
def test_four_units_in_the_last_place(op, machine):
    rng = np.random.default_rng(1)
    spread = rng.choice([-1, 1], 80) * 10.0 ** rng.uniform(-300, 300, 80)
    x = np.concatenate([rng.uniform(-1, 1, 80), rng.uniform(-30, 30, 80), spread, rng.uniform(-745, 709, 80)])
    found = pointwise(op, x)
    assert max(ulps(f, exactly(op, a)) for a, f in zip(x.tolist(), found.tolist(), strict=True)) <= 4


@pytest.mark.parametrize("op", [*ONE, *LATER])
def test_special_values_are_those_of_ieee_754(op, machine):
    with np.errstate(all="ignore"):
        expected = arrays()[op](SPECIAL)
    assert pointwise(op, SPECIAL) == pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)


@pytest.mark.parametrize("op", TWO)
def test_functions_of_two_arguments(op, machine):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0.01, 9, 300), rng.uniform(-9, 9, 300)
    found = pointwise(op, x, y)
    rows = zip(x.tolist(), y.tolist(), found.tolist(), strict=True)
    assert max(ulps(f, exactly(op, a, b)) for a, b, f in rows) <= 4


def test_powers_of_special_values(machine):
    a, b = (m.ravel() for m in np.meshgrid(SPECIAL, [0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -3.0, np.inf, np.nan]))
    with np.errstate(all="ignore"):
        expected = np.power(a, b)
    assert pointwise("pow", a, b) == pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)


@pytest.mark.parametrize("entries", [9, 49, 51])
@pytest.mark.parametrize("made_for", ["native", "generic"])
def test_a_power_in_a_loop_as_the_first_thing_compiled(made_for, entries):
    """LLVM looks through the process for pow only once it has made an engine."""
    script = f"""
import descend
print(descend.compile("sum(x[i]^p, i, 0, {entries - 1})", constants={{"p": 1.7}})([0.5]*{entries}))
"""
    environment = os.environ | {"DESCEND_TARGET": made_for, "DESCEND_CACHE": "off"}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert float(found.stdout) == pytest.approx(entries * 0.5**1.7, rel=1e-14)
