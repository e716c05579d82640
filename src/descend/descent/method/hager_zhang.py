"""Hager and Zhang's search: secant steps on the slope, which keep their digits where costs are rounding."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from descend.descent.method.search import SHORTEST, Line, Sample, Search

# What the trial is for, in `Line.stage`.
BRACKETING, FIRST, SECOND, HALVING, SQUEEZING = 1, 2, 3, 4, 5
SQUEEZED = 10  # added to the stage that goes on after a squeeze


@dataclass(frozen=True)
class HagerZhang(Search):
    """The Wolfe conditions, or the approximate ones.

    φ(t) ≤ φ(0) + δ·t·φ'(0) and φ'(t) ≥ σ·φ'(0); or (2δ - 1)·φ'(0) ≥ φ'(t) ≥ σ·φ'(0) and φ(t) ≤ φ(0) + ε, with
    δ = `decrease`, σ = `curvature`, ε = `noise`·|φ(0)|.  A bracket with φ'(a) < 0 ≤ φ'(b), φ(a) ≤ φ(0) + ε is found
    by steps `growth` times as long, and shrunk by the double secant step; by bisection where that leaves more than
    `shrinkage` of it.  Source: Hager & Zhang, SIAM J. Optim. 16 (2005), section 4 and its algorithm 851 (2006).
    """

    decrease: float = 0.1
    curvature: float = 0.9
    noise: float = 1e-6
    growth: float = 5.0
    shrinkage: float = 0.66

    def sample(self, line: Line, cost: float, slope: float) -> Sample:
        return Sample(line.length, cost - line.cost, slope)

    def falls(self, line: Line, sample: Sample) -> bool:
        if super().falls(line, sample):
            return True
        steep = (2.0 * self.decrease - 1.0) * line.slope
        return sample.slope <= steep and sample.rise <= self._noise(line)

    def accepts(self, line: Line, sample: Sample) -> bool:
        return sample.slope >= self.curvature * line.slope and self.falls(line, sample)

    def _noise(self, line: Line) -> float:
        return self.noise * abs(line.cost)

    def next(self, line: Line, sample: Sample) -> Line:
        low = line.low
        if line.stage == BRACKETING:
            if sample.slope >= 0:
                return self._iterate(line._replace(high=sample))
            if sample.rise > self._noise(line):
                return self._squeeze(line._replace(low=Sample(0.0, 0.0, line.slope), high=sample), HALVING)
            low, further = sample, min(self.growth * sample.length, 0.5 * (sample.length + line.limit))
            return line._replace(low=low, length=further)
        assert line.high is not None
        if sample.slope < 0 and sample.rise > self._noise(line):  # U3
            after = line.stage - SQUEEZED if line.stage > SQUEEZED else line.stage
            return self._squeeze(line._replace(high=sample), after)
        line = line._replace(high=sample) if sample.slope >= 0 else line._replace(low=sample)
        if line.stage > SQUEEZED:
            assert line.high is not None
            after = line.stage - SQUEEZED
            if line.high.slope < 0:  # the upper end is still one that only the cost made an end
                return self._squeeze(line, after)
            return self._iterate(line) if after == HALVING else self._halve(line)
        if line.stage == FIRST:
            return self._second(line, sample)
        if line.stage == SECOND:
            return self._halve(line)
        return self._iterate(line)

    def _iterate(self, line: Line) -> Line:
        """L1, first half: a secant step from both ends."""
        low, high = line.low, line.high
        assert high is not None
        if high.length - low.length <= SHORTEST * high.length:
            return line._replace(length=0.0)
        line = line._replace(before=(low, high))
        length = _secant(low, high)
        if _inside(line, length):
            return line._replace(length=length, stage=FIRST)
        return self._halve(line)

    def _second(self, line: Line, sample: Sample) -> Line:
        """L1, second half: a secant step from the end that was replaced and the one that replaced it."""
        assert line.before is not None
        a, b = line.before
        length = _secant(b, sample) if sample == line.high else _secant(a, sample) if sample == line.low else inf
        if _inside(line, length):
            return line._replace(length=length, stage=SECOND)
        return self._halve(line)

    def _halve(self, line: Line) -> Line:
        """L2: bisect where the secant steps left too much; then on with L1."""
        assert line.high is not None
        assert line.before is not None
        a, b = line.before
        width = line.high.length - line.low.length
        if width > self.shrinkage * (b.length - a.length):
            middle = 0.5 * (line.low.length + line.high.length)
            return line._replace(length=middle if _inside(line, middle) else 0.0, stage=HALVING)
        return self._iterate(line)

    def _squeeze(self, line: Line, after: int) -> Line:
        """U3: bisect between an end that is low enough and one that is not, until the slope there turns."""
        assert line.high is not None
        middle = 0.5 * (line.low.length + line.high.length)
        return line._replace(length=middle if _inside(line, middle) else 0.0, stage=SQUEEZED + after)


def _secant(a: Sample, b: Sample) -> float:
    """Return where the slope is zero on the straight line through two."""
    return (a.length * b.slope - b.length * a.slope) / (b.slope - a.slope) if a.slope != b.slope else inf


def _inside(line: Line, length: float) -> bool:
    assert line.high is not None
    return line.low.length < length < line.high.length
