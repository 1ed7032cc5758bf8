"""Builds one stage of a run: prompt, agent, checks, repair, publication. The stage rules call it."""

from __future__ import annotations

import sys

from asking import ask_warm_server


def main() -> int:
    """Hands the stage to `flagstone run`, which has everything loaded, or builds it here."""
    code = ask_warm_server("FLAGSTONE_WARM")
    if code is None:
        from flagstone.cli.jobs.stage import main as build_stage

        code = build_stage(sys.argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
