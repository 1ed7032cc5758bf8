"""`flagstone new`: starts a run from a goal."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from flagstone.agents import agent_named
from flagstone.cli.location import Location, need_terminal
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig, open_run
from flagstone.schemas import parse_yaml
from flagstone.setup import QUESTIONS, NewRun, create
from flagstone.status import refresh_derived


@click.command()
@click.argument("name")
@click.option("--goal", help="The research goal, in your words.")
@click.option("--agent", help="The agent that does the work: claude, command, demo, replay or auto.")
@click.option("--venue", help="The venue the paper is written for (a key of config/venues.yaml).")
@click.option("--model", help="The model that the agent uses.")
@click.option("--table", help="The stages of the run: a file of config/tables, such as campaign (default: the eight).")
@click.option(
    "--resource",
    "resources",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A paper, data or code to start from (repeatable).",
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting, such as limits.attempts=2 (repeatable).",
)
@click.option("--interview", is_flag=True, help="Answer four short questions first. The answers go into the brief.")
@click.pass_obj
def command(
    location: Location,
    name: str,
    goal: str | None,
    agent: str | None,
    venue: str | None,
    model: str | None,
    table: str | None,
    resources: tuple[Path, ...],
    sets: tuple[str, ...],
    interview: bool,
) -> None:
    """Create the run NAME below runs/.

    \b
    flagstone new attn --goal "Does rotary position embedding help at 1M tokens?"
    flagstone new toy --agent demo --goal "Which trick helps?" --set demo.data_seed=3
    """
    project = location.project
    if goal is None:
        need_terminal("give --goal", "a run needs a goal")
        goal = click.prompt("The research goal")
    answers = ask_questions() if interview else []
    given = {"agent": agent, "venue": venue, "model": model, "table": table}
    chosen = {**{key: value for key, value in given.items() if value}, **parse_settings(sets)}
    run = create(project, NewRun(name, goal or "", resources, answers, chosen))
    opened = open_run(project, run)
    with suppress(FlagstoneError):  # the first call that builds something writes them again
        refresh_derived(opened)
    fault = agent_fault(opened)
    if fault:
        click.echo(f"note: {fault[0]}; {fault[1]}", err=True)
    click.echo(f"created {location.messages(run).path(run.root)}")
    click.echo(f"next: snakemake --cores 4 --config run={name}    (or: flagstone run {name})")


def agent_fault(opened: RunConfig) -> tuple[str, str] | None:
    """Returns what would keep the run's agent from starting, or None. A person should know before the first stage."""
    settings = opened.settings.for_stage(opened.table.stages[0].nr)
    try:
        return agent_named(settings.agent, settings.options).fault()
    except FlagstoneError as error:
        return error.problem, error.hint


def ask_questions() -> list[tuple[str, str]]:
    """Asks the questions of the interview. An empty answer leaves its part of the brief out."""
    need_terminal("write the answers into --goal instead", "--interview asks questions")
    return [(title, click.prompt(question, default="", show_default=False)) for question, title in QUESTIONS]


def parse_settings(sets: tuple[str, ...]) -> dict[str, Any]:
    """`a.b=3` as {"a": {"b": 3}}."""
    found: dict[str, Any] = {}
    for word in sets:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise FlagstoneError(
                f"--set {word!r} has no value", hint="write it as KEY=VALUE, such as limits.attempts=2"
            )
        place = found
        *folders, last = key.split(".")
        for folder in folders:
            place = place.setdefault(folder, {})
            if not isinstance(place, dict):
                raise FlagstoneError(f"--set {key} contradicts another --set", hint="give each setting once")
        place[last] = parse_yaml(value, f"--set {key}")
    return found
