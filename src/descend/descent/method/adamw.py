"""AdamW: Adam with the decay of the variables apart from the slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.descent.arithmetic import divide
from descend.descent.method.adam import AdamMethod, AdamState
from descend.descent.method.base import State
from descend.descent.method.schedules import FRACTION, check


@dataclass(frozen=True)
class AdamW(AdamMethod):
    """x ← x - η_k · (α · m̂/(√v̂ + ε) + λ · x), with m̂ and v̂ as in Adam and λ = `weight_decay`.

    As in the paper λ is not multiplied by the rate α (PyTorch multiplies: its 0.01 at a rate of 0.001 is 1e-5 here).  A
    rate that is a formula of k is α = rate(0) with η_k = rate(k)/rate(0); a number has η_k = 1.  The decay pulls the
    variables towards 0, so where it rests is not a minimum of the cost, and the status says so.
    Source: Loshchilov & Hutter, *Decoupled weight decay regularization* (ICLR 2019), algorithm 2.

    >>> import descend
    >>> r = descend.minimize("(x-1)^2", 3, method=descend.AdamW(0.01, weight_decay=0.001))
    >>> 0.9 < r.last.variables["x"] < 1
    True
    """

    name: ClassVar[str] = "adamw"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Loshchilov & Hutter, ICLR (2019)"

    weight_decay: float = 1e-5

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, weight_decay=FRACTION)

    def learn(self, state: AdamState, point: Any, evaluation: Any) -> State:
        moments, rate = self.moments(state, evaluation.gradient), self.rate(state.number)
        decay: Any = self.weight_decay
        if self.rate_varies:
            decay = self.weight_decay * divide(rate, self.rate(0))
        return self.stepped(state, point - (rate * self.direction(moments) + decay * point), rate, **moments)
