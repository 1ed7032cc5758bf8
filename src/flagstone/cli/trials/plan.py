"""`flagstone trials plan`: shows what a trial can find and what it takes, before anything runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace

import click

from flagstone.cli.experiments.selection import experiment_argument
from flagstone.cli.location import Location
from flagstone.cli.trials.selection import chosen_trial, runnable_spec, trial_command
from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Contract
from flagstone.experiments.measuring import program_path
from flagstone.plans import TrialPlan, TrialSpec, is_run_folder, place_of
from flagstone.text import printable_text
from flagstone.trials import Earlier, read_story
from flagstone.trials.planning import Forecast, baseline_of, forecast_text, plan_of
from flagstone.trials.sealing import earlier_trials, hiding_fault, key_of


@click.command()
@experiment_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, as_json: bool) -> None:
    """Show what trial NAME can find, and what it takes: power, smallest p, runs, hours, cost. Nothing is run.

    \b
    flagstone trials plan clip
    flagstone trials plan clip --json
    """
    trial = chosen_trial(location, name, run_name)
    spec = runnable_spec(trial)
    found = forecast_for(trial, spec)
    exploratory = hiding_fault(spec.experiment.sandbox) if spec.gate == "confirm" else ""
    if as_json:
        click.echo(json.dumps({**asdict(found), "exploratory": exploratory}, indent=1))
    else:
        click.echo(printable_text(forecast_text(spec, found)))
        if spec.gate == "confirm":
            click.echo(
                f"  exploratory: {exploratory}" if exploratory else "  confirmation seeds are hidden from every run"
            )
    if found.problem and spec.underpowered != "accept":
        raise FlagstoneError(found.problem, hint=found.hint)
    if not as_json:
        click.echo(f"next: {trial_command(trial, 'report' if trial.folder.verdict.exists() else 'run')}")


def forecast_for(plan: TrialPlan, spec: TrialSpec) -> Forecast:
    """The forecast, with the baseline if it was measured."""
    story = read_story(plan.folder.ledger)
    look = next((each for each in story.looks if each.what == "baseline"), None)
    is_deterministic = bool(look.facts.get("is_deterministic")) if look else None
    baseline = baseline_of(story.baseline_runs(len(spec.screening)), is_deterministic)
    where = place_of(plan.path, plan.text, "underpowered")
    if story.prereg:
        names = tuple(each.trial for each in story.prereg.earlier if each.alpha is not None)
        return replace(plan_of(spec, baseline, story.prereg.number, where), earlier=names)
    names = tuple(each.trial for each in earlier_of(plan, spec) if each.alpha is not None)
    return replace(plan_of(spec, baseline, 1 + len(names), where), earlier=names)


def earlier_of(plan: TrialPlan, spec: TrialSpec) -> Iterator[Earlier]:
    """The trials whose α this one shares, if nothing changes until it is sealed."""
    experiment = spec.experiment
    word, root = experiment.harness.argv[0], experiment.subject.root
    contract = Contract(experiment, plan.folder.spec if plan.folder.spec.is_file() else plan.path)
    files = contract.begun(None if is_run_folder(plan.base) else program_path(word, root, os.environ))
    return earlier_trials(plan.folder, key_of(experiment.metric.name, contract.digest(files)))
