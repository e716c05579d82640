"""The Wolfe conditions: strong, by Moré and Thuente's search; weak, by bisection."""

from __future__ import annotations

from dataclasses import dataclass
from math import copysign, inf, sqrt

from descend.descent.method.search import SHORTEST, Line, Sample, Search

EXTRAPOLATED = (1.1, 4.0)  # how much further than the last move the next trial lies, while there is no bracket
TWO_THIRDS = 0.66  # by which two trials must shrink a bracket, or it is halved


@dataclass(frozen=True)
class StrongWolfe(Search):
    """φ(t) ≤ φ(0) + decrease·t·φ'(0) and |φ'(t)| ≤ curvature·|φ'(0)|.

    Moré & Thuente, ACM Trans. Math. Softw. 20 (1994): safeguarded cubic and quadratic steps; while no length has been
    found that falls enough, they are taken on φ(t) - decrease·t·φ'(0).
    """

    curvature: float = 0.9

    def accepts(self, line: Line, sample: Sample) -> bool:
        return self.falls(line, sample) and abs(sample.slope) <= -self.curvature * line.slope

    def next(self, line: Line, sample: Sample) -> Line:
        tilt = self.decrease * line.slope
        falls = self.falls(line, sample)
        stage = 2 if line.stage == 2 or (falls and sample.slope >= 0) else 1
        tilted = tilt if stage == 1 and sample.rise <= line.low.rise and not falls else 0.0
        low, high, length = _interpolated(
            _tilted(line.low, -tilted),
            None if line.high is None else _tilted(line.high, -tilted),
            _tilted(sample, -tilted),
            line.least,
            line.most,
        )
        low = _tilted(low, tilted)
        high = None if high is None else _tilted(high, tilted)
        widths = line.widths
        if high is None:
            move = length - low.length
            least, most = (length + factor * move for factor in EXTRAPOLATED)
            length = _within(length, line.limit, low.length)
        else:
            width = abs(high.length - low.length)
            if width >= TWO_THIRDS * widths[1]:
                length = low.length + 0.5 * (high.length - low.length)
            widths = (width, widths[0])
            least, most = sorted((low.length, high.length))
            if most - least <= SHORTEST * most:
                length = 0.0  # nothing left to try
        return line._replace(length=length, low=low, high=high, least=least, most=most, widths=widths, stage=stage)


@dataclass(frozen=True)
class WeakWolfe(Search):
    """φ(t) ≤ φ(0) + decrease·t·φ'(0) and φ'(t) ≥ curvature·φ'(0), by doubling and bisection.

    Lewis & Overton, Math. Program. 141 (2013), Algorithm 2.6: the search for costs with kinks, on which the slope may
    jump over the strong condition.
    """

    curvature: float = 0.9

    def accepts(self, line: Line, sample: Sample) -> bool:
        return self.falls(line, sample) and sample.slope >= self.curvature * line.slope

    def next(self, line: Line, sample: Sample) -> Line:
        line = line._replace(low=sample) if self.falls(line, sample) else line._replace(high=sample)
        end = line.limit if line.high is None else line.high.length
        if end == inf:
            return line._replace(length=2.0 * line.low.length)
        middle = 0.5 * (line.low.length + end)
        return line._replace(length=middle if end - line.low.length > SHORTEST * end else 0.0)


def _tilted(sample: Sample, tilt: float) -> Sample:
    return Sample(sample.length, sample.rise + tilt * sample.length, sample.slope + tilt)


def _within(length: float, limit: float, inside: float) -> float:
    """Return the length, no further than half the way to the end of the domain."""
    return min(length, inside + 0.5 * (limit - inside)) if limit < inf else length


def _interpolated(
    low: Sample, high: Sample | None, new: Sample, least: float, most: float
) -> tuple[Sample, Sample | None, float]:
    """Return the new ends of the bracket and the next length (the four cases of Moré & Thuente, section 4)."""
    move = low.length - new.length  # from the new length back to the low end
    theta = _theta(low, new)
    away = new.slope * copysign(1.0, low.slope) < 0
    secant = new.length + (new.slope / (new.slope - low.slope) if new.slope != low.slope else 0.0) * move
    if new.rise > low.rise:
        gamma = _gamma(theta, low.slope, new.slope, backward=new.length < low.length)
        ratio = _share(gamma - low.slope + theta, gamma - low.slope + gamma + new.slope)
        cubic = low.length - ratio * move
        parabola = low.length - 0.5 * _share(low.slope, (new.rise - low.rise) / move + low.slope) * move
        nearer = abs(cubic - low.length) < abs(parabola - low.length)
        return low, new, cubic if nearer else cubic + 0.5 * (parabola - cubic)
    if away:
        gamma = _gamma(theta, low.slope, new.slope, backward=new.length > low.length)
        ratio = _share(gamma - new.slope + theta, gamma - new.slope + gamma + low.slope)
        cubic = new.length + ratio * move
        further = abs(cubic - new.length) > abs(secant - new.length)
        return new, low, cubic if further else secant
    if abs(new.slope) < abs(low.slope):
        gamma = _gamma(theta, low.slope, new.slope, backward=new.length > low.length)
        ratio = _share(gamma - new.slope + theta, gamma + (low.slope - new.slope) + gamma)
        forward = most if new.length > low.length else least
        cubic = new.length + ratio * move if ratio < 0 and gamma != 0 else forward
        if high is not None:
            length = cubic if abs(cubic - new.length) < abs(secant - new.length) else secant
            bound = new.length + TWO_THIRDS * (high.length - new.length)
            return new, high, min(bound, length) if new.length > low.length else max(bound, length)
        length = cubic if abs(cubic - new.length) > abs(secant - new.length) else secant
        return new, high, max(least, min(most, length))
    if high is None:
        return new, high, most if new.length > low.length else least
    theta = _theta(high, new)
    gamma = _gamma(theta, high.slope, new.slope, backward=new.length > high.length)
    ratio = _share(gamma - new.slope + theta, gamma - new.slope + gamma + high.slope)
    return new, high, new.length + ratio * (high.length - new.length)


def _share(part: float, whole: float) -> float:
    """Return the quotient; half where slopes that underflow leave nothing to divide by."""
    return part / whole if whole else 0.5


def _theta(end: Sample, new: Sample) -> float:
    return 3.0 * (end.rise - new.rise) / (new.length - end.length) + end.slope + new.slope


def _gamma(theta: float, a: float, b: float, *, backward: bool) -> float:
    """Root of θ² - ab, with the sign of the direction; scaled, so that squares stay in the doubles."""
    scale = max(abs(theta), abs(a), abs(b))
    if scale == 0:
        return 0.0
    gamma = scale * sqrt(max(0.0, (theta / scale) ** 2 - (a / scale) * (b / scale)))
    return -gamma if backward else gamma
