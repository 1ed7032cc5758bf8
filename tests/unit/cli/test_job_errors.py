"""What is recorded of a job of an experiment that could not report itself, from Snakemake's own messages."""

from __future__ import annotations

import logging
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from flagstone.cli.jobs.job_errors import JobErrors
from flagstone.layout import Run
from flagstone.plans import Plan, find_plan, trial_plans

BLOCK, LOG = "experiments/tune/blocks/0001.json", "logs/experiment-tune-0001.log"
REFUSED = (
    "SLURM sbatch failed. The error message was 'sbatch: error: invalid partition specified: nope\n"
    "sbatch: error: Batch job submission failed: Invalid partition name specified'.\n"
    "    sbatch call:\n        sbatch -p nope"
)
ENDED = "SLURM-job '4' failed, SLURM status is: 'FAILED'. For further error details see the cluster/cloud log."
Event = Enum("Event", ["JOB_INFO", "JOB_ERROR"])


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    run = Run(tmp_path / "t")
    run.plans.mkdir(parents=True)
    run.logs.mkdir()
    (run.plans / "tune.yaml").write_text("goal: less loss\n")
    (run.root / "node.log").write_text("module: command not found\n/nowhere/python: not found\n\n")
    found = find_plan(run, "tune")
    assert found is not None
    return found


def tell(listener: JobErrors, event: Event, rule: str = "iterate", **facts: Any) -> None:
    record = logging.makeLogRecord({"event": event, "rule_name": rule, "output": [BLOCK], "log": [LOG], **facts})
    listener.handle(record)


def test_a_refused_job_is_told_in_the_words_of_the_scheduler(plan: Plan) -> None:
    listener = JobErrors(plan.run)
    tell(listener, Event.JOB_INFO)
    tell(listener, Event.JOB_ERROR, rule_msg=REFUSED, aux={})
    failure = plan.failure()
    assert failure["problem"] == (
        "experiment tune: the scheduler refused its job: invalid partition specified: nope; "
        "Batch job submission failed: Invalid partition name specified"
    )
    assert failure["exit_code"] == 2 and failure["hint"].endswith("then run again: flagstone run t")
    tell(listener, Event.JOB_INFO, rule="research_iterate")
    assert plan.failure() == {}, "a job that is submitted again has not failed"


def test_a_job_that_ended_before_flagstone_began_is_told_by_the_end_of_its_log(plan: Plan) -> None:
    listener = JobErrors(plan.run)
    tell(listener, Event.JOB_INFO)
    tell(listener, Event.JOB_ERROR, rule_msg=ENDED, aux={"external_jobid": "4"}, log=[LOG, "node.log"])
    failure = plan.failure()
    assert failure["problem"].endswith("its job 4 ended without a result (FAILED): /nowhere/python: not found")
    assert failure["exit_code"] == 3 and failure["hint"].startswith("read node.log")


def test_a_job_that_has_begun_says_itself_how_it_ended(plan: Plan) -> None:
    listener = JobErrors(plan.run)
    tell(listener, Event.JOB_INFO)
    (plan.run.root / LOG).write_text("experiment tune was stopped\n")
    tell(listener, Event.JOB_ERROR, rule_msg=ENDED, aux={"external_jobid": "4"}, log=[LOG, "node.log"])
    assert plan.failure() == {}


@pytest.mark.parametrize("facts", [{"rule": "picture", "rule_msg": REFUSED}, {"rule_msg": None}])
def test_what_says_nothing_of_an_experiment_is_not_recorded(plan: Plan, facts: dict[str, Any]) -> None:
    listener = JobErrors(plan.run)
    tell(listener, Event.JOB_INFO)
    tell(listener, Event.JOB_ERROR, aux={}, **facts)
    assert plan.failure() == {}


def test_a_refused_run_of_a_trial_is_told_as_that_of_its_trial(plan: Plan) -> None:
    run = plan.run
    (run.workspace / "trials").mkdir()
    (run.workspace / "trials" / "fast.yaml").write_text("question: is it faster?\n")
    listener = JobErrors(run)
    output = ["trials/fast/records/control-a1.json"]
    tell(listener, Event.JOB_INFO, rule="trial_run", output=output)
    tell(listener, Event.JOB_ERROR, rule="trial_run", output=output, rule_msg=REFUSED, aux={})
    assert plan.failure() == {}
    assert str(trial_plans(run)[0].failure()["problem"]).startswith("trial fast: the scheduler refused its job")
