"""From the shell: the whole time of a process that minimises x², beside the article's script."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import in_turns, milliseconds, ratio, show

ARGUMENTS = ["minimize", "x^2", "--start", "3", "--learning-rate", "0.1"]
SCRIPT = Path(__file__).with_name("article_script.py")
MOST_RATIO = 0.4  # asked for by issue 2
WATCHED = ("sympy", "llvmlite", "numpy", "scipy", "pyarrow", "flint", "rich", "click")
FORBIDDEN = {"sympy", "llvmlite"}
LOOK = f"""
import sys
sys.argv = ["descend", *{ARGUMENTS!r}]
from descend.cli import main
try:
    main()
finally:
    print(*(name for name in {WATCHED!r} if name in sys.modules), file=sys.stderr)
"""


def run(*, quick: bool) -> None:
    """Print wall times and the ratio."""
    pairs = 3 if quick else 11
    console = Path(sys.executable).with_name("descend")
    ours = [str(console)] if console.exists() else [sys.executable, "-m", "descend"]
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(folder)

        def start(*command: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True, text=True)

        times = in_turns(
            {
                "article": lambda: start(sys.executable, str(SCRIPT)),
                "descend": lambda: start(*ours, *ARGUMENTS),
                "python": lambda: start(sys.executable, "-c", "pass"),
            },
            pairs,
        )
        printed = start(*ours, *ARGUMENTS).stdout.splitlines()[:2]
        loaded = start(sys.executable, "-c", LOOK).stderr.split()
    bad = sorted(FORBIDDEN.intersection(loaded))
    article = times["article"]
    show(
        f"coldstart: a whole process, x² from 3 at rate 0.1 ({pairs} pairs in turns, medians)",
        ("", "ms", f"of the article's (asked: ≤ {MOST_RATIO})"),
        [
            ("python benchmarks/article_script.py", milliseconds(median(article)), 1),
            (
                f"descend {' '.join(ARGUMENTS)}",
                milliseconds(median(times["descend"])),
                f"{ratio(times['descend'], article):.2f}",
            ),
            ("python -c pass", milliseconds(median(times["python"])), f"{ratio(times['python'], article):.2f}"),
        ],
        (
            f"in sys.modules afterwards, of {', '.join(WATCHED)}: {', '.join(loaded) or 'none'}; "
            + (f"NOT AS PROMISED: {', '.join(bad)}" if bad else "neither sympy nor llvmlite, as promised"),
            "byte code is warm for both (written to a temporary folder before the first round)",
            f"it printed: {printed[0]}" if printed else "it printed nothing",
        ),
    )


def _environment(folder: str) -> dict[str, str]:
    """Return this environment with byte code caches on: an everyday start, the same for both."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPYCACHEPREFIX": folder}
