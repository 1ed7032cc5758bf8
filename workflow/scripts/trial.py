"""Measures one run of a trial, or decides one of its steps. The rules `trial_run` and `look` call it."""

from __future__ import annotations

import sys

from asking import ask_warm_server


def main() -> int:
    """Hands the job to the process that has everything loaded, or does it here."""
    code = ask_warm_server("FLAGSTONE_WARM_BLOCKS")
    if code is None:
        from flagstone.cli.jobs.trial import main as do_job

        code = do_job(sys.argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
