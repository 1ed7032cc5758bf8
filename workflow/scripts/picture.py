"""Draws every run of an experiment that has ended, and the best so far. The rule `picture` calls it."""

from __future__ import annotations

import sys

from flagstone.cli.jobs.block import draw_picture

if __name__ == "__main__":
    sys.exit(draw_picture(sys.argv[1:]))
