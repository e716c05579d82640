"""A process that compiles one formula as a user's second process would, and says what took how long.

Only the standard library is loaded before the clock starts, and the list of modules comes on standard input.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from time import perf_counter


def main(text: str, start: list[float], modules: list[str]) -> None:
    """Import `modules`, then go from `text` to the first value and gradient."""
    began = perf_counter()
    for name in ("descend", *modules):
        import_module(name)
    descend = import_module("descend")
    imports = perf_counter() - began
    compiling, value = look(descend, text, start)
    known = sorted(m for m in sys.modules if m.partition(".")[0] in {"descend", "numpy", "llvmlite"})
    again = sum(look(descend, text, start))
    report = {"imports": imports, "compile": compiling, "value": value, "first": compiling + value, "again": again}
    print(json.dumps({k: 1e3 * v for k, v in report.items()} | {"modules": known}))


def look(descend: object, text: str, start: list[float]) -> tuple[float, float]:
    """Return the seconds of `compile` and of the first value and gradient."""
    began = perf_counter()
    fun = descend.compile(text)  # type: ignore[attr-defined]
    made = perf_counter()
    fun.value_and_gradient(start)
    return made - began, perf_counter() - made


if __name__ == "__main__":
    given = json.load(sys.stdin)
    main(given["text"], given["start"], given["modules"])
