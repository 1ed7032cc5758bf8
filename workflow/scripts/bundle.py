"""Packs the bundle of a run whose stages are all approved. The rule `bundle` calls it."""

from __future__ import annotations

import sys

from flagstone.cli.jobs.release import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
