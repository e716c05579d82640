"""The library's keywords in the shell's spelling."""

from __future__ import annotations

import pytest

from descend.cli.words import in_shell


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("Give more with max_looks=.", "Give more with --max-looks."),
        ("Give more with max_iterations=, or use a larger", "Give more with --max-iterations, or use a larger"),
        ("precision=2.5e-5 would have done", "--precision 2.5e-5 would have done"),
        ("precision=1.0e+12 would have done", "--precision 1.0e+12 would have done"),
        ("steps needs a start, such as start=3", "steps needs a start, such as --start 3"),
        ("leave method= away", "leave --method away"),
        ("constants= or fixed=", "--let or --fix"),
        ("give a mapping, start={'x': ..., 'y': ...}", "give --start x=... --start y=..."),
        ("learning_rate must be greater than 0", "--learning-rate must be greater than 0"),
        ("there is no variable 'learning_rate'", "there is no variable 'learning_rate'"),
        ("The last point is in result.last; start there to go on.", "Give the last point to --start to go on."),
        ("y = b0 + b1*x", "y = b0 + b1*x"),
        ("my_start=3", "my_start=3"),
        ("", ""),
    ],
)
def test_in_shell(python, shell):
    assert in_shell(python) == shell
