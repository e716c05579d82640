"""Program → LLVM IR, as text made of generated names only (%v0, %v1, ...): no user's string reaches LLVM.

No fast-math flag is set on the user's operations, so machine code and interpreter give the same bits wherever they
call the same C library.  Sums over rows may be reassociated (see `rows.py`), and NaN survives everywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from descend.kernel import chebyshev, polygamma
from descend.kernel.program import Program, to_double

# How each primitive is spelled: an instruction, an intrinsic of LLVM or a function of the C library; None where
# neither exists (the interpreter answers, and says so).
NATIVE = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
COMPARISONS = {"lt": "olt", "le": "ole", "eq": "oeq"}
TRUTH = {"and": "and", "or": "or"}
INTRINSICS = {
    "sqrt": "llvm.sqrt.f64", "abs": "llvm.fabs.f64", "floor": "llvm.floor.f64", "ceil": "llvm.ceil.f64",
    "min": "llvm.minimum.f64", "max": "llvm.maximum.f64",
}  # fmt: skip
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
MOST_INSTRUCTIONS = 50_000  # of one function: its frame (at worst 8 bytes each) must fit the stack of a thread


def obstacle(program: Program) -> str | None:
    """Return why `program` has no machine code, or None when it has."""
    if len(program.instructions) > MOST_INSTRUCTIONS:
        return f"{len(program.instructions):,} operations are more than the {MOST_INSTRUCTIONS:,} of one function"
    for instruction in program.instructions:
        if instruction.op in NO_MACHINE_CODE:
            return NO_MACHINE_CODE[instruction.op]
    return None


def double(value: float) -> str:
    """Return a double as LLVM writes it exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Body:
    """The lines of one function while it is written, and the functions that it calls."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self.helpers: dict[str, str] = {}  # name → definition
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
        """Load `pointer[index]`."""
        place = self.emit(f"getelementptr inbounds {kind}, ptr {pointer}, i64 {index}")
        return self.emit(f"load {kind}, ptr {place}, align 8")

    def store(self, value: str, pointer: str, index: int | str, kind: str = "double") -> None:
        """Store `value` into `pointer[index]`."""
        place = self.emit(f"getelementptr inbounds {kind}, ptr {pointer}, i64 {index}")
        self.write(f"store {kind} {value}, ptr {place}, align 8")

    def intrinsic(self, name: str, *args: str) -> str:
        """Call an intrinsic or a library function on doubles."""
        self.declared.add(f"declare double @{name}({', '.join(['double'] * len(args))}) #1")
        # LLVM would make exp2(3x) of pow(8, x), which has other last bits (and fewer right ones).
        attributes = "#2" if name == "pow" else "#1"
        return self.emit(f"call double @{name}({', '.join(f'double {a}' for a in args)}) {attributes}")

    def helper(self, name: str, *args: str) -> str:
        """Call a function of `HELPERS` on doubles."""
        text, declared = HELPERS[name]
        self.helpers[name] = text
        self.declared.update(declared)
        return self.emit(f"call double @{name}({', '.join(f'double {a}' for a in args)}) #1")

    def instruction(self, op: str, args: Sequence[str], constant: float | None = None) -> str:
        """Write one primitive operation and return the name of its result."""
        if op == "constant":
            assert constant is not None
            return double(constant)
        if op in NATIVE:
            return self.emit(f"{NATIVE[op]} double {args[0]}, {args[1]}")
        if op == "neg":
            return self.emit(f"fneg double {args[0]}")
        if op in COMPARISONS:
            return self.emit(f"fcmp {COMPARISONS[op]} double {args[0]}, {args[1]}")
        if op in TRUTH:
            return self.emit(f"{TRUTH[op]} i1 {args[0]}, {args[1]}")
        if op == "not":
            return self.emit(f"xor i1 {args[0]}, true")
        if op == "where":
            return self.emit(f"select i1 {args[0]}, double {args[1]}, double {args[2]}")
        if op in HELPERS:
            return self.helper(op, *args)
        return self.intrinsic(INTRINSICS.get(op) or LIBRARY[op], *args)

    def program(self, program: Program, names: list[str], wanted: Iterable[int] | None = None) -> None:
        """Write the instructions of `program` that are in `wanted` (slots; None: all) into `names`, slot by slot."""
        first = len(program.inputs)
        chosen = range(first, program.slots) if wanted is None else wanted
        for slot in chosen:
            instruction = program.instructions[slot - first]
            constant = None if instruction.value is None else to_double(instruction.value)
            names[slot] = self.instruction(instruction.op, [names[a] for a in instruction.args], constant)


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


def point_function(program: Program) -> str:
    """Return the module of ``void point(double* in, double* out)``: all outputs of `program` at one point."""
    body = Body()
    body.label("entry")
    names = [body.load("%in", k) for k in range(len(program.inputs))] + [""] * len(program.instructions)
    body.program(program, names)
    for k, slot in enumerate(program.outputs):
        body.store(names[slot], "%out", k)
    body.write("ret void")
    return module([("void @point(ptr noalias %in, ptr noalias %out)", body)])
