"""The performance profile of Dolan and Moré (Math. Program. 91, 2002), in looks and in seconds.

For each contestant: the share of all problems that it solves (right, and with success) with at most τ times the work of
the best contestant on that problem.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.methods.contest import US, Entry

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "profile.svg"


def ratios(entries: Sequence[Entry], work: Callable[[Entry], float]) -> dict[str, list[float]]:
    """Return for each contestant its work over the least work, a problem; infinite where it did not solve it."""
    best: dict[str, float] = {}
    for e in entries:
        if e.solved:
            best[e.problem] = min(best.get(e.problem, np.inf), work(e))
    found: dict[str, list[float]] = {}
    for e in entries:
        ratio = work(e) / best[e.problem] if e.solved else np.inf
        found.setdefault(e.contestant, []).append(ratio)
    return found


def draw(entries: Sequence[Entry], path: Path = PICTURE) -> None:
    """Draw both profiles: descend thick, each peer at the setting with which it solves more."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "descend"
    import matplotlib.pyplot as plt

    shown = _better(entries)
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained", sharey=True)
    colours = plt.get_cmap("tab20")
    for axis, title, work in (
        (axes[0], "looks", lambda e: max(e.answer.looks, 1)),
        (axes[1], "seconds, compiling included", lambda e: e.answer.seconds),
    ):
        for k, (name, values) in enumerate(ratios(shown, work).items()):
            x = np.sort([v for v in values if np.isfinite(v)])
            share = np.arange(1, len(x) + 1) / len(values)
            style = {"color": "black", "linewidth": 3, "zorder": 9} if name == US else {"color": colours(k)}
            axis.step([1, *x, 1e3], [0, *share, share[-1] if len(x) else 0], where="post", label=name, **style)
        axis.set(xscale="log", xlim=(1, 1e3), ylim=(0, 1), xlabel=f"τ: times the least {title}")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("share of the problems solved")
    axes[1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _better(entries: Sequence[Entry]) -> list[Entry]:
    solved: dict[str, int] = {}
    for e in entries:
        solved[e.contestant] = solved.get(e.contestant, 0) + e.solved
    keep = {US}
    for name in solved:
        loose = name.removesuffix(", tight")
        pair = [n for n in (loose, f"{loose}, tight") if n in solved]
        keep.add(max(pair, key=lambda n: solved[n]))
    return [e for e in entries if e.contestant in keep]
