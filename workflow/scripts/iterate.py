"""Runs one block of an experiment: propose, measure, keep or discard. The rule `iterate` calls it."""

from __future__ import annotations

import sys

from asking import ask_warm_server


def main() -> int:
    """Hands the block to the process that has everything loaded, or runs it. With --serve, becomes that process."""
    if sys.argv[1:] == ["--serve"]:
        from flagstone.cli.jobs.loading import load_block
        from flagstone.processes import serve_spawned

        serve_spawned(load_block)
        return 0
    code = ask_warm_server("FLAGSTONE_WARM_BLOCKS")
    if code is None:
        from flagstone.cli.jobs.block import main as run_block

        code = run_block(sys.argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
