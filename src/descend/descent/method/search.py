"""Line searches: the length of a step along a direction, as small state machines with one look a trial.

A search knows only φ(t) = f(x + t·d): the fall of the cost and the slope φ'(t).  It never looks itself: it says which
length to try (`Line.length`), is told what was seen there, and says whether that is the length to take.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite
from typing import NamedTuple

NOISE = 2.0**-40  # relative: between costs that are nearer than this the slopes decide
ENOUGH = 12  # trials after which a length is taken that lowers the cost enough, whatever the slope there
TRIES = 60  # of one search
SHRINK = 0.1  # of the way, after a trial outside of the domain
SHORTEST = 2.0**-52  # relative width of a bracket that has nothing left inside


class Verdict(Enum):
    """What a search says of the length that was tried last."""

    SEARCHING = "another length has to be tried"
    FOUND = "this is the length to take"
    FAILED = "there is no length that would do, as far as doubles can tell"


class Sample(NamedTuple):
    """What is known at a length: φ(t) - φ(0), and φ'(t)."""

    length: float
    rise: float
    slope: float


class Line(NamedTuple):
    """The memory of a search.

    `cost` and `slope` are φ(0) and φ'(0) < 0; `reference` is how much higher than φ(0) the cost is that has to be
    undercut (0 in a monotone search).  The length sought lies between `low` and `high` (None: not yet bracketed) and
    below `limit`, the shortest length found to be outside of the domain.  `least`, `most`, `widths` and `stage` are
    what single searches remember beside.
    """

    cost: float
    slope: float
    length: float
    low: Sample
    high: Sample | None = None
    reference: float = 0.0
    limit: float = inf
    least: float = 0.0
    most: float = inf
    widths: tuple[float, float] = (inf, inf)
    stage: int = 1
    before: tuple[Sample, Sample] | None = None
    tries: int = 0
    verdict: Verdict = Verdict.SEARCHING


@dataclass(frozen=True)
class Search:
    """How lengths are chosen.  `decrease` is the share of the predicted fall that must come (Armijo's constant)."""

    decrease: float = 1e-4

    def begin(self, cost: float, slope: float, length: float, reference: float | None = None) -> Line:
        """Begin at φ(0) = `cost`, φ'(0) = `slope` with a first `length`; `reference` is the cost to undercut."""
        higher = 0.0 if reference is None else reference - cost
        return Line(cost, slope, length, Sample(0.0, 0.0, slope), reference=higher, most=5.0 * length)

    def learn(self, line: Line, cost: float, slope: float) -> Line:
        """Take in what was seen at `line.length`; a cost or slope that is not finite is outside of the domain."""
        line = line._replace(tries=line.tries + 1)
        if not (isfinite(cost) and isfinite(slope)):
            return self._outside(line)
        sample = self.sample(line, cost, slope)
        if self.accepts(line, sample):
            return line._replace(verdict=Verdict.FOUND)
        if line.tries >= ENOUGH and self.falls(line, sample):
            return line._replace(verdict=Verdict.FOUND)
        return self._ended(self.next(line, sample), line.length)

    def sample(self, line: Line, cost: float, slope: float) -> Sample:
        """Return what was seen, free of the rounding of costs.

        Where two costs differ by rounding only, the fall is taken from the slopes, as that of the parabola with these
        slopes: t (φ'(0) + φ'(t))/2.  Armijo's condition then is the approximate one of Hager & Zhang (2005).
        """
        rise = cost - line.cost
        if abs(rise) <= NOISE * abs(line.cost):
            rise = 0.5 * line.length * (line.slope + slope)
        return Sample(line.length, rise, slope)

    def falls(self, line: Line, sample: Sample) -> bool:
        """Armijo's condition: φ(t) ≤ reference + decrease·t·φ'(0)."""
        return sample.rise <= line.reference + self.decrease * sample.length * line.slope

    def accepts(self, line: Line, sample: Sample) -> bool:
        """Whether this length will do."""
        return self.falls(line, sample)

    def next(self, line: Line, sample: Sample) -> Line:
        """Choose the next length."""
        raise NotImplementedError

    def _outside(self, line: Line) -> Line:
        """Go back towards the end that is known to be inside."""
        inside = line.low.length
        length = inside + SHRINK * (line.length - inside)
        limit = min(line.limit, line.length)
        return self._ended(line._replace(limit=limit, length=length, most=0.5 * (length + limit)), inside)

    def _ended(self, line: Line, tried: float) -> Line:
        """Fail where the next length is none, is the one just tried, or where there were too many."""
        known = {tried, line.low.length, 0.0 if line.high is None else line.high.length}
        if 0.0 < line.length < inf and line.length not in known and line.tries < TRIES:
            return line
        return line._replace(verdict=Verdict.FAILED)


@dataclass(frozen=True)
class Armijo(Search):
    """Backtracking (Armijo, Pacific J. Math. 16 (1966)): shorten until φ(t) ≤ reference + decrease·t·φ'(0).

    The next length is the minimum of the parabola through φ(0), φ'(0) and φ(t), kept between a tenth and half of t.
    With the largest of the last costs as reference it is the non-monotone search of Grippo, Lampariello & Lucidi
    (SIAM J. Numer. Anal. 23, 1986).
    """

    def next(self, line: Line, sample: Sample) -> Line:
        t = sample.length
        fall = -t * line.slope
        bend = 2.0 * (sample.rise + fall)
        share = fall / bend if bend > 0 else 0.5
        return line._replace(length=t * min(0.5, max(0.1, share)))
