"""`flagstone status`: shows the state of every stage, and the next command."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from flagstone.cli.location import Location, has_colour
from flagstone.errors import FlagstoneError
from flagstone.gates import check_run, open_run, run_around
from flagstone.layout import Project, Run
from flagstone.status import (
    SIGNS,
    RememberedStatus,
    RunOverview,
    StageStatus,
    cost_text,
    is_current,
    read_rows,
    rows_file,
    write_rows,
)
from flagstone.text import printable_text

COLOURS = {
    "done": "green",
    "running": "cyan",
    "waits for you": "yellow",
    "stale": "magenta",
    "failed": "red",
    "paused": "blue",
    "held": "blue",
    "not yet": "white",
}


@click.command()
@click.argument("name", metavar="[RUN]", required=False)
@click.option("--run", "-r", "run_name", metavar="NAME", help="The same as RUN.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None = None, run_name: str | None = None, as_json: bool = False) -> None:
    """Show every run, or RUN in detail. This only reads, and never starts Snakemake.

    \b
    flagstone status
    flagstone status attn --json
    """
    project = location.project
    wanted = name or run_name
    around = run_around(project, location.here)
    single = bool(wanted or around)
    runs = [location.run(wanted)] if single else [project.run(each) for each in project.run_names()]
    found = all_known(project, location, runs)
    if as_json:
        click.echo(json.dumps([each if isinstance(each, dict) else asdict(each) for each in found], indent=1))
    elif not found:
        click.echo('no runs yet. Start one: flagstone new NAME --goal "…"')
    elif single:
        for each in found:
            show_one(each, location)
    else:
        show_table(found, location)


def all_known(project: Project, location: Location, runs: list[Run]) -> list[RunOverview | dict[str, str]]:
    """The status of each run; what an earlier call worked out is shown again if nothing changed since."""
    if len(runs) == 1:
        return [status_or_problem(project, location, runs[0])[0]]
    file = rows_file(project, location.here)
    rows = {name: row for name, row in read_rows(file).items() if is_current(row)}
    found = {run.name: status_or_problem(project, location, run) for run in runs if run.name not in rows}
    new = {name: row for name, (_, row) in found.items() if row}
    if new:
        write_rows(file, {**rows, **new})
    return [rows[run.name].status if run.name in rows else found[run.name][0] for run in runs]


def status_or_problem(
    project: Project, location: Location, run: Run
) -> tuple[RunOverview | dict[str, str], RememberedStatus | None]:
    """A run's status. A run that cannot be read gets a row that says why, so that the others still show."""
    from flagstone.status import status_row  # here, not above: what is remembered needs nothing of it

    try:
        check_run(project, run)
        return status_row(open_run(project, run, validate=False), location.here)
    except (FlagstoneError, TypeError, KeyError, AttributeError, ValueError):
        try:
            open_run(project, run, validate=True)
            problem = "its files cannot be read"
        except FlagstoneError as error:
            problem = error.problem
        return {"name": run.name, "state": "broken", "problem": problem}, None


def show_table(found: list[RunOverview | dict[str, str]], location: Location) -> None:
    width = max(len(each["name"] if isinstance(each, dict) else each.name) for each in found)
    for each in found:
        if isinstance(each, dict):
            click.echo(f"{each['name']:<{width}}  broken: {printable_text(each['problem'])[:160]}")
            continue
        marks = " ".join(mark(stage) for stage in each.stages)
        click.echo(f"{each.name:<{width}}  {marks}  {summary_words(each)}", color=has_colour())
    click.echo(legend(), color=has_colour())
    known = [each for each in found if isinstance(each, RunOverview)]
    for status in known:
        for notice in status.notices:
            seen = location.messages(location.project.run(status.name)).with_paths(printable_text(notice)[:240])
            click.echo(f"note: {seen}")
    first = next((each for each in reversed(known) if each.state != "done"), None)
    if first:
        click.echo(f"next: {first.next_command}")


def mark(stage: StageStatus) -> str:
    return click.style(f"{stage.nr}{SIGNS[stage.state]}", fg=COLOURS[stage.state])


def legend() -> str:
    return "   ".join(f"{click.style(sign, fg=COLOURS[word])} {word}" for word, sign in SIGNS.items())


def summary_words(status: RunOverview) -> str:
    words = [f"{status.state:<13}", f"{age(status.created_at):>4}", cost_text(status.cost_usd, status.known_usd)]
    if status.sandbox == "off":
        words.append("sandbox off")
    return "  ".join(words)


def age(created_at: str) -> str:
    """How old, in the largest unit that fits."""
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(created_at)).total_seconds()
    except ValueError:
        return "?"
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def show_one(status: RunOverview | dict[str, str], location: Location) -> None:
    if isinstance(status, dict):
        raise FlagstoneError(status["problem"], hint=f"correct it, then: flagstone status {status['name']}")
    click.echo(f"{status.name}: {printable_text(status.goal)[:300]}")
    words = [
        status.state,
        f"agent {status.agent}",
        age(status.created_at),
        cost_text(status.cost_usd, status.known_usd),
    ]
    if status.holder:
        words.append(f"held by {status.holder}")
    if status.sandbox == "off":
        words.append("sandbox off")
    click.echo(", ".join(words) + "\n")
    messages = location.messages(location.project.run(status.name))
    for stage in status.stages:
        sign, colour = SIGNS[stage.state], COLOURS[stage.state]
        left = click.style(f"{sign} {stage.nr} {stage.name:<22} {stage.state:<14}", fg=colour)
        click.echo(f"  {left}{messages.with_paths(detail(stage))}", color=has_colour())
    for experiment in status.experiments:
        click.echo(f"    experiment {printable_text(experiment.words)[:240]}")
    for trial in status.trials:
        click.echo(f"    trial {printable_text(trial)[:240]}")
    click.echo()
    if messages.run.report.is_file():
        click.echo(f"report: {messages.path(messages.run.report)}")
    for notice in status.notices:
        click.echo(f"note: {messages.with_paths(printable_text(notice)[:240])}")
    if status.state == "aborted":
        click.echo(printable_text(messages.abort_text()))
    click.echo(f"next: {status.next_command}")


def detail(stage: StageStatus) -> str:
    words = []
    if stage.attempts:
        words.append(f"attempt {stage.attempt or stage.attempts}")
        words.append(cost_text(stage.cost_usd, stage.known_usd))
    if stage.approved_by and stage.state == "done":
        words.append(f"approved by {stage.approved_by} at {stage.approved_at[:16]}")
    elif stage.state not in ("waits for you", "not yet") or stage.reason not in (
        "waits for you",
        "is not built yet",
    ):
        words.append(printable_text(stage.reason).removeprefix(f"{stage.state} ")[:240])
    return "  ".join(words)
