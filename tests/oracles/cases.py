"""The cases in `tests/data/cases`: their formulas with dimension, data, starts and points around them."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from tests.oracles.case_formula import CaseFormula

FOLDER = Path(__file__).resolve().parents[1] / "data" / "cases"
SIZE = 12  # of indexed cases: divisible by 2, 3 and 4


class Case(NamedTuple):
    group: str
    name: str
    content: dict[str, Any]

    @property
    def indexed(self):
        return self.content.get("form") == "indexed"

    @property
    def objective(self):
        return self.content["objective"]

    @property
    def data(self):
        return self.content.get("data") or {}

    @property
    def size(self):
        """The dimension that tests use: that of the data where there are data."""
        if not self.indexed:
            return len(self.content["variables"])
        return self.content["instances"][-1]["n"] if self.data else SIZE

    def names(self, n):
        return [f"x[{k}]" for k in range(n)] if self.indexed else self.content["variables"]

    def constants(self, n):
        return {"n": n} if self.indexed else {}

    def formula(self, n=None):
        return CaseFormula(self.objective, self.constants(n or self.size), self.data)

    def place(self, shape, n):
        """Return the numbers that a start or a minimiser stands for: exact where it is a formula."""
        if isinstance(shape, list):
            return shape
        match shape["kind"]:
            case "constant":
                return [shape["value"]] * n
            case "periodic":
                return [shape["values"][k % len(shape["values"])] for k in range(n)]
            case "head":
                head = shape["values"]
                return [head[k] if k < len(head) else shape["rest"] for k in range(n)]
            case "formula":
                return [CaseFormula(shape["expr"], {"i": k, "n": n})({}).value for k in range(n)]
        raise AssertionError(shape)

    def points(self, n, count):
        """Return points at random, near the start."""
        rng = random.Random(f"{self.group}/{self.name}/{n}")
        start = [float(v) for v in self.place(self.content["start"], n)]
        return [[v + 0.1 * (1 + abs(v)) * rng.uniform(-1, 1) for v in start] for _ in range(count)]

    def __str__(self):
        return f"{self.group}/{self.name}"


def cases(*groups):
    """Return the cases of these groups."""
    found = [
        Case(group, path.stem, json.loads(path.read_text()))
        for group in groups
        for path in sorted((FOLDER / group).glob("*.json"))
    ]
    assert found, groups
    return found


def exact(number):
    """Return a decimal string or number as a Fraction."""
    return Fraction(str(number)) if isinstance(number, str) else Fraction(number)
