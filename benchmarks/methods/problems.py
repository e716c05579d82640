"""The problems: the cases of the literature in `tests/data/cases`, with their standard starts and listed minima."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.methods.exact import ExactFormula

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT.parent / "shared" / "cases", ROOT / "tests" / "data" / "cases")  # the second has the same files
GROUPS = ("mgh", "testfunctions", "cutest")
SMALL = 200  # up to this many variables every method takes part


@dataclass(frozen=True)
class Problem:
    """A cost, a start, and the values of the minima that are listed; the lowest first."""

    name: str
    group: str
    text: str
    names: tuple[str, ...] | None  # None: the entries of the array x
    start: tuple[float, ...]
    listed: tuple[str, ...]
    constants: dict[str, int] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    array: str = "x"
    scale: float = 1.0  # what the listed minima are to be multiplied with

    @property
    def n(self) -> int:
        """The number of variables."""
        return len(self.start)

    @property
    def label(self) -> str:
        """What the problem is called in tables."""
        return f"{self.group}/{self.name}" + (f" n={self.n}" if self.names is None else "")

    @cached_property
    def exact(self) -> ExactFormula:
        """The formula in 50 digits."""
        return ExactFormula(self.text, self.names, constants=self.constants, data=self.data, array=self.array)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What descend is told beside text and start."""
        return {
            "constants": self.constants or None,
            "data": {k: np.array(v) for k, v in self.data.items()} or None,
            "variables": list(self.names) if self.names else None,
        }


def problems(largest: int = 10**9, smallest: int = 0) -> list[Problem]:
    """Return all instances with so many variables."""
    found = []
    for folder in (folder / group for folder in FOLDERS[:1] if folder.is_dir() for group in GROUPS):
        found += _in_folder(folder)
    if not found:
        for group in GROUPS:
            found += _in_folder(FOLDERS[1] / group)
    return [p for p in found if smallest <= p.n <= largest]


def _in_folder(folder: Path) -> list[Problem]:
    result = []
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        data = case.get("data") or {}
        indexed = case["form"] == "indexed"
        for instance in case["instances"] if indexed else [case]:
            n = instance["n"]
            start = [float(v) for v in _place(case["start"], n)]
            result.append(
                Problem(
                    name=case["name"],
                    group=folder.name,
                    text=case["objective"],
                    names=None if indexed else tuple(case["variables"]),
                    start=tuple(start),
                    listed=_listed(instance),
                    constants={"n": n} if indexed else {},
                    data=data,
                )
            )
    return result


def _listed(instance: dict[str, Any]) -> tuple[str, ...]:
    """Return the values of the listed minima as decimals, the lowest first."""
    values = [m.get("f_refined") or m["f"] for m in instance.get("minima", [])]
    values += [instance[key] for key in ("known_minimum", "cutest_soltn") if instance.get(key) is not None]
    reference = instance.get("reference")
    if reference and reference.get("f") is not None:
        values.append(reference["f"])
    return tuple(sorted({str(v) for v in values}, key=float))


def _place(shape: Any, n: int) -> list[Any]:
    if isinstance(shape, list):
        return shape
    match shape["kind"]:
        case "constant":
            return [shape["value"]] * n
        case "periodic":
            return [shape["values"][k % len(shape["values"])] for k in range(n)]
        case "head":
            return [*shape["values"][:n], *[shape["rest"]] * (n - len(shape["values"]))]
        case "formula":
            return [float(ExactFormula(shape["expr"], ("i",), constants={"n": n}).value([float(k)])) for k in range(n)]
    raise ValueError(shape)
