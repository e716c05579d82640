"""The command: `python -m benchmarks [name ...] [--quick] [--only part ...]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

NAMES = ("article", "coldstart", "indexed", "derivative", "parse", "fit", "digits", "loops", "vectormath", "explain")
LONG = ("kernel", "methods")  # run only when they are named
PACKAGES = (
    "descend",
    "numpy",
    "scipy",
    "sympy",
    "llvmlite",
    "numexpr",
    "numba",
    "jax",
    "torch",
    "nlopt",
    "optax",
    "optimistix",
)
TUNED_OPENBLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure descend beside its peers.")
    parser.add_argument(
        "name", nargs="*", metavar="name", help=f"one of {', '.join((*NAMES, *LONG))}; none: all but {', '.join(LONG)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, few rounds: does it run? The figures say little"
    )
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="part", help="of kernel or methods: these works and parts"
    )
    options = parser.parse_args()
    unknown = set(options.name) - {*NAMES, *LONG}
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join((*NAMES, *LONG))}")
    if options.only and options.name not in (["kernel"], ["methods"]):
        parser.error("--only goes with kernel or methods")
    for name in TUNED_OPENBLAS:  # before NumPy is loaded, here and in the processes started from here
        os.environ.pop(name, None)
    print(_machine())
    began = perf_counter()
    for name in options.name or NAMES:
        print(flush=True)
        only = {"only": options.only} if options.only else {}
        import_module(f"benchmarks.{name}").run(quick=options.quick, **only)
    kind = "quick: figures of this run are not to be quoted" if options.quick else "ratios are side by side"
    print(f"\n{perf_counter() - began:.0f} s; {kind}")


def _machine() -> str:
    """Say on what this was measured."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"{package} not installed")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    computer = f"{_processor()}, {os.cpu_count()} processors{load}, {platform.system()}"
    return f"{computer}, Python {platform.python_version()}\n{', '.join(versions)}"


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
