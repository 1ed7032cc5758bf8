"""Runs one block of an experiment: propose, run, measure, keep or leave. What the rule `iterate` calls."""

from __future__ import annotations

import sys

from flagstone.cli.experiment_job import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
