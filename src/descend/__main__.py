"""`python -m descend`: the command line."""

from __future__ import annotations

import sys

from descend.cli import main

if __name__ == "__main__":
    sys.exit(main())
