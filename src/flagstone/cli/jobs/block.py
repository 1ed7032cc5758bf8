"""The job of the rule `iterate`: runs one block of an experiment, and reports it on the terminal and in the log."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from flagstone.cli.jobs.job_log import open_job_log
from flagstone.cli.jobs.owner import owner_of, schemas_of
from flagstone.errors import FlagstoneError, Interrupted
from flagstone.experiments.engine import Job, OpenedExperiment, naming_plan, open_experiment, run_block
from flagstone.experiments.proposers import Proposer
from flagstone.layout import Run
from flagstone.plans import Home, Plan, find_plan
from flagstone.processes import restore_keyboard_interrupt
from flagstone.records import write_record


def main(words: list[str]) -> int:
    """Exit codes: 0 the block is done, 2 yours to fix, 3 the work failed, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="iterate.py", description="Runs one block of an experiment.")
    parser.add_argument("block", type=Path, help="experiments/NAME/blocks/NNNN.json of the run")
    parser.add_argument("--log", required=True, type=Path, help="a file that gets all output as well")
    asked = parser.parse_args(words)
    restore_keyboard_interrupt()
    with open_job_log(asked.log) as say:
        return run_and_report(asked.block.absolute(), say)


def run_and_report(block: Path, say: Callable[[str], None]) -> int:
    """Runs the block. If it fails, writes the reason to failure.json, for the last line of the call of Snakemake."""
    folder = block.parent.parent
    run, failure = Run(folder.parent.parent), folder / "failure.json"
    failure.unlink(missing_ok=True)
    plan = find_plan(run, folder.name)
    try:
        if plan is None:
            raise FlagstoneError(
                f"there is no plan workspace/experiments/{folder.name}.yaml", hint="put it back, then run again"
            )
        work(run, plan, block, say)
    except (Interrupted, KeyboardInterrupt):
        say(f"experiment {folder.name} was stopped; the same command continues where it stopped")
        return Interrupted.exit_code
    except FlagstoneError as error:
        problem, hint = (naming_plan(words, plan) if plan else words for words in (error.problem, error.hint))
        say(problem)
        say(hint)
        record = {"problem": f"experiment {folder.name}: {problem}", "hint": hint}
        write_record(failure, {**record, "exit_code": error.exit_code})
        return error.exit_code
    return 0


def work(run: Run, plan: Plan, block: Path, say: Callable[[str], None]) -> None:
    owner = owner_of(run.root, validate=False)

    def proposer(opened: OpenedExperiment) -> Proposer | None:
        return owner.proposer(opened.spec)

    run_block(Job(plan, block, owner.stage, owner.budgets), schemas_of(run.root), proposer, say)


def draw_picture(words: list[str]) -> int:
    """Draws every run of an experiment that has ended. The rule `picture` calls it."""
    from flagstone.experiments.reporting import draw  # here, not above: a block draws nothing

    (target,) = map(Path, words)
    run = Run(target.absolute().parents[2])
    opened = open_experiment(Home(target.absolute().parent, run.root), schemas_of(run.root))
    draw(opened.home, opened.spec, target)
    return 0
