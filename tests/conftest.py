"""No silent fallback: a test in which machine code was wanted and not had fails, unless it expects just that."""

from __future__ import annotations

import pytest

from descend.kernel.compile import COUNTERS


@pytest.fixture(autouse=True)
def no_fallback(request):
    before = COUNTERS.fallbacks
    yield
    if request.node.get_closest_marker("expects_fallback") is None:
        assert COUNTERS.fallbacks == before, f"fell back to the interpreter: {COUNTERS.reason}"
