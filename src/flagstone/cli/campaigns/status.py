"""`flagstone campaign status`: shows how far a campaign is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from flagstone.cli.jobs.campaign import record_of
from flagstone.cli.location import Location, run_argument
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig, failure_of, judge_gates, next_turn, read_moment
from flagstone.records import read_record
from flagstone.status import run_status
from flagstone.text import one_line, printable_text
from flagstone.trials.campaign import CampaignRecord, campaign_outcome, status_text
from flagstone.trials.running import TrialState, next_step

STOPPED = "STOPPED"


@click.command()
@run_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None, as_json: bool) -> None:
    """Show how far the campaign RUN is: its stage, its step, every idea, and the next command.

    \b
    flagstone campaign status clip
    flagstone campaign status clip --json
    """
    opened = opened_campaign(location, name)
    found = status_of(opened, location.here)
    words = location.messages(opened.run).with_paths(printable_text(words_of(found)))
    click.echo(json.dumps(found, indent=1, ensure_ascii=False) if as_json else words)


def opened_campaign(location: Location, name: str | None) -> RunConfig:
    """The run that is meant. Raises an error if it is no campaign."""
    opened = location.open_run(name)
    if not any(stage.work for stage in opened.table):
        raise FlagstoneError(
            f"run {opened.run.name} is no campaign", hint=f"see it with: flagstone status {opened.run.name}"
        )
    return opened


def status_of(opened: RunConfig, here: Path) -> dict[str, Any]:
    """What is known of a campaign, from files alone."""
    record, moment = record_if_planned(opened), read_moment(opened)
    gate = next((verdict for verdict in judge_gates(moment).values() if not verdict.is_open), None)
    failure = failure_of(opened.run, gate.stage.nr, next_turn(moment, gate.stage).key) if gate else {}
    failure = failure or (read_record(record.folder.failure) if record else {}) or {}
    outcome = campaign_outcome(record) if record else None
    is_stopped = bool(opened.run.aborted.exists() or failure)
    overview = run_status(opened, here, moment)
    return {
        "run": opened.run.name,
        "question": record.spec.question if record else "",
        "outcome": STOPPED if is_stopped and outcome is None else outcome and outcome.value,
        "stage": f"{gate.stage.nr} {gate.stage.name}" if gate else None,
        "state": overview.state,
        "step": step_text(record) if record else "",
        "ideas": [idea_row(record, arm) for arm in record.story.ideas] if record else [],
        "failure": failure or None,
        "next": overview.next_command if gate or is_stopped else f"flagstone campaign report {opened.run.name}",
    }


def record_if_planned(opened: RunConfig) -> CampaignRecord | None:
    """Returns None if the first stage has not completed the plan yet."""
    try:
        return record_of(opened.run)
    except FlagstoneError:
        return None


def step_text(record: CampaignRecord) -> str:
    """The next step of the trial; empty once it has ended."""
    step = next_step(record.spec, TrialState.read(record.folder.ledger))
    return "" if step.what == "done" else f"step {step.number}, {step.what} {', '.join(step.arms)}".rstrip()


def idea_row(record: CampaignRecord, arm: str) -> dict[str, str]:
    return {"arm": arm, "title": record.story.ideas[arm].title, "status": status_text(record.story, arm)}


def words_of(found: Mapping[str, Any]) -> str:
    return "\n".join(lines_of(found))


def lines_of(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"campaign {found['run']}: {found['outcome'] or 'under way'}"
    if found["question"]:
        yield f"  question: {one_line(found['question'])}"
    where = [f"stage {found['stage']}: {found['state']}"] if found["stage"] else ["every stage is done"]
    yield f"  {', '.join([*where, *([found['step']] if found['step'] else [])])}"
    yield from (f"  {idea['arm']} {idea['title']}: {one_line(idea['status'])}" for idea in found["ideas"])
    if found["failure"]:
        yield f"  {found['failure'].get('problem')}"
        yield f"  {found['failure'].get('hint')}"
    yield f"next: {found['next']}"
