"""Program → LLVM IR, as text made of generated names only (%v0, %v1, ...): no user's string reaches LLVM.

No fast-math flag is set on the user's operations, so machine code and interpreter give the same bits wherever they
call the same C library, and NaN survives everywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence

from descend.kernel import chebyshev, polygamma
from descend.kernel.program import Program, to_double

# How each primitive is spelled: an instruction, an intrinsic of LLVM or a function of the C library; None where
# neither exists (the interpreter answers, and says so).
NATIVE = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
COMPARISONS = {"lt": "olt", "le": "ole", "eq": "oeq"}
TRUTH = {"and": "and", "or": "or"}
INTRINSICS = {"sqrt": "sqrt", "abs": "fabs", "floor": "floor", "ceil": "ceil", "min": "minimum", "max": "maximum"}
LIBRARY = {
    "pow": "pow", "exp": "exp", "log": "log", "log2": "log2", "log10": "log10", "log1p": "log1p", "expm1": "expm1",
    "cbrt": "cbrt", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan",
    "atan2": "atan2", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "asinh", "acosh": "acosh",
    "atanh": "atanh", "erf": "erf", "erfc": "erfc", "gammaln": "lgamma",
}  # fmt: skip
# Functions of our own that a module brings along where one is called: (their text, what that declares).
HELPERS = {
    "chebyshev": (chebyshev.HELPER, chebyshev.DECLARED),
    "polygamma": (polygamma.HELPER, polygamma.DECLARED),
}
SPELLED_OUT = {"constant", "neg", "where", "not"}  # written in `Body.instruction`
NO_MACHINE_CODE: dict[str, str] = {}  # operation → why the interpreter has to do
MOST_INSTRUCTIONS = 1_000_000  # that are compiled at all: half a minute


def obstacle(program: Program) -> str | None:
    """Return why `program` has no machine code, or None when it has."""
    if len(program.instructions) > MOST_INSTRUCTIONS:
        return f"{len(program.instructions):,} operations are more than the {MOST_INSTRUCTIONS:,} that are compiled"
    for instruction in program.instructions:
        if instruction.op in NO_MACHINE_CODE:
            return NO_MACHINE_CODE[instruction.op]
    return None


def double(value: float) -> str:
    """Return a double as LLVM writes it exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Body:
    """The lines of one function while it is written, and the functions that it calls.

    With `lanes` > 1 every number is a vector of so many doubles, and every condition one of so many truth values.
    """

    def __init__(self, lanes: int = 1) -> None:
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self.helpers: dict[str, str] = {}  # name → definition
        self.lanes = lanes
        self.kind = f"<{lanes} x double>" if lanes > 1 else "double"
        self.truth = f"<{lanes} x i1>" if lanes > 1 else "i1"
        self.suffix = f"v{lanes}f64" if lanes > 1 else "f64"  # of LLVM's intrinsics
        self._fresh = 0

    def fresh(self) -> str:
        """Return a new generated name."""
        self._fresh += 1
        return f"%v{self._fresh}"

    def emit(self, text: str) -> str:
        """Write `name = text` and return the name."""
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def write(self, text: str) -> None:
        """Write a line that has no value."""
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        """Start a block."""
        self.lines.append(f"{name}:")

    def load(self, pointer: str, index: int | str, kind: str = "double") -> str:
        """Load the scalar `pointer[index]`."""
        place = self.emit(f"getelementptr inbounds {kind}, ptr {pointer}, i64 {index}")
        return self.emit(f"load {kind}, ptr {place}, align 8")

    def store(self, value: str, pointer: str, index: int | str, kind: str = "double") -> None:
        """Store the scalar `value` into `pointer[index]`."""
        place = self.emit(f"getelementptr inbounds {kind}, ptr {pointer}, i64 {index}")
        self.write(f"store {kind} {value}, ptr {place}, align 8")

    def number(self, value: float) -> str:
        """Return a constant, the same in all lanes."""
        return f"splat (double {double(value)})" if self.lanes > 1 else double(value)

    def spread(self, scalar: str) -> str:
        """Return a scalar double in all lanes."""
        if self.lanes == 1:
            return scalar
        first = self.emit(f"insertelement {self.kind} poison, double {scalar}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {self.kind} {first}, {self.kind} poison, {zeros}")

    def intrinsic(self, name: str, *args: str) -> str:
        """Call an intrinsic of LLVM (``sqrt``, ``fabs``, ``maximum``) on numbers."""
        return self.call(f"llvm.{name}.{self.suffix}", *args)

    def call(self, name: str, *args: str, kind: str = "", attributes: str = "#1") -> str:
        """Call a function without side effects, all of whose arguments and result are of one `kind`."""
        kind = kind or self.kind
        self.declared.add(f"declare {kind} @{name}({', '.join([kind] * len(args))}) #1")
        return self.emit(f"call {kind} @{name}({', '.join(f'{kind} {a}' for a in args)}) {attributes}")

    def library(self, name: str, *args: str) -> str:
        """Call a function of the C library, lane by lane."""
        # LLVM would make exp2(3x) of pow(8, x), which has other last bits (and fewer right ones).
        attributes = "#2" if name == "pow" else "#1"
        return self._by_lane(lambda *a: self.call(name, *a, kind="double", attributes=attributes), args)

    def helper(self, name: str, *args: str) -> str:
        """Call a function of `HELPERS`, lane by lane."""
        text, declared = HELPERS[name]
        self.helpers[name] = text
        self.declared.update(declared)

        def once(*one: str) -> str:
            return self.emit(f"call double @{name}({', '.join(f'double {a}' for a in one)}) #1")

        return self._by_lane(once, args)

    def _by_lane(self, once: Callable[..., str], args: Sequence[str]) -> str:
        if self.lanes == 1:
            return once(*args)
        result = "poison"
        for lane in range(self.lanes):
            scalars = [self.emit(f"extractelement {self.kind} {a}, i64 {lane}") for a in args]
            value = once(*scalars)
            result = self.emit(f"insertelement {self.kind} {result}, double {value}, i64 {lane}")
        return result

    def instruction(self, op: str, args: Sequence[str], constant: float | None = None) -> str:
        """Write one primitive operation and return the name of its result."""
        if op == "constant":
            assert constant is not None
            return self.number(constant)
        if op in NATIVE:
            return self.emit(f"{NATIVE[op]} {self.kind} {args[0]}, {args[1]}")
        if op == "neg":
            return self.emit(f"fneg {self.kind} {args[0]}")
        if op in COMPARISONS:
            return self.emit(f"fcmp {COMPARISONS[op]} {self.kind} {args[0]}, {args[1]}")
        if op in TRUTH:
            return self.emit(f"{TRUTH[op]} {self.truth} {args[0]}, {args[1]}")
        if op == "not":
            true = "true" if self.lanes == 1 else "splat (i1 true)"
            return self.emit(f"xor {self.truth} {args[0]}, {true}")
        if op == "where":
            return self.emit(f"select {self.truth} {args[0]}, {self.kind} {args[1]}, {self.kind} {args[2]}")
        if op in HELPERS:
            return self.helper(op, *args)
        if op in INTRINSICS:
            return self.intrinsic(INTRINSICS[op], *args)
        return self.library(LIBRARY[op], *args)

    def program(self, program: Program, names: list[str], wanted: Iterable[int] | None = None) -> None:
        """Write the instructions of `program` that are in `wanted` (slots; None: all) into `names`, slot by slot."""
        first = len(program.inputs)
        chosen = range(first, program.slots) if wanted is None else wanted
        for slot in chosen:
            instruction = program.instructions[slot - first]
            constant = None if instruction.value is None else to_double(instruction.value)
            names[slot] = self.instruction(self.spelling(program, slot), [names[a] for a in instruction.args], constant)

    def spelling(self, program: Program, slot: int) -> str:
        """Return the operation of a slot, or one that is equal where its argument is known to lie."""
        return program.instructions[slot - len(program.inputs)].op


ATTRIBUTES = """
attributes #0 = { nounwind }
attributes #1 = { nounwind willreturn memory(none) }
attributes #2 = { nobuiltin nounwind willreturn memory(none) }
"""


def module(functions: Sequence[tuple[str, Body]]) -> str:
    """Return the text of a module: (head of the definition, body) of each function."""
    declared = sorted(set().union(*(body.declared for _, body in functions)))
    helpers = {name: text for _, body in functions for name, text in body.helpers.items()}
    parts = [*declared, *(helpers[name] for name in sorted(helpers))]
    for head, body in functions:
        parts += [f"define {head} #0 {{", *body.lines, "}"]
    return "\n".join(parts) + ATTRIBUTES
