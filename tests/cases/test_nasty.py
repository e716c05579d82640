"""Hostile and clumsy texts: each gives a value or a DescendError, soon."""

from __future__ import annotations

import json

import pytest

import descend
from tests.oracles.cases import FOLDER

NASTY = json.loads((FOLDER / "nasty.json").read_text())


@pytest.mark.parametrize("case", NASTY, ids=[case["what"] for case in NASTY])
def test_a_value_or_a_clear_error(case):
    try:
        fun = descend.compile(case["text"])
        value, gradient = fun.value_and_gradient([0.5] * len(fun.names))
    except descend.DescendError as error:
        message = str(error)
        assert message.strip()
        assert len(message) < 5000
        assert all(ch == "\n" or ch.isprintable() for ch in message), "control characters are not echoed"
    else:
        assert isinstance(value, float)
        assert gradient.shape == (len(fun.names),)
