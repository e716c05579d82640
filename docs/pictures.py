"""Draw the pictures of README and docs: `make pictures`."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

import descend

FOLDER = Path(__file__).resolve().parent / "pictures"
BLUE, RED = "#2b6cb0", "#c53030"


def draw_descent(path: Path) -> None:
    """Draw a cost with two valleys and the points of a descent into one of them."""
    cost = "x^4 - 3x^2 + x"
    trace = descend.minimize(cost, 2, learning_rate=0.02, max_looks=60, trace=True).trace.to_arrow()
    at, costs = trace.column("x").to_pylist(), trace.column("cost").to_pylist()
    ground = np.linspace(-2.1, 2.1, 400)

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.plot(ground, ground**4 - 3 * ground**2 + ground, color=BLUE, linewidth=2)
    axes.plot(at, costs, color=RED, linewidth=1, marker="o", markersize=4)
    axes.annotate("start", (at[0], costs[0]), (-8, 0), textcoords="offset points", ha="right")
    axes.set(xlabel="x", ylabel="cost", title=f"{cost}, learning rate 0.02")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})  # no date: the same picture is the same file
    plt.close(figure)


def main() -> None:
    """Draw all of them."""
    mpl.rcParams["svg.hashsalt"] = "descend"
    FOLDER.mkdir(exist_ok=True)
    for name, draw in {"descent.svg": draw_descent}.items():
        draw(FOLDER / name)
        print(FOLDER / name)


if __name__ == "__main__":
    main()
