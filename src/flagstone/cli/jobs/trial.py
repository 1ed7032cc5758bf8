"""The jobs of the rules `trial_run` and `look`: does one, and reports it on the terminal and in the log."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flagstone.cli.jobs.job_log import open_job_log
from flagstone.cli.jobs.pinned import trial_schemas
from flagstone.errors import FlagstoneError, Interrupted
from flagstone.plans import TrialPlan, trial_plan_at
from flagstone.processes import restore_keyboard_interrupt
from flagstone.records import read_record, write_record
from flagstone.trials import IdeaLine
from flagstone.trials.running import OpenedTrial, TrialStep, measure_run, take_step

JOBS = ("run", "look")


def main(words: list[str]) -> int:
    """Exit codes: 0 the job is done, 2 yours to fix, 3 the work failed, 130 interrupted."""
    asked = parsed_words(words)
    restore_keyboard_interrupt()
    with open_job_log(asked.log) as say:
        return do_and_report(asked.job, asked.output.absolute(), say)


def parsed_words(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="trial.py", description="Does one job of a trial.")
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("output", type=Path, help="records/ARM-SLOT.json or looks/NNN.json of a trial")
    parser.add_argument("--log", required=True, type=Path, help="a file that gets all output as well")
    return parser.parse_args(words)


def do_and_report(job: str, output: Path, say: Callable[[str], None]) -> int:
    """Does the job. If it fails, writes the reason to failure.json, for the last line of the call of Snakemake."""
    root = output.parent.parent
    failure = root / "failure.json"
    if (read_record(failure) or {}).get("job") == output.stem:
        failure.unlink(missing_ok=True)
    try:
        do(job, trial_plan_at(root), output.stem, say)
    except (Interrupted, KeyboardInterrupt):
        say(f"trial {root.name} was stopped; the same command continues where it stopped")
        return Interrupted.exit_code
    except FlagstoneError as error:
        say(error.problem)
        say(error.hint)
        name = f"trial {root.name}"
        problem = error.problem if name in error.problem else f"{name}: {error.problem}"
        record = {"problem": problem, "hint": error.hint, "job": output.stem}
        write_record(failure, {**record, "exit_code": error.exit_code})
        return error.exit_code
    except Exception as error:
        problem = f"trial {root.name}: {type(error).__name__}: {error}"
        hint = f"this is a fault of Flagstone; please report it, with the log {output.stem} in {root / 'logs'}"
        write_record(failure, {"problem": problem, "hint": hint, "job": output.stem, "exit_code": 1})
        raise
    return 0


def do(job: str, plan: TrialPlan, name: str, say: Callable[[str], None]) -> None:
    if job == "look":
        take_step(plan, int(name), trial_schemas(plan.base), say, partial(make_idea, say))
        return
    arm, _, slot = name.rpartition("-")
    measure_run(plan, (arm, slot), trial_schemas(plan.base), say)


def make_idea(say: Callable[[str], None], opened: OpenedTrial, step: TrialStep) -> IdeaLine:
    from flagstone.cli.jobs.campaign import idea_for  # here, not above: only a campaign makes ideas

    return idea_for(say, opened, step)
