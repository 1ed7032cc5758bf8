"""`flagstone experiment check`: proves before the first run that what is edited is what is measured."""

from __future__ import annotations

import json

import click

from flagstone.cli.amounts import seconds_above_0
from flagstone.cli.experiments.selection import experiment_argument, open_chosen_experiment, print_progress
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.checking import (
    CheckRequest,
    ExperimentCheck,
    check_experiment,
    is_to_be_checked,
    write_check,
)
from flagstone.experiments.engine import OpenedExperiment
from flagstone.plans import command_of
from flagstone.text import one_line

ROWS_BEFORE_A_RUN = 3


@click.command()
@experiment_argument
@click.argument("argv", nargs=-1, metavar="[--own -- COMMAND …]")
@click.option(
    "--seconds", type=seconds_above_0, metavar="SECONDS", help="The time limit of a run (default: up to 120)."
)
@click.option("--expect", "expected", default="", metavar="VALUE", help="The number that the unedited files give.")
@click.option("--own", "has_own", is_flag=True, help="Run the project's own COMMAND once, and compare its number.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(
    location: Location,
    name: str | None,
    run_name: str | None,
    argv: tuple[str, ...],
    seconds: float | None,
    expected: str,
    has_own: bool,
    as_json: bool,
) -> None:
    """Check that experiment NAME measures what is edited. Nothing is counted, and no agent is asked.

    \b
    flagstone experiment check lr
    flagstone experiment check lr --seconds 3600 --expect 0.5092
    flagstone experiment check lr --own -- make train
    """
    if bool(argv) != has_own:
        raise FlagstoneError(
            "--own needs the project's own command", hint="flagstone experiment check NAME --own -- COMMAND …"
        )
    opened = open_chosen_experiment(location, name, run_name)
    found = check(opened, CheckRequest(seconds, expected, argv))
    if as_json:
        click.echo(json.dumps(record_of(found), indent=1, ensure_ascii=False))
    else:
        say_rows(opened, found)
    click.get_current_context().exit(found.exit)


def check(opened: OpenedExperiment, asked: CheckRequest) -> ExperimentCheck:
    """Checks an experiment and writes down what was found."""
    with check_experiment(opened, print_progress) as checker:
        found = checker.check(asked)
    write_check(opened.home, opened.spec, record_of(found))
    return found


def refuse_if_refuted(opened: OpenedExperiment) -> None:
    """The first rows, before an experiment measures anything. Raises an error if one of them is refuted."""
    if not is_to_be_checked(opened.home, opened.spec):
        return
    found = check(opened, CheckRequest(rows=ROWS_BEFORE_A_RUN))
    row = found.first_failure
    if row is None:
        return
    see, again = command_of(opened.home, "check"), command_of(opened.home, "run")
    anyway = f"see all of it: {see}; or go on: {again} --no-check"
    if found.is_crashed:
        raise WorkFailed(f"the unedited files do not run: {row.evidence}\n{found.tail}", hint=f"{row.cure}; {anyway}")
    raise FlagstoneError(f"{row.name}: {row.evidence}", hint=f"{row.cure}; {anyway}")


def record_of(found: ExperimentCheck) -> dict[str, object]:
    return {"rows": [vars(row) for row in found.rows], "exit": found.exit, "proposal": dict(found.proposal)}


def say_rows(opened: OpenedExperiment, found: ExperimentCheck, following: str = "") -> None:
    """Prints one line a row, and what to do next: `following`, if nothing is to be cured."""
    for row in found.rows:
        click.echo(f"{row.mark} {row.number} {row.name:<10} {one_line(row.evidence, 400)}")
    if found.tail:
        click.echo(found.tail, nl=False)
    if found.first_failure:
        click.echo(f"next: {found.first_failure.cure}")
    else:
        verb = "step" if opened.spec.proposer == "none" else "run"
        click.echo(f"next: {following or command_of(opened.home, verb)}")
