"""`flagstone trials status`: shows how far a trial is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import click

from flagstone.cli.experiments.selection import experiment_argument
from flagstone.cli.jobs.pinned import trial_schemas
from flagstone.cli.location import Location
from flagstone.cli.trials.selection import chosen_trial, spec_of_trial, trial_command
from flagstone.errors import FlagstoneError
from flagstone.plans import TrialPlan, TrialSpec
from flagstone.records import Ledger, plain_value, read_record
from flagstone.text import count_text, one_line, printable_text
from flagstone.trials import Story
from flagstone.trials.running import TrialState, next_step, open_trial
from flagstone.trials.sealing import data_digest


@click.command()
@experiment_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, as_json: bool) -> None:
    """Show how far trial NAME is: its step, the runs that are done, what came out so far, and the next command.

    \b
    flagstone trials status clip
    flagstone trials status clip --json
    """
    trial = chosen_trial(location, name, run_name)
    found = status_record(trial, spec_of_trial(trial))
    click.echo(json.dumps(found, indent=1, ensure_ascii=False) if as_json else printable_text(status_text(found)))


def status_record(plan: TrialPlan, spec: TrialSpec) -> dict[str, Any]:
    """What is known of a trial, from its ledger and its records."""
    trial = plan.folder
    state = TrialState.read(trial.ledger)
    story, step = state.story, next_step(spec, state)
    done = [f"{arm}-{slot}" for arm, slot in step.runs if (arm, slot) in story.runs or trial.record(arm, slot).exists()]
    return {
        "trial": trial.name,
        "question": spec.question,
        "gate": spec.gate,
        "outcome": story.verdict and str(story.verdict.outcome),
        "exploratory": exploratory(story),
        "step": {"number": step.number, "what": step.what, "arms": step.arms, "runs": len(step.runs), "done": done},
        "runs": len(story.runs),
        "failed": [f"{run.arm}-{run.slot}: {run.status}" for run in story.runs.values() if run.status != "ok"],
        "ideas": [idea_record(state, arm) for arm in story.ideas],
        "prereg": plain_value(story.prereg) if story.prereg else None,
        "denied": len(story.denials),
        "rewritten": Ledger(trial.ledger).rewritten_lines(),
        "has_changed": story.verdict is not None and has_changed(plan),
        "failure": read_record(trial.failure),
        "next": trial_command(plan, "report" if story.verdict else "run" if trial.ledger.is_file() else "plan"),
    }


def has_changed(plan: TrialPlan) -> bool:
    """Whether the project, its data or the plan is no longer what the trial is about."""
    with suppress(FlagstoneError):
        opened = open_trial(plan, trial_schemas(plan.base))
        has_other_data = data_digest(plan.folder, opened.spec) != opened.start.shared.data
        return has_other_data or opened.subject.has_changed(opened.start.tree)
    return True  # its plan was changed, or its data is gone; verify names it


def exploratory(story: Story) -> str:
    """Why the result is exploratory; empty if it is not, or not known to be."""
    return (story.verdict.exploratory if story.verdict else "") or (story.prereg.exploratory if story.prereg else "")


def idea_record(state: TrialState, arm: str) -> dict[str, Any]:
    """What came out for one idea so far: the checks that failed, the screen, each look."""
    verdict = state.story.verdict
    ended = next((idea for idea in verdict.ideas if idea.arm == arm), None) if verdict else None
    checked, screened = state.of("checks").get(arm), state.of("screen").get(arm)
    looks = [look for line in state.confirmations for look in line.looks if look.arm == arm]
    return {
        "arm": arm,
        "outcome": ended and str(ended.outcome),
        "reason": ended.reason if ended else state.story.ideas[arm].failure,
        "failed_checks": [check.reason for check in checked.checks if not check.is_passed] if checked else [],
        "screen": plain_value(screened.screen) if screened and screened.screen else None,
        "looks": [{"pairs": len(look.pairs), "mean": look.mean, "p": look.p, "alpha": look.alpha} for look in looks],
    }


def status_text(found: Mapping[str, Any]) -> str:
    return "\n".join(status_lines(found))


def status_lines(found: Mapping[str, Any]) -> Iterator[str]:
    step = found["step"]
    yield f"{found['trial']}: {one_line(found['question'])}"
    if found["outcome"]:
        yield f"  {found['outcome']} after {count_text(found['runs'], 'run')}, gate {found['gate']}"
    else:
        of = f": {', '.join(step['arms'])}" if step["arms"] else ""
        yield f"  step {step['number']}, {step['what']}{of}; {len(step['done'])} of its {step['runs']} runs are done"
    if found["has_changed"]:
        yield "  the project has changed since then, or its data or plan; this says nothing of what is there now"
    if found["exploratory"]:
        yield f"  exploratory: {found['exploratory']}"
    for idea in found["ideas"]:
        yield f"  {idea['arm']}: {idea_words(idea)}"
    if found["failed"]:
        yield f"  failed runs: {', '.join(found['failed'][:5])}{' …' if len(found['failed']) > 5 else ''}"
    if found["denied"]:
        yield f"  {count_text(found['denied'], 'call')} asked for what it may not have; see the report"
    for problem in found["rewritten"]:
        yield f"  do not believe this: {problem}; see: flagstone trials verify"
    if found["failure"] and not found["outcome"]:
        yield f"  its last job failed: {found['failure'].get('problem')}\n  {found['failure'].get('hint')}"
    yield f"next: {found['next']}"


def idea_words(idea: Mapping[str, Any]) -> str:
    """The latest of what came out."""
    if idea["outcome"]:
        return f"{idea['outcome']}. {idea['reason']}".rstrip()
    if idea["looks"]:
        look = idea["looks"][-1]
        numbers = f"mean improvement {look['mean']:.4g}, p {look['p']:.3g}" if look["p"] is not None else "no p"
        return f"{numbers} after {look['pairs']} pairs"
    if idea["screen"]:
        return f"screened: {idea['screen']['reason'] or 'goes on'}"
    return "; ".join(idea["failed_checks"]) or idea["reason"] or "not decided yet"
