"""A derivative as a person would write it: another tape, for reading only.

Reverse mode leaves what no one writes: sums in sums, -log(x)/x² + 1/x², (1+x)/(1+x)⁴, x^(-3).  Here sums are
flattened and begin with a positive term, powers above and below the line are joined, negative powers go below it, and
functions that exist for the sake of digits are written as what they stand for.  The function and its domain stay: x/x
becomes 1 only where log(x) stands beside it.  Rounding may change, so nothing is computed from such a tape.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from descend.errors import FormulaError
from descend.expression import binders
from descend.expression.layout import Product, product
from descend.expression.tape import Entry, Tape

MOST = 20_000  # entries: what is longer is not read by anyone
NEVER_ZERO = frozenset({"exp", "pi", "cosh", "sigmoid", "softplus"})
LOGARITHMS = frozenset({"log", "log2", "log10"})


def tidy(tape: Tape, root: int) -> tuple[Tape, int]:
    """Return the same function on a tape that reads well (or as it is, where it is long).

    >>> from descend.expression.parse import parse
    >>> from descend.expression.write import to_text
    >>> to_text(*tidy(*parse("-log(x)/x^2 + 1/x^2 + 3*(x - 1)/(x - 1)^3")))
    '1/x^2 - log(x)/x^2 + 3/(x - 1)^2'
    """
    order = tape.reachable((root,))
    if len(order) > MOST:
        return tape, root
    try:
        work = _Tidy(tape, root)
        for index in order:
            work.known[index] = work.entry(index)
    except FormulaError:  # a constant has become too long
        return tape, root
    return work.new, work.known[root]


class _Tidy:
    def __init__(self, tape: Tape, root: int) -> None:
        self.tape, self.new = tape, Tape()
        self.known: dict[int, int] = {}
        self.uses: dict[int, int] = {}
        self.inner: set[int] = set()  # factors that some product takes in: it alone is put in order
        for index in tape.reachable((root,)):
            op, args, _ = tape[index]
            for arg in args:
                self.uses[arg] = self.uses.get(arg, 0) + 1
            self.inner |= set(args[:1] if op == "div" else args if op in {"mul", "neg"} else ())
        self.positive = _under_logarithms(tape, root)

    def entry(self, index: int) -> int:
        entry, new = self.tape[index], self.new
        args = tuple(self.known[a] for a in entry.args)
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                return new.constant(entry.value)
            case "symbol":
                return new.symbol(str(entry.value))
            case "index":
                assert isinstance(entry.value, int)
                return new.index(entry.value)
            case "add":
                return self.sum(entry.args)
            case "pow" if (twice := self._half_angle(entry)) is not None:
                return twice
            case "mul" | "div" | "neg" if index in self.inner and self.uses[index] == 1:
                return new.call(entry.op, *args)
            case "mul" | "div" | "neg" | "pow":
                return self.product(new.call(entry.op, *args))
            case "sum":
                assert isinstance(entry.value, int)
                factor, core = new.factor(args[0])
                return new.mul((new.constant(factor), binders.bind(new, "sum", entry.value, (core, *args[1:]))))
            case op if op == "access" or op in binders.BINDERS:
                return new.rebuild(entry, args)
        return self.familiar(entry, args)

    # --------------------------------------------------------------------------------------------------------- sums

    def sum(self, terms: Sequence[int]) -> int:
        """Add terms, those of an inner sum (which stands nowhere else) among them."""
        new = self.new
        parts: list[int] = []
        for term in terms:
            factor, core = new.factor(self.known[term])
            alone = self.uses.get(term, 0) < 2 and abs(factor) == 1 and new[core].op == "add"
            parts += [new.mul((new.constant(factor), part)) for part in (new[core].args if alone else (core,))]
        return self.ordered(new.add(self.alike(parts)))

    def alike(self, terms: Sequence[int]) -> list[int]:
        """Give terms that read the same, a·(b/c) and (a·b)/c, one form, so that they are collected."""
        new = self.new
        seen: dict[object, int] = {}
        result = []
        for term in terms:
            if new[term].op not in {"mul", "div", "neg"}:
                result.append(term)
                continue
            constant, tops, bottoms = product(new, term)
            core = seen.setdefault((frozenset(tops.items()), frozenset(bottoms.items())), term)
            base = product(new, core).constant
            result.append(term if core == term or not base else new.mul((new.constant(constant / base), core)))
        return result

    def ordered(self, index: int) -> int:
        """Put a positive term first, if there is one."""
        entry = self.new[index]
        if entry.op != "add" or not self.negative(entry.args[0]):
            return index
        first = next((term for term in entry.args if not self.negative(term)), None)
        if first is None:
            return index
        rest = tuple(term for term in entry.args if term != first)
        # Sums of the same terms are one entry whatever their order.  This tape is nobody else's: it is put right there.
        self.new.entries[index] = Entry("add", (first, *rest), None)
        return index

    def negative(self, index: int) -> bool:
        value = self.new.value(index)
        if value is not None:
            return value < 0
        return self.new[index].op in {"neg", "mul", "div"} and product(self.new, index).constant < 0

    # ----------------------------------------------------------------------------------------------------- products

    def product(self, index: int) -> int:
        """Join the powers above and below the line; where a factor is not known to be other than 0, one stays below."""
        new = self.new
        if new[index].op not in {"mul", "div", "neg", "pow"}:
            return index
        parts = product(new, index)
        tops, bottoms = dict(parts.tops), dict(parts.bottoms)
        self._below(tops, bottoms)
        for base in [base for base in tops if base in bottoms]:
            above, below = tops.pop(base), bottoms.pop(base)
            keep = 0 if self.never_zero(base) or above < below else min(above, below)
            joined = above - below
            if keep:
                tops[base], bottoms[base] = above, below
            elif joined:
                (tops if joined > 0 else bottoms)[base] = abs(joined)
        constant = parts.constant
        if constant == -1:
            constant = self._turned(tops)
        if (constant, tops, bottoms) == parts:
            return index
        return self._rebuilt(Product(constant, tops, bottoms))

    def _below(self, tops: dict[int, int], bottoms: dict[int, int]) -> None:
        """Move x^(-2), and the x of (1/x)^2, below the line."""
        new = self.new
        for index, count in list(tops.items()):
            op, args, _ = new[index]
            if op == "div" and new.value(args[0]) == 1:
                base, power = args[1], 1
            elif op == "pow" and (exponent := new.value(args[1])) is not None and exponent < 0:
                whole = exponent.denominator == 1
                base = args[0] if whole else new.pow(args[0], new.constant(-exponent))
                power = -exponent.numerator if whole else 1
            else:
                continue
            del tops[index]
            bottoms[base] = bottoms.get(base, 0) + count * power

    def _turned(self, tops: dict[int, int]) -> Fraction:
        """Write -(x - y) as y - x: take a minus into a sum of both signs.  Return the sign that is left."""
        for index, count in tops.items():
            entry = self.new[index]
            if entry.op == "add" and count == 1 and any(map(self.negative, entry.args)):
                turned = self.ordered(self.new.add([self.new.neg(term) for term in entry.args]))
                del tops[index]
                tops[turned] = tops.get(turned, 0) + 1
                return Fraction(1)
        return Fraction(-1)

    def _rebuilt(self, parts: Product) -> int:
        new = self.new
        top, bottom = (
            [new.pow(base, new.constant(count)) for base, count in side.items()] for side in (parts.tops, parts.bottoms)
        )
        constant = parts.constant
        above = new.mul([new.constant(constant.numerator), *top])
        if not bottom and constant.denominator == 1:
            return above
        return new.div(above, new.mul([new.constant(constant.denominator), *bottom]))

    def never_zero(self, index: int) -> bool:
        """Say whether an entry is surely not 0 wherever the whole is defined."""
        positive = {self.known.get(i) for i in self.positive}
        seen, todo = {index}, [index]
        while todo:
            here = todo.pop()
            op, args, _ = self.new[here]
            if op in {"sqrt", "mul"}:
                todo += [a for a in args if a not in seen]
                seen.update(args)
            elif not (op in NEVER_ZERO or here in positive or self.new.value(here)):
                return False
        return True

    # ---------------------------------------------------------------------------------------------------- functions

    def _half_angle(self, entry: Entry) -> int | None:
        """Write sech(x/2)^2, which the derivative of a sigmoid is made of, as 4·sigmoid(x)·sigmoid(-x)."""
        new = self.new
        base = self.tape[entry.args[0]]
        if base.op != "sech" or self.tape.value(entry.args[1]) != 2:
            return None
        half, core = new.factor(self.known[base.args[0]])
        if abs(half) != Fraction(1, 2):
            return None
        return new.mul([new.constant(4), new.call("sigmoid", core), new.call("sigmoid", new.neg(core))])

    def familiar(self, entry: Entry, args: tuple[int, ...]) -> int:
        """Write functions that exist for the sake of digits as what they stand for."""
        new = self.new
        match entry.op:
            case "dircos":
                return new.div(args[0], new.call("hypot", *args))
            case "onemsq":
                return new.sub(new.constant(1), new.pow(args[0], new.constant(2)))
            case "bose":
                return new.div(new.constant(1), new.call("expm1", args[0]))
            case "softmax" if len(args) == 2:
                return new.call("sigmoid", new.sub(*args))
            case "sech":
                return new.div(new.constant(1), new.call("cosh", args[0]))
        return new.call(entry.op, *args)


def _under_logarithms(tape: Tape, root: int) -> set[int]:
    """Return what stands in a logarithm that is always worked out: it is positive wherever the whole is defined."""
    seen, todo, found = {root}, [root], set()
    while todo:
        op, args, _ = tape[todo.pop()]
        if op == "where" or op in binders.BINDERS:  # a branch may not be taken, a range may be empty
            continue
        found |= set(args) if op in LOGARITHMS else set()
        todo += [a for a in args if a not in seen]
        seen.update(args)
    return found
