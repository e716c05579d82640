"""Text → tape: a Pratt parser that builds the tape directly, so no other reader ever sees the user's string.

Where people disagree about the meaning of a text (1/2x, sin^2(x), |a|b|), it is refused with both readings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Any, NamedTuple

from descend.errors import FormulaError, LimitError
from descend.expression.complaints import unclear_product, unexpected
from descend.expression.functions import CONDITIONS, SPELLINGS, TABLE
from descend.expression.limits import STANDARD, Limits
from descend.expression.tape import Formula, Tape
from descend.expression.tokens import GREEK, Token, tokenise

ADDITIVE, MULTIPLICATIVE, PREFIX, POWER = 10, 20, 30, 40
COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "=": "eq", "!=": "ne"}
STARTS_OPERAND = frozenset({"number", "name", "column", "(", "|"})
LATER = {"sum", "prod", "Sum", "Product", "Piecewise", "Heaviside"}
WORDS = frozenset({"and", "or", "not"})


class Model(NamedTuple):
    """A model `left = right` on one tape."""

    tape: Tape
    left: int
    right: int


def parse(text: str, *, names: Collection[str] = (), limits: Limits = STANDARD) -> Formula:
    """Read a formula.  `names` are known to be symbols, so `e` and `E` among them are not Euler's number.

    Raises `FormulaError` (what, and a caret at the place) and `LimitError`.
    """
    tokens = tokenise(text, limits)
    for token in tokens:
        if token.kind == "=":
            raise FormulaError(
                "a cost has no '='; for a model and data use fit, for a condition write where(a == b, ...)",
                text,
                token.position,
            )
    tape = Tape(limits.entries)
    return Formula(tape, _read(text, tokens, tape, names, limits))


def parse_model(text: str, *, names: Collection[str] = (), limits: Limits = STANDARD) -> Model:
    """Read a model `left = right`; see `parse`."""
    tokens = tokenise(text, limits)
    places = [i for i, token in enumerate(tokens) if token.kind == "="]
    wave = next((token for token in tokens if token.kind == "~"), None)
    if wave is not None:
        raise FormulaError("a model is written with its parameters: y = b0 + b1*x", text, wave.position)
    if len(places) != 1:
        where = tokens[places[1]].position if places else len(text)
        raise FormulaError("a model has one '=': y = b0 + b1*x", text, where)
    middle = places[0]
    tape = Tape(limits.entries)
    end = Token("end", "the '='", tokens[middle].position, False)
    left = _read(text, [*tokens[:middle], end], tape, names, limits)
    right = _read(text, tokens[middle + 1 :], tape, names, limits)
    return Model(tape, left, right)


def _read(text: str, tokens: list[Token], tape: Tape, names: Collection[str], limits: Limits) -> int:
    reader = _Reader(text, tokens, tape, names, limits)
    try:
        return reader.whole()
    except RecursionError:  # a raised limit, or a caller who is himself deep in calls
        raise LimitError(
            "the formula is nested more deeply than Python can follow", text, reader.token.position
        ) from None


class _Reader:
    def __init__(self, text: str, tokens: list[Token], tape: Tape, names: Collection[str], limits: Limits) -> None:
        self.text, self.tokens, self.tape, self.limits = text, tokens, tape, limits
        self.known = frozenset(names)
        self.position = 0
        self.depth = 0
        self.bars = 0  # open bars of |x|
        self.nodes = 0
        self.seen: set[str] = set()

    # -------------------------------------------------------------------------------------------------- helpers

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def fail(self, reason: str, token: Token | None = None) -> FormulaError:
        return FormulaError(reason, self.text, (token or self.token).position)

    def build(self, token: Token, make: Callable[..., int], *args: Any) -> int:
        """Count one operation, make(*args), and put the place of `token` into an error that the tape raises."""
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise LimitError(
                f"the formula has more than {self.limits.nodes:,} operations "
                f"(in Python, limits=descend.Limits(nodes=...) raises the limit)"
            )
        try:
            return make(*args)
        except FormulaError as error:
            if error.text is not None:
                raise
            raise type(error)(error.reason, self.text, token.position) from None

    def number(self, entry: int, token: Token) -> int:
        if self.tape[entry].op in CONDITIONS:
            raise self.fail("a condition stands where a number is needed; conditions belong into where(...)", token)
        return entry

    # -------------------------------------------------------------------------------------------------- grammar

    def whole(self) -> int:
        if self.token.kind == "end":
            raise self.fail("the formula is empty here")
        first = self.token
        result = self.number(self.expression(0), first)
        if self.token.kind != "end":
            raise self.unexpected()
        return result

    def unexpected(self) -> FormulaError:
        return self.fail(unexpected(self.tokens, self.position))

    def expression(self, least: int) -> int:
        """Read an expression whose operators bind at least as tightly as `least`."""
        self.depth += 1
        if self.depth > self.limits.nesting:
            raise LimitError(
                f"the formula is nested deeper than {self.limits.nesting} "
                f"(in Python, limits=descend.Limits(nesting=...) raises the limit)",
                self.text,
                self.token.position,
            )
        left = self.sum() if least <= ADDITIVE else self.product() if least <= MULTIPLICATIVE else self.signed()
        self.depth -= 1
        return left

    def sum(self) -> int:
        first = self.token
        terms = [self.product()]
        while self.token.kind in {"+", "-"}:
            operator = self.take()
            start = self.token
            term = self.number(self.product(), start)
            terms.append(self.build(operator, self.tape.neg, term) if operator.kind == "-" else term)
        if len(terms) == 1:
            return terms[0]
        self.number(terms[0], first)
        return self.build(first, self.tape.add, terms)

    def product(self) -> int:
        """Read a chain of products and quotients, left to right; runs of factors become one n-ary product."""
        first = self.token
        factors = [self.signed()]
        after_quotient = False
        while True:
            token = self.token
            if token.kind in {"*", "/"}:
                self.take()
                start = self.token
                right = self.number(self.signed(), start)
            elif self.juxtaposed(token):
                refusal = unclear_product(self.tokens, self.position, after_quotient=after_quotient)
                if refusal is not None:
                    raise self.fail(refusal, token)
                start = token
                right = self.number(self.signed(), start)
            else:
                break
            self.number(factors[0], first)
            if token.kind == "/":
                left = self.build(token, self.tape.mul, factors)
                factors = [self.build(token, self.tape.div, left, right)]
            else:
                factors.append(right)
            after_quotient = token.kind == "/"
        return factors[0] if len(factors) == 1 else self.build(first, self.tape.mul, factors)

    def juxtaposed(self, token: Token) -> bool:
        if token.kind == "|":
            return not self.bars
        return token.kind in STARTS_OPERAND and not (token.kind == "name" and token.text in WORDS)

    def signed(self) -> int:
        signs = []
        while self.token.kind in {"+", "-"}:
            signs.append(self.take())
        start = self.token
        result = self.power()
        if signs:
            self.number(result, start)
        if sum(sign.kind == "-" for sign in signs) % 2:
            result = self.build(signs[0], self.tape.neg, result)
        return result

    def power(self) -> int:
        start = self.token
        base = self.operand()
        token = self.token
        if token.kind == "power":
            self.take()
            self.number(base, start)
            exponent = self.tape.constant(token.value or 0)
            if self.token.kind in {"power", "^", "**"}:
                raise self.fail("two powers in a row can be read in two ways; write the brackets")
            return self.build(token, self.tape.pow, base, exponent)
        if token.kind not in {"^", "**"}:
            return base
        self.take()
        self.number(base, start)
        begin = self.token
        exponent = self.number(self.expression(PREFIX), begin)
        value = self.tape.value(exponent)
        if value is not None and abs(value) > self.limits.power:
            raise LimitError(
                f"a constant power is limited to exponents of {self.limits.power:,} "
                f"(in Python, limits=descend.Limits(power=...) raises the limit)",
                self.text,
                begin.position,
            )
        return self.build(token, self.tape.pow, base, exponent)

    def operand(self) -> int:
        token = self.token
        match token.kind:
            case "number":
                self.take()
                return self.build(token, self.tape.constant, token.value)
            case "name":
                return self.named(self.take())
            case "column":
                self.take()
                if self.known and "=" in self.text and token.text not in self.known:
                    raise self.fail("there is no column of this name (a parameter is written without backticks)", token)
                return self.symbol(token)
            case "(":
                self.take()
                bars, self.bars = self.bars, 0
                inner = self.condition()
                self.bars = bars
                self.close(token)
                return inner
            case "|":
                return self.absolute(self.take())
        raise self.unexpected()

    def close(self, opened: Token) -> None:
        if self.token.kind != ")":
            if self.token.kind == "end":
                raise self.fail("this bracket is not closed", opened)
            raise self.unexpected()
        self.take()

    def absolute(self, opened: Token) -> int:
        self.bars += 1
        start = self.token
        if start.kind == "|":
            raise self.fail("two bars in a row can be read in two ways; write abs(...)")
        inner = self.number(self.expression(0), start)
        if self.token.kind != "|":
            raise self.fail("these bars are not closed", opened)
        self.take()
        self.bars -= 1
        return self.build(opened, self.tape.call, "abs", inner)

    def named(self, token: Token) -> int:
        name = token.text
        calls = self.token.kind == "("
        written = self.text[token.position : self.token.position].rstrip()
        if written != name and written in self.known:  # a column called λ or x₁ keeps its own spelling
            return self.symbol(token._replace(text=written))
        if name in self.known and not (calls and name in SPELLINGS):
            return self.symbol(token)
        if name in SPELLINGS:
            return self.call(token)
        if name in LATER and calls:
            raise self.fail(f"{name}(...) is not in this version yet", token)
        if name in WORDS:
            raise self.fail(f"'{name}' only stands between conditions inside where(...)", token)
        if name in {"e", "E"}:
            return self.tape.call("exp", self.tape.constant(1))
        if name == "pi":
            return self.tape.call("pi")
        letters = name.rstrip("0123456789_")
        if calls and not self.token.spaced and len(letters) > 1 and self.text[token.position] not in GREEK:
            close = get_close_matches(name, SPELLINGS, n=1, cutoff=0.7)
            hint = f"did you mean {close[0]}?" if close else f"for a product write {name}*(...)"
            raise self.fail(f"{name} is not a function that descend knows; {hint}", token)
        return self.symbol(token)

    def symbol(self, token: Token) -> int:
        self.seen.add(token.text)
        if len(self.seen) > self.limits.names:
            raise LimitError(
                f"the formula has more than {self.limits.names} names "
                f"(in Python, limits=descend.Limits(names=...) raises the limit)"
            )
        return self.build(token, self.tape.symbol, token.text)

    def call(self, token: Token) -> int:
        name = token.text
        if self.token.kind in {"^", "**", "power"}:
            raise self.fail(f"{name}^2(x) can be read in two ways; write {name}(x)^2 or {name}({name}(x))")
        if self.token.kind != "(":
            raise self.fail(f"{name} is a function and needs brackets: {name}(x)", token)
        opened = self.take()
        bars, self.bars = self.bars, 0
        args: list[int] = []
        while self.token.kind != ")":
            start = self.token
            inner = self.condition()
            if SPELLINGS[name] != "where" or args:
                self.number(inner, start)
            elif self.tape[inner].op not in CONDITIONS:
                raise self.fail("the first argument of where is a condition, x > 0 for instance", start)
            args.append(inner)
            if self.token.kind != ",":
                break
            comma = self.take()
            if self.token.kind == ")":
                raise self.fail("an argument is missing after this comma", comma)
        self.bars = bars
        self.close(opened)
        row = TABLE[SPELLINGS[name]]
        least, most = row.arity
        if len(args) < least or (most is not None and len(args) > most):
            wanted = f"{least}" if least == most else f"at least {least}"
            raise self.fail(f"{name} takes {wanted} argument{'s' * (least != 1)}, not {len(args)}", token)
        if most is None and len(args) == 1:
            return args[0]
        return self.build(token, self.tape.call, row.name, *args)

    # ----------------------------------------------------------------------------------------------- conditions

    def condition(self) -> int:
        """Read comparisons joined by or, and, not (which bind in this order, more and more tightly)."""
        start = self.token
        either: int | None = None  # what stands before the last `or`
        both = self.negated()
        while self.token.kind == "name" and self.token.text in {"and", "or"}:
            operator = self.take()
            other = self.negated()
            if not {self.tape[both].op, self.tape[other].op} <= CONDITIONS:
                raise self.fail(f"'{operator.text}' stands between two conditions", start)
            if operator.text == "and":
                both = self.build(operator, self.tape.call, "and", both, other)
            else:
                either = both if either is None else self.build(operator, self.tape.call, "or", either, both)
                both = other
        return both if either is None else self.build(start, self.tape.call, "or", either, both)

    def negated(self) -> int:
        operators = []
        while self.token.kind == "name" and self.token.text == "not" and "not" not in self.known:
            operators.append(self.take())
        result = self.comparison()
        if operators and self.tape[result].op not in CONDITIONS:
            raise self.fail("'not' stands before a condition", operators[-1])
        for operator in operators:
            result = self.build(operator, self.tape.call, "not", result)
        return result

    def comparison(self) -> int:
        start = self.token
        left = self.expression(0)
        result: int | None = None
        while self.token.kind in COMPARISONS:
            operator = self.take()
            begin = self.token
            right = self.number(self.expression(0), begin)
            self.number(left, start)
            one = self.build(operator, self.compare, COMPARISONS[operator.kind], left, right)
            result = one if result is None else self.tape.call("and", result, one)
            left = right
        return left if result is None else result

    def compare(self, kind: str, a: int, b: int) -> int:
        match kind:
            case "gt":
                return self.tape.call("lt", b, a)
            case "ge":
                return self.tape.call("le", b, a)
            case "ne":
                return self.tape.call("not", self.tape.call("eq", a, b))
        return self.tape.call(kind, a, b)
