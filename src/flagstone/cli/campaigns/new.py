"""`flagstone campaign new`: a run with the stages of a campaign, and its own copy of the project."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml

from flagstone.cli.experiments.new import is_terminal
from flagstone.cli.location import Location
from flagstone.cli.measurement_options import measurement_options, put_measurement
from flagstone.cli.new import agent_fault, parse_settings
from flagstone.errors import FlagstoneError
from flagstone.gates import open_run
from flagstone.layout import Run
from flagstone.plans import trial_plan_problems
from flagstone.records import write_atomic
from flagstone.schemas import parse_yaml
from flagstone.settings import merge
from flagstone.setup import NewRun, create
from flagstone.status import refresh_derived
from flagstone.text import printable_text
from flagstone.trials.campaign import COPY, Handover, hand_over, hosts_of

TABLE = "campaign"
DEFAULT_EFFECT = "1 sd"  # of a smaller one, the planned looks find less than half


@click.command()
@click.argument("name")
@click.argument("argv", nargs=-1, metavar="[-- COMMAND …]")
@click.option("--goal", required=True, help="The question that the campaign is to answer, in your words.")
@click.option(
    "--project",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The project to work on. It is copied, and never changed.",
)
@measurement_options
@click.option("--minimum-effect", help=f'The smallest improvement that would matter (default: "{DEFAULT_EFFECT}").')
@click.option("--gate", type=click.Choice(["confirm", "cohens_d"]), help="How ideas are decided (default: confirm).")
@click.option("--ideas", type=click.IntRange(1, 3), help="How many ideas may be tried (default: 3).")
@click.option("--observe", multiple=True, help="Another metric that a treatment must change (repeatable).")
@click.option("--scale", multiple=True, help="What must be equal in both arms, such as train_tokens (repeatable).")
@click.option("--data", multiple=True, help="A file or folder of the project with data that git does not hold.")
@click.option("--smoke", help="A command of at most 50 steps that shows that the project runs.")
@click.option("--network/--no-network", default=None, help="Whether runs have a network (default: asked, else no).")
@click.option("--agent", help="The agent that plays all roles: claude, command, demo, replay or auto.")
@click.option("--model", help="The model that the agent uses.")
@click.option("--venue", help="The venue the paper is written for (a key of config/venues.yaml).")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Any other setting of the run (repeatable).")
@click.pass_obj
def command(location: Location, /, name: str, argv: tuple[str, ...], **given: Any) -> None:
    """Start campaign NAME for a project: ideas, tests, and a paper or a report, without a person.

    \b
    flagstone campaign new clip --goal "Lower val_loss" --project ../nano --mutable train.py --metric val_loss \\
        -- python train.py --seed {seed}
    flagstone campaign new any --goal "Make training faster" --project ../nano --gate cohens_d

    What is left out of the plan is completed by the agent in the first stage. Stages are approved by policy;
    `--set approval.03=person` lets a person decide about one of them.
    """
    plan = plan_of(argv, given)
    problems = [each for each in trial_plan_problems(plan) if not each.startswith("say in metric")]
    if problems:
        raise FlagstoneError(f"the options: {'; '.join(problems)}", hint="correct them: flagstone campaign new --help")
    asked = Handover(
        given["project"],
        tuple(given["mutable"]),
        tuple(given["data"]),
        tuple(shlex.split(given["smoke"] or "")),
        hosts_of(given["project"], os.environ),
    )
    show_hosts(asked.hosts)
    settings = settings_of(given)
    further = partial(put_into, plan, asked, name)
    run = create(location.project, NewRun(name, given["goal"], sets=settings, further=further))
    opened = open_run(location.project, run)
    refresh_derived(opened)
    fault = agent_fault(opened)
    for note in notes_of(plan, [f"{fault[0]}; {fault[1]}"] if fault else []):
        click.echo(f"note: {note}", err=True)
    click.echo(f"created {location.messages(run).path(run.root)}")
    click.echo(
        f"copied the project to {location.messages(run).path(run.root / COPY)}; the project itself is not changed"
    )
    click.echo(f"next: snakemake --cores 4 --config run={name}    (or: flagstone run {name})")


def settings_of(given: dict[str, Any]) -> dict[str, Any]:
    """The settings of the run: the table of a campaign, and approval by policy unless a person wants to decide."""
    chosen = {key: given[key] for key in ("agent", "model", "venue", "network") if given[key] not in (None, "")}
    found = merge({"table": TABLE, "approval": {"default": "auto"}, **chosen}, parse_settings(given["sets"]))
    return found if "network" in found else {**found, "network": may_use_network()}


def show_hosts(hosts: Mapping[str, str]) -> None:
    """Prints what the set-up will ask the network for, and that agents are not held to it."""
    rows = [f"  {host:<26} {printable_text(where)}" for host, where in hosts.items()]
    heading = f"the set-up of the project names {'these hosts:' if rows else 'no host'}"
    click.echo("\n".join([heading, *rows, "agents can reach any host; runs can if you let them"]), err=True)


def may_use_network() -> bool:
    """Asks whether runs may use the network. Without a terminal they may not."""
    if is_terminal():
        return click.confirm("May the runs use the network?", default=False, err=True)
    click.echo("note: runs have no network (--network gives them one)", err=True)
    return False


def plan_of(argv: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """The plan of the trial as far as the options say it."""
    value: dict[str, Any] = {"question": given["goal"]}
    put_measurement(value, argv, {**given, "root": None})
    value.setdefault("subject", {})["root"] = COPY
    value["minimum_effect"] = parse_yaml(given["minimum_effect"] or DEFAULT_EFFECT, "--minimum-effect")
    for key in ("gate", "ideas", "observe", "scale"):
        if given[key]:
            value[key] = list(given[key]) if isinstance(given[key], tuple) else given[key]
    if given["data"]:
        value["data"] = [f"{path}/**" if (given["project"] / path).is_dir() else path for path in given["data"]]
    return value


def put_into(plan: dict[str, Any], asked: Handover, name: str, run: Run) -> None:
    """The copy of the project, and the plan with the interpreter of the project's own environment."""
    environment = hand_over(run, asked)
    argv = plan.get("harness", {}).get("argv", [])
    if argv and argv[0] in ("python", "python3"):
        plan["harness"]["argv"] = [environment, *argv[1:]]
    text = yaml.safe_dump(plan, sort_keys=False, allow_unicode=True, width=100)
    write_atomic(run.root / "workspace" / "trials" / f"{name}.yaml", text.encode())


def notes_of(plan: dict[str, Any], faults: list[str]) -> list[str]:
    missing = [
        what
        for what, is_there in {
            "--mutable": plan["subject"].get("mutable"),
            "--metric": plan.get("metric"),
            "the command after --": plan.get("harness", {}).get("argv"),
        }.items()
        if not is_there
    ]
    words = [f"the agent completes the plan in stage 01: {', '.join(missing)}"] if missing else []
    gate = (
        ["the gate cohens_d accepts about a third of ideas that do nothing"] if plan.get("gate") == "cohens_d" else []
    )
    return [*faults, *words, *gate]
