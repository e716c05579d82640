"""The code of a whole loop: the turn of a fixed-step method, its endings, its trace.

The update rule comes as a program (traced from the method's own `learn`), so loop and interpreter share one
definition; without reassociation they walk the same path, bit for bit.
"""

from __future__ import annotations

from descend.evaluation import COST_NOISE
from descend.kernel.guess import guess, worth_guessing
from descend.kernel.lengths import INFINITY, norm, squares
from descend.kernel.lower import Body, double, module
from descend.kernel.program import Program
from descend.kernel.shorten import calls_first, shortened
from descend.kernel.small_layout import (
    BAD_RATE,
    CARRIED,
    DOUBLES,
    IDLE_TOO_LONG,
    LOOKS,
    MAX_STEPS,
    NOT_FINITE,
    PATIENCE,
    ROWS,
    RUNNING,
    STEP_LIMIT,
    STEP_SMALL,
    STEPS_DONE,
    STRIDE,
    TAIL,
    UNMOVED,
    LoopRules,
    width,
)

WEIGHTS = '\n!0 = !{!"branch_weights", i32 1000, i32 1}\n'


def loop_function(program: Program, size: int, rules: LoopRules) -> str:
    """Return the module of ``i64 loop(double* d, i64* n, double* rows, i64 count)``.

    Inputs of `program`: the `size` variables, the number of the step, and the `rules.carried` numbers of the method's
    memory; outputs: cost, gradient, new variables, new memory and, with `rules.record` or `rules.rate`, the learning
    rate.  Each turn looks at x, keeps the best point, asks the rules, and updates.
    Returns why it ended (`RUNNING`: the slice is over, or there is no place for another row).
    """
    body = _Writer(shortened(program, size), size, rules).body
    head = "i64 @loop(ptr noalias %d, ptr noalias %n, ptr noalias %rows, i64 %count)"
    return module([(head, body)]) + WEIGHTS


