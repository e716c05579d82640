"""What the first call of a fresh process does, which no test in a used process can see."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("cost", ["sin(x)", "exp(x)", "hypot(x, 1)", "x^2"])
def test_the_first_formula_is_compiled(cost):
    code = f"import descend; print(descend.compile({cost!r}).evaluator)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "compiled\n"
    assert not ran.stderr
