"""Draws the course of an experiment that has ended: every run and the best so far. What the rule `picture` calls."""

from __future__ import annotations

import sys

from flagstone.cli.jobs.block import draw_picture

if __name__ == "__main__":
    sys.exit(draw_picture(sys.argv[1:]))
