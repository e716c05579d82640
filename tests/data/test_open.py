"""The door of the room: what it loads, and that its results obey their protocol."""

from __future__ import annotations

import subprocess
import sys

from descend.data.open import open_source
from descend.data.source import Source

SCRIPT = """
import sys
import descend.data.open
heavy = {"numpy", "pyarrow", "narwhals", "pandas", "polars"}
print(sorted(heavy & set(sys.modules)))
descend.data.open.open_source({"x": [1, 2]}).table(["x"])
print(sorted({"pyarrow", "pandas", "polars"} & set(sys.modules)))
"""


def test_libraries_are_loaded_when_they_are_needed():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "[]"]


def test_a_source_obeys_the_protocol():
    source: Source = open_source({"x": [1, 2]})
    assert source.names == ("x",)
    assert source.rows == 2
    assert source.description
    assert source.table(["x"]).rows == 2
