"""`flagstone experiment new`: sets up an experiment from options or from a plan."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from flagstone import schemas
from flagstone.cli.experiments.selection import experiment_folder, refuse_invalid_name
from flagstone.cli.jobs.owner import Owner, owner_of, schemas_of
from flagstone.cli.location import Location
from flagstone.cli.plan_options import plan_options, plan_with_options
from flagstone.experiments.engine import OpenedExperiment
from flagstone.plans import MOST_RUNS, Home, MetricSpec, command_of, with_end
from flagstone.setup import check_plan, create_experiment, own_files_beside, refuse_taken, with_parameters

FREE = ("demo", "replay", "command", "scripted")  # agents without a price, or whose price is not known


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("name")
@click.argument("argv", nargs=-1, metavar="[-- COMMAND …]")
@plan_options
@click.pass_obj
def command(
    location: Location, /, name: str, argv: tuple[str, ...], plan: Path | None, run_name: str | None, **given: Any
) -> None:
    """Set up experiment NAME for the current project or for a run. The project's own files are never changed.

    \b
    flagstone experiment new lr --metric val_loss --mutable train.py --seconds 300 -- python train.py
    flagstone experiment new tune --metric val_loss --param lr=1e-4:1e-1:log -- python train.py --lr 0.01
    flagstone experiment new fast --kind git --mutable 'src/**/*.py' --metric seconds --guard 'pytest -q' -- ./bench.sh
    """
    refuse_invalid_name(name)
    base = schemas.read_yaml(plan) if plan else {}
    value = plan_with_options(base if isinstance(base, dict) else {}, argv, given)
    folder, belongs_to = experiment_folder(location, run_name)
    value = with_parameters(value, belongs_to / value.get("subject", {}).get("root", "."), given["parameters"])
    home, pinned = Home(folder / name, belongs_to), schemas_of(belongs_to)
    check_plan(value, pinned, str(plan) if plan else "the options")
    refuse_taken(home)
    value, notes = ending_plan(value, owner_of(belongs_to))
    opened = create_experiment(home, value, pinned, own_files_beside(plan, value))
    click.echo(f"created {home.spec}")
    click.echo(f"working files: {home.working}")
    click.echo(f"command: {program_line(opened)}\nmetric: {metric_words(opened.spec.metric)}")
    if opened.spec.harness.exclusive:
        notes.append("each run waits until no other run of Flagstone goes on here (--no-exclusive)")
    for notice in (*notes, *opened.subject.notices(opened.base)):
        click.echo(f"note: {notice}")
    click.echo(f"next: {command_of(home, 'check')}")


def metric_words(metric: MetricSpec) -> str:
    """The metric with its direction, which may have been taken from the name."""
    return f"{metric.name}, {'less' if metric.direction == 'min' else 'more'} is better"


def ending_plan(value: dict[str, Any], owner: Owner) -> tuple[dict[str, Any], list[str]]:
    """The plan with an end in time and money, and what was set or left open, in words."""
    notes = []
    if is_paid(value, owner):
        stopping, limit = value.get("stopping", {}), asked_cost_usd()
        if limit:
            value = {**value, "stopping": {**stopping, "cost_usd": limit}}
        else:
            notes.append("nothing limits what the agent costs (--cost-usd N)")
    ending = with_end(value)
    if ending is not value:
        notes.append(f"it ends after {MOST_RUNS} runs, because no other end is set (--max-runs N, --plateau N)")
    return ending, notes


def is_paid(value: Mapping[str, Any], owner: Owner) -> bool:
    """Whether an agent that has a price proposes, and neither the plan nor a budget of its run limits that."""
    is_agent = value.get("proposer", "agent") in ("agent", "population") and not value.get("script")
    driver = value.get("agent", {}).get("driver") or owner.agent
    return is_agent and not owner.budgets and driver not in FREE and "cost_usd" not in value.get("stopping", {})


def asked_cost_usd() -> float:
    """What a person lets the agent cost. Returns 0 if there is no limit, or nobody to ask."""
    if not is_terminal():
        return 0
    words = "US dollars that the agent may cost in all (Enter: no limit)"
    limit: float = click.prompt(words, default=0.0, type=click.FloatRange(0), show_default=False)
    return limit


def is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def program_line(opened: OpenedExperiment) -> str:
    """The command, and the program that its first word starts here."""
    argv, program = opened.spec.harness.argv, opened.start["program"]
    line = shlex.join(argv)
    if program is None or (program and "/" in argv[0]):
        return line
    if not program:
        return f"{line} ({argv[0]} is not on the PATH)"
    is_ours = os.path.dirname(program) == os.path.dirname(sys.executable)
    return f"{line} ({argv[0]} is {program}{', the environment of Flagstone' if is_ours else ''})"
