"""The corpus of nasty inputs: `what` it is, the `text` or its `pieces` with repetitions, and its `outcome`."""

from __future__ import annotations

import json
from pathlib import Path

CORPUS = json.loads((Path(__file__).parent / "nasty.json").read_text())


def text_of(row):
    return row["text"] if "text" in row else "".join(piece * count for piece, count in row["pieces"])
