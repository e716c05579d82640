"""The reader of formulas: a Pratt parser that builds the tape directly.

Here are operators, brackets, names and conditions; `called_text.py` reads calls, `indexed_text.py` sums and entries of
arrays.  Where people disagree about the meaning of a text (1/2x, sin^2(x), |a|b|), it is refused with both readings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from descend.errors import FormulaError, nearest, printable
from descend.expression.called_text import SYMPY, call, truth
from descend.expression.complaints import (
    BINDING,
    CALLED,
    PAIR,
    WORDS,
    spelled,
    unclear_product,
    unexpected,
    unknown_function,
)
from descend.expression.functions import CONDITIONS, SPELLINGS
from descend.expression.habits import stray_word
from descend.expression.indexed_text import Brackets, array_entry, bound_sum, index, lookalike, pair
from descend.expression.limits import Limits, beyond
from descend.expression.tape import Tape
from descend.expression.tokens import GREEK, Token
from descend.expression.whole import Restriction

ADDITIVE, MULTIPLICATIVE, PREFIX = 10, 20, 30
COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "=": "eq", "!=": "ne"}
STARTS_OPERAND = frozenset({"number", "name", "column", "(", "|"})


class Reader:
    """Reads the tokens of one text, or of one side of a model after the other, onto a tape."""

    def __init__(self, text: str, tape: Tape, names: Collection[str], limits: Limits) -> None:
        self.text, self.tape, self.limits = text, tape, limits
        self.known = frozenset(names)
        self.tokens: list[Token] = []
        self.position = 0
        self.depth = 0
        self.bars = 0  # open bars of |x|
        self.nodes = 0
        self.used: dict[str, bool] = {}  # the names so far: is it an array?
        self.scope: dict[str, int | None] = {}  # index in scope → its entry, None where it must not stand
        self.open = 0  # sums and products around this place
        self.inside: Restriction | None = None  # within square brackets or a bound
        self.truths = False  # whether True and False are conditions here
        self._brackets: Brackets | None = None

    def read(self, tokens: list[Token]) -> int:
        """Read tokens, the last of kind ``end``, and return their entry."""
        self.tokens, self.position, self._brackets = tokens, 0, None
        if self.token.kind == "end":
            raise self.fail("the formula is empty here")
        first = self.token
        result = self.number(self.expression(0), first)
        if self.token.kind != "end":
            raise self.unexpected()
        return result

    # -------------------------------------------------------------------------------------------------- helpers

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.position]

    @property
    def brackets(self) -> Brackets:
        """How the brackets of the tokens pair; only sums need it."""
        if self._brackets is None:
            self._brackets = pair(self.tokens)
        return self._brackets

    def take(self) -> Token:
        """Return the next token and step over it."""
        token = self.tokens[self.position]
        self.position += 1
        return token

    def fail(self, reason: str, token: Token | None = None) -> FormulaError:
        """Return the error that says `reason` with a caret under `token` (or under the next one)."""
        return FormulaError(reason, self.text, (token or self.token).position)

    def unexpected(self) -> FormulaError:
        """Return the error that says why the next token cannot stand there."""
        return self.fail(unexpected(self.tokens, self.position))

    def allow(self, token: Token, function: str = "") -> None:
        """Refuse what may not stand within square brackets or a bound: all but a few functions."""
        if self.inside is not None and function not in self.inside.functions:
            raise self.fail(self.inside.says, token)

    def end_at(self, position: int) -> None:
        """Refuse the next token where reading should have come to another one."""
        if self.position != position:
            raise self.unexpected()

    def build(self, token: Token, make: Callable[..., int], *args: Any) -> int:
        """Count one operation, make(*args), and put the place of `token` into an error that the tape raises."""
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise beyond(
                "nodes", f"the formula has more than {self.limits.nodes:,} operations", self.text, token.position
            )
        try:
            return make(*args)
        except FormulaError as error:
            if error.text is not None:
                raise
            raise type(error)(error.reason, self.text, token.position) from None

    def number(self, entry: int, token: Token) -> int:
        """Refuse an entry that is a condition; `token` is where it begins."""
        if self.tape[entry].op in CONDITIONS:
            raise self.fail("a condition stands where a number is needed; conditions belong into where(...)", token)
        return entry

    # ------------------------------------------------------------------------------------------------ operators

    def expression(self, least: int) -> int:
        """Read an expression whose operators bind at least as tightly as `least`."""
        self.depth += 1
        if self.depth > self.limits.nesting:
            raise beyond(
                "nesting", f"the formula is nested deeper than {self.limits.nesting:,}", self.text, self.token.position
            )
        left = self.sum() if least <= ADDITIVE else self.product() if least <= MULTIPLICATIVE else self.signed()
        self.depth -= 1
        return left

    def sum(self) -> int:
        """Read terms."""
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
        """Say whether `token` may be a factor without a sign before it."""
        if token.kind == "|":
            return not self.bars
        return token.kind in STARTS_OPERAND and not (token.kind == "name" and token.text in WORDS)

    def signed(self) -> int:
        """Read a power with signs before it."""
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
        """Read an operand and its exponent."""
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
            raise beyond(
                "power",
                f"a constant power is limited to exponents of {self.limits.power:,}",
                self.text,
                begin.position,
            )
        return self.build(token, self.tape.pow, base, exponent)

    # ------------------------------------------------------------------------------------------------- operands

    def operand(self) -> int:
        """Read a number, a name, a call or brackets."""
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
                    near = nearest(token.text, self.known)
                    hint = f"did you mean `{near}`?" if near else "a parameter is written without backticks"
                    raise self.fail(f"there is no column of this name; {hint}", token)
                return self.variable(token)
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
        """Take the bracket that closes `opened`."""
        if self.token.kind == PAIR[opened.kind]:
            self.take()
        elif self.token.kind == "end":
            raise self.fail("this bracket is not closed", opened)
        else:
            raise self.unexpected()

    def absolute(self, opened: Token) -> int:
        """Read |x|."""
        self.allow(opened)
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
        """Read what begins with a name: an index, a variable, an entry of an array, a call, a constant."""
        name, following = token.text, self.token.kind
        if name in self.scope:
            return self.build(token, index, self, token)
        written = self.text[token.position : self.token.position].rstrip()
        if written != name and written in self.known:  # a column called λ or x₁ keeps its own spelling
            return self.variable(token._replace(text=written))
        calls = following == "("
        if name in self.known and not (calls and name in CALLED):
            return self.variable(token)
        if name in SPELLINGS:
            return call(self, token)
        if calls and name in BINDING:
            return bound_sum(self, token)
        if calls and name in SYMPY:
            return SYMPY[name](self, token)
        if name in WORDS:
            raise self.fail(f"'{name}' only stands between conditions inside where(...)", token)
        if self.truths and name in {"True", "False"}:
            always = truth(self.tape)
            return always if name == "True" else self.build(token, self.tape.call, "not", always)
        if following != "[" and name in {"e", "E", "pi"}:
            self.allow(token)
            what = ("pi",) if name == "pi" else ("exp", self.tape.constant(1))
            return self.build(token, self.tape.call, *what)
        bracket = self.brackets.pairs.get(self.position) if calls else None
        stray = stray_word(self.text, self.tokens, self.position - 1, len(bracket.commas) if bracket else 0)
        if stray is not None:
            raise self.fail(stray, token)
        letters = name.rstrip("0123456789_")
        called = calls and len(letters) > 1 and self.text[token.position] not in GREEK
        if called and (not self.token.spaced or spelled(name)):
            raise self.fail(lookalike(self, token) or unknown_function(name, self.known), token)
        return self.variable(token)

    def variable(self, token: Token) -> int:
        """Return the symbol called as `token` says, or the entry of the array where square brackets follow."""
        if self.token.kind == "[":
            return array_entry(self, token)
        if (reason := lookalike(self, token)) is not None:
            raise self.fail(reason, token)
        self.use(token, array=False)
        return self.build(token, self.tape.symbol, token.text)

    def use(self, token: Token, *, array: bool) -> None:
        """Keep account of a name: how many there are, and that none is both a number and an array."""
        if self.used.setdefault(token.text, array) is not array:
            name = printable(token.text, 32)
            says = f"{name} stands alone elsewhere" if array else f"{name} is an array elsewhere: {name}[...]"
            raise self.fail(f"{says}; a name is either a number or an array", token)
        if len(self.used) > self.limits.names:
            raise beyond("names", f"the formula has more than {self.limits.names:,} names", self.text, token.position)

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
        """Read a comparison with `not` before it."""
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
        """Read a < b <= c, or an expression."""
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
        """Return the condition `a kind b`."""
        match kind:
            case "gt":
                return self.tape.call("lt", b, a)
            case "ge":
                return self.tape.call("le", b, a)
            case "ne":
                return self.tape.call("not", self.tape.call("eq", a, b))
        return self.tape.call(kind, a, b)