class _Writer:
    """Writes the loop.  What a turn hands to the next lives in stack slots, of which LLVM makes registers.

    A look that is lower than any before, the usual one, takes the short way through ``turn``, ``seen``, ``keep``,
    ``learn`` and ``next``: branches that the processor predicts keep comparisons off the path from x to the next x.
    What ends the loop at the next look makes that look the ``last`` one, so that a turn asks once whether it is.
    The best point is copied from the tail when another one follows that is not better.
    """

    def __init__(self, program: Program, size: int, rules: LoopRules) -> None:
        self.size, self.rules = size, rules
        self.body = b = Body()
        self.numbers = (2 + TAIL) * size
        self.settled = 0
        self.enter()

        b.label("turn")
        self.x = [b.emit(f"load double, ptr {slot}") for slot in self.points]
        self.steps = self.get("steps")
        memory = [b.emit(f"load double, ptr {slot}") for slot in self.memory]
        names = [*self.x, b.emit(f"sitofp i64 {self.steps} to double"), *memory] + [""] * len(program.instructions)
        b.program(program, names, calls_first(program))
        outputs = [names[slot] for slot in program.outputs]
        self.cost, self.gradient, self.new = outputs[0], outputs[1 : size + 1], outputs[size + 1 : 2 * size + 1]
        self.learned = outputs[2 * size + 1 : 2 * size + 1 + rules.carried]
        self.rate = outputs[-1]
        self.guess = self.new
        if worth_guessing(program):
            self.guess = guess(b, program, names[: len(program.inputs)], program.outputs[size + 1 : 2 * size + 1])
        self.look()
        self.judge()
        self.learn()
        self.leave()

    def enter(self) -> None:
        """Read the buffers."""
        b = self.body
        b.label("entry")
        self.most_steps, self.patience, self.stride = (b.load("%n", k, "i64") for k in (MAX_STEPS, PATIENCE, STRIDE))
        self.limit = b.load("%d", self.numbers + STEP_LIMIT)
        self.points = [b.emit("alloca double") for _ in range(self.size)]
        for k, slot in enumerate(self.points):
            b.write(f"store double {b.load('%d', k)}, ptr {slot}")
        self.memory = [b.emit("alloca double") for _ in range(self.rules.carried)]
        for k, slot in enumerate(self.memory, self.numbers + DOUBLES):
            b.write(f"store double {b.load('%d', k)}, ptr {slot}")
        self.slots = {name: (kind, b.emit(f"alloca {kind}")) for kind, names in CARRIED.items() for name in names}
        for name, kind in (("last", "i64"), ("lost", "i1"), ("kept", "i1"), ("refused", "i1"), ("edge", "double")):
            self.slots[name] = (kind, b.emit(f"alloca {kind}"))
        for name, place in CARRIED["i64"].items():
            self.put(name, b.load("%n", place, "i64"))
        for name, place in CARRIED["double"].items():
            self.put(name, b.load("%d", self.numbers + place))
        for name in ("lost", "kept", "refused"):
            self.put(name, "false")
        steps, best = self.get("steps"), self.get("best cost")
        ahead = b.emit(f"add i64 {b.emit(f'add i64 {steps}, %count')}, -1")
        last = b.call("llvm.smin.i64", ahead, self.most_steps, kind="i64")
        here = [code for code in (STEP_SMALL, UNMOVED, IDLE_TOO_LONG) if code in self.rules.codes]
        self.put("last", b.emit(f"select i1 {self.ended(here)}, i64 {steps}, i64 {last}"))
        self.put("edge", self.below(best, b.intrinsic("fabs", best)))
        b.write("br label %turn")

    def get(self, name: str) -> str:
        """Read what is handed on."""
        kind, slot = self.slots[name]
        return self.body.emit(f"load {kind}, ptr {slot}")

    def put(self, name: str, value: str) -> None:
        """Write what is handed on."""
        kind, slot = self.slots[name]
        self.body.write(f"store {kind} {value}, ptr {slot}")

    def in_tail(self, steps: str) -> str:
        """Return where in `d` the tail has the point after so many steps."""
        b = self.body
        ring = b.emit(f"and i64 {steps}, {TAIL - 1}")
        return b.emit(f"add i64 {b.emit(f'mul i64 {ring}, {self.size}')}, {2 * self.size}")

    def branch(self, condition: str, likely: str, other: str) -> None:
        """Branch, most often to `likely`."""
        self.body.write(f"br i1 {condition}, label %{likely}, label %{other}, !prof !0")

    def below(self, cost: str, size: str) -> str:
        """Return the cost less its noise, of which it has the `size`."""
        noise = self.body.emit(f"fmul double {size}, {double(COST_NOISE)}")
        return self.body.emit(f"fsub double {cost}, {noise}")

    def look(self) -> None:
        """Take in one look: `Progress.saw` says the same."""
        b, cost, patience = self.body, self.cost, self.rules.patience
        place = self.in_tail(self.steps)
        for k in range(self.size):
            b.store(self.x[k], "%d", b.emit(f"add i64 {place}, {k}"))
        square, size = squares(b, self.gradient), b.intrinsic("fabs", cost)
        # One comparison where no square overflows; where one does, entry by entry.
        self.branch(b.emit(f"fcmp olt double {b.emit(f'fadd double {size}, {square}')}, {INFINITY}"), "seen", "doubt")
        b.label("doubt")
        finite = "true"
        for value in (cost, *self.gradient):
            small = b.emit(f"fcmp olt double {b.intrinsic('fabs', value)}, {INFINITY}")
            finite = b.emit(f"and i1 {finite}, {small}")
        b.write(f"br i1 {finite}, label %seen, label %lost")
        b.label("lost")
        self.put("lost", "true")
        self.settle(b.emit(f"add i64 {self.steps}, -1"))
        self.put("rises", self.rises())
        self.put("idle", b.emit(f"add i64 {self.get('idle')}, 1"))
        b.write("br label %out")

        # Better: lower by more than the noise of a cost, or equal to it and flatter.
        b.label("seen")
        least = "false"
        if patience:
            least_square = self.get("least square")
            least = b.emit(f"fcmp olt double {square}, {least_square}")
            self.put("least square", b.emit(f"select i1 {least}, double {square}, double {least_square}"))
        self.branch(b.emit(f"fcmp olt double {cost}, {self.get('edge')}"), "lower", "higher")
        b.label("lower")  # the look before is no lower than the best, so this one is no rise
        self.put("rises", "0")
        if patience:
            self.put("idle", "0")
        b.write("br label %keep")
        b.label("higher")
        self.settle(b.emit(f"add i64 {self.steps}, -1"))
        best = self.get("best cost")
        noise = b.emit(f"fmul double {b.intrinsic('fabs', best)}, {double(COST_NOISE)}")
        equal = b.emit(f"fcmp ole double {cost}, {b.emit(f'fadd double {best}, {noise}')}")
        flatter = b.emit(f"fcmp olt double {square}, {self.get('best square')}")
        better = b.emit(f"and i1 {equal}, {flatter}")
        self.put("rises", self.rises())
        if patience:
            progress = b.emit(f"or i1 {better}, {least}")
            idle = b.emit(f"add i64 {self.get('idle')}, 1")
            self.put("idle", b.emit(f"select i1 {progress}, i64 0, i64 {idle}"))
            b.write(f"br i1 {better}, label %keep, label %wait")
            b.label("wait")
            b.write(f"br i1 {self.holds(IDLE_TOO_LONG)}, label %out, label %judge")
        else:
            b.write(f"br i1 {better}, label %keep, label %judge")
        b.label("keep")
        self.put("kept", "true")
        self.put("best cost", cost)
        self.put("best square", square)
        self.put("edge", self.below(cost, size))
        b.write("br label %judge")

    def settle(self, steps: str) -> None:
        """Copy the best point from its place in the tail, unless that was done."""
        b = self.body
        self.settled += 1
        b.write(f"br i1 {self.get('kept')}, label %copy{self.settled}, label %settled{self.settled}")
        b.label(f"copy{self.settled}")
        b.declared.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        best = b.emit(f"getelementptr inbounds double, ptr %d, i64 {self.size}")
        point = b.emit(f"getelementptr inbounds double, ptr %d, i64 {self.in_tail(steps)}")
        b.write(f"call void @llvm.memcpy.p0.p0.i64(ptr {best}, ptr {point}, i64 {8 * self.size}, i1 false)")
        self.put("kept", "false")
        b.write(f"br label %settled{self.settled}")
        b.label(f"settled{self.settled}")

    def rises(self) -> str:
        """Count the rises in a row."""
        b = self.body
        rising = b.emit(f"fcmp ugt double {self.cost}, {self.get('cost')}")  # NaN counts as higher
        more = b.emit(f"add i64 {self.get('rises')}, 1")
        return b.emit(f"select i1 {rising}, i64 {more}, i64 0")

    def holds(self, code: int) -> str:
        """Write the condition of an ending."""
        if code in {NOT_FINITE, BAD_RATE}:
            return self.get("lost" if code == NOT_FINITE else "refused")
        left, relation, right = {
            STEP_SMALL: ("small", "ne", "0"),
            UNMOVED: ("still", "ne", "0"),
            IDLE_TOO_LONG: ("idle", "sge", self.patience),
            STEPS_DONE: ("steps", "sge", self.most_steps),
        }[code]
        return self.body.emit(f"icmp {relation} i64 {self.get(left)}, {right}")

    def judge(self) -> None:
        """Where rows are written, ask every rule before that."""
        b = self.body
        b.label("judge")
        if self.rules.record:
            b.write(f"br i1 {self.ended(self.rules.codes)}, label %out, label %learn")
        else:
            b.write("br label %learn")

    def ended(self, codes: list[int]) -> str:
        """Write whether any of these rules ends the loop here."""
        ended = "false"
        for code in codes:
            ended = self.body.emit(f"or i1 {ended}, {self.holds(code)}")
        return ended

    def learn(self) -> None:
        """Go to the new point, unless the slice or the budget is over."""
        b, rules = self.body, self.rules
        b.label("learn")
        if rules.rate:
            self.refuse()
        after = {"steps": b.emit(f"add i64 {self.steps}, 1"), "cost": self.cost}
        if rules.step_size or rules.unmoved:
            after |= self.measure()
        if rules.record:
            after["rate"] = self.rate
            self.record()
        self.branch(b.emit(f"icmp ne i64 {self.steps}, {self.get('last')}"), "next", "stop")
        b.label("next")
        for name, value in after.items():
            self.put(name, value)
        for slot, value in zip(self.memory, self.learned, strict=True):
            b.write(f"store double {value}, ptr {slot}")
        if self.guess is not self.new:
            self.compare()
        self.go(self.new)

        b.label("stop")
        b.write(f"br i1 {self.ended(self.rules.codes)}, label %out, label %pause")
        b.label("pause")  # the slice is over: the next call looks at the new x
        self.last_row()
        self.settle(self.steps)
        for name, value in after.items():
            self.put(name, value)
        self.save(self.new)
        for k, value in enumerate(self.learned, self.numbers + DOUBLES):
            b.store(value, "%d", k)
        b.write(f"ret i64 {RUNNING}")

    def refuse(self) -> None:
        """End here where the rate is not a positive number, unless another rule ends the loop anyhow."""
        b = self.body
        usable = b.emit(f"fcmp ogt double {self.rate}, {double(0.0)}")
        usable = b.emit(f"and i1 {usable}, {b.emit(f'fcmp olt double {self.rate}, {INFINITY}')}")
        self.branch(usable, "step", "refused")
        b.label("refused")
        self.put("refused", "true")
        b.write("br label %out")
        b.label("step")

    def go(self, x: list[str]) -> None:
        """Turn, with a new x."""
        for slot, value in zip(self.points, x, strict=True):
            self.body.write(f"store double {value}, ptr {slot}")
        self.body.write("br label %turn")

    def compare(self) -> None:
        """Turn with the guess where it is right to the last bit; where it is not, go on here."""
        b = self.body
        for k, (guessed, exact) in enumerate(zip(self.guess, self.new, strict=True)):
            bits = [b.emit(f"bitcast double {value} to i64") for value in (guessed, exact)]
            self.branch(b.emit(f"icmp eq i64 {bits[0]}, {bits[1]}"), f"right{k}", "wrong")
            b.label(f"right{k}")
        self.go(self.guess)
        b.label("wrong")

    def measure(self) -> dict[str, str]:
        """Write whether the step is small and whether it leaves x as it is.

        Most often its first entry alone says no: a length is no less than that of any entry.
        """
        b, rules = self.body, self.rules
        change = [b.emit(f"fsub double {fresh}, {old}") for old, fresh in zip(self.x, self.new, strict=True)]
        usual = "true"
        if rules.step_size:
            usual = b.emit(f"fcmp oge double {b.intrinsic('fabs', change[0])}, {self.limit}")
        # Not fresh ≠ old: the loop takes inf - inf for a move.
        moves = [f"fcmp une double {difference}, {double(0.0)}" for difference in change]
        if rules.unmoved:
            usual = b.emit(f"and i1 {usual}, {b.emit(moves[0])}")
        self.branch(usual, "far", "near")
        b.label("near")
        small = still = "false"
        if rules.unmoved:
            moved = "false"
            for move in moves:
                moved = b.emit(f"or i1 {moved}, {b.emit(move)}")
            still = b.emit(f"xor i1 {moved}, true")
        block, start = "near", "step" if rules.rate else "learn"
        if rules.step_size:
            small = b.emit(f"fcmp olt double {norm(b, change, block)}, {self.limit}")
            block = "measured" if self.size > 1 else block
        last = self.get("last")
        soon = b.call("llvm.smin.i64", last, b.emit(f"add i64 {self.steps}, 1"), kind="i64")
        self.put("last", b.emit(f"select i1 {b.emit(f'or i1 {small}, {still}')}, i64 {soon}, i64 {last}"))
        flags = {"small": b.emit(f"zext i1 {small} to i64"), "still": b.emit(f"zext i1 {still} to i64")}
        b.write("br label %far")
        b.label("far")
        return {name: b.emit(f"phi i64 [0, %{start}], [{flag}, %{block}]") for name, flag in flags.items()}

    def record(self) -> None:
        """Write a row where one is due; a full buffer ends the slice."""
        b = self.body
        due = b.emit(f"icmp eq i64 {self.steps}, {self.get('next')}")
        b.write(f"br i1 {due}, label %write, label %written")
        b.label("write")
        self.row(self.rate)
        recorded = b.emit(f"add i64 {self.get('recorded')}, 1")
        self.put("recorded", recorded)
        self.put("next", b.emit(f"add i64 {self.steps}, {self.stride}"))
        full = b.emit(f"icmp sge i64 {recorded}, {ROWS}")
        self.put("last", b.emit(f"select i1 {full}, i64 {self.steps}, i64 {self.get('last')}"))
        b.write("br label %written")
        b.label("written")

    def last_row(self) -> None:
        """Write this look behind the rows, as one after which no step was taken: the trace ends with it."""
        if self.rules.record:
            self.row(self.get("rate"))

    def row(self, rate: str) -> None:
        """Write this look behind the rows."""
        b = self.body
        before = self.in_tail(b.emit(f"sub i64 {self.steps}, 1"))
        previous = [b.load("%d", b.emit(f"add i64 {before}, {k}")) for k in range(self.size)]
        place = b.emit(f"mul i64 {self.get('recorded')}, {width(self.size)}")
        number = b.emit(f"sitofp i64 {self.steps} to double")
        for k, value in enumerate((number, self.cost, rate, *self.x, *previous, *self.gradient)):
            b.store(value, "%rows", b.emit(f"add i64 {place}, {k}"))

    def leave(self) -> None:
        """End at x, which has been looked at, and say why."""
        b = self.body
        b.label("out")
        reason = str(RUNNING)
        for code in reversed(self.rules.codes):
            reason = b.emit(f"select i1 {self.holds(code)}, i64 {code}, i64 {reason}")
        self.last_row()
        self.settle(self.steps)
        self.put("cost", self.cost)
        self.save(self.x)
        b.write(f"ret i64 {reason}")

    def save(self, x: list[str]) -> None:
        """Write everything back into the buffers."""
        b = self.body
        for k, value in enumerate(x):
            b.store(value, "%d", k)
        b.store(b.emit(f"add i64 {self.steps}, 1"), "%n", LOOKS, "i64")
        for name, place in CARRIED["i64"].items():
            b.store(self.get(name), "%n", place, "i64")
        for name, place in CARRIED["double"].items():
            b.store(self.get(name), "%d", self.numbers + place)
