"""For all tests, doctests included: what is tested is compiled afresh, and nothing is written into the user's home."""

from __future__ import annotations

import os

os.environ["DESCEND_CACHE"] = "off"
