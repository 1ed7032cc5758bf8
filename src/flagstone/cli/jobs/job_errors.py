"""Records why a job of an experiment or trial failed that could not say so itself: refused, or ended at its start."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.gates import read_text, run_command
from flagstone.layout import Run
from flagstone.plans import Plan, TrialPlan, all_plans
from flagstone.records import write_record
from flagstone.text import one_line

REASON = re.compile(r"error: (.+?)['.\s]*$", re.MULTILINE)
STATE = re.compile(r"status is: '(\w+)")
RULES = ("iterate", "trial_run")  # in another workflow they have a prefix
LOG_CHARACTERS = 10_000


class JobErrors(logging.Handler):
    """Notes failures of experiments and trials whose jobs a scheduler runs, from what Snakemake logs about them."""

    def __init__(self, run: Run) -> None:
        super().__init__(logging.INFO)
        self.run = run
        self.sizes = dict[str, int]()  # of the log of each job as it was submitted

    def emit(self, record: logging.LogRecord) -> None:
        event, facts = getattr(getattr(record, "event", None), "name", ""), vars(record)
        if str(facts.get("rule_name")).endswith(RULES) and event in ("JOB_INFO", "JOB_ERROR"):
            folder = (self.run.root / facts["output"][0]).parent.parent
            plan = next((each for each in all_plans(self.run) if each.failure_file.parent == folder), None)
            with suppress(OSError, FlagstoneError):  # a full disk must not end Snakemake, which has to end its jobs
                if plan is not None:
                    self.note(event, plan, facts)

    def note(self, event: str, plan: Plan | TrialPlan, facts: Mapping[str, Any]) -> None:
        block, size = facts["output"][0], self.size_of(facts["log"][0])
        if event == "JOB_INFO":  # how an earlier job failed is over now
            self.sizes[block] = size
            plan.failure_file.unlink(missing_ok=True)
        elif facts["rule_msg"] and size == self.sizes.get(block):  # a job that has begun says itself how it ended
            write_record(plan.failure_file, failure_of_job(plan, facts))

    def size_of(self, log: str) -> int:
        try:
            return (self.run.root / log).stat().st_size
        except OSError:
            return 0


def listen_to_jobs(run: Run) -> None:
    """From now on an experiment or a trial whose job the scheduler refuses or ends is recorded as failed."""
    logger = logging.getLogger("snakemake.logging")
    if not any(isinstance(handler, JobErrors) for handler in logger.handlers):
        logger.addHandler(JobErrors(run))


def failure_of_job(plan: Plan | TrialPlan, facts: Mapping[str, Any]) -> dict[str, object]:
    said, job = str(facts["rule_msg"]), (facts.get("aux") or {}).get("external_jobid")
    if job is None:
        reason = "; ".join(REASON.findall(said)) or said
        problem = f"the scheduler refused its job: {one_line(reason)}"
        hint = "correct partition, account, runtime or memory of its rule in the profile"
        return error_record(plan, problem, hint, exit_code=2)
    state, log = STATE.search(said), str(facts["log"][-1])
    ended = f" ({state[1]})" if state else ""
    lines = read_text(plan.run.root / log)[-LOG_CHARACTERS:].split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "no output")
    problem = f"its job {job} ended without a result{ended}: {one_line(last)}"
    return error_record(plan, problem, f"read {log}", exit_code=WorkFailed.exit_code)


def error_record(plan: Plan | TrialPlan, problem: str, hint: str, exit_code: int) -> dict[str, object]:
    again = f"{hint}, then run again: {run_command(plan.run)}"
    return {"problem": f"{plan.label}: {problem}", "hint": again, "exit_code": exit_code}
