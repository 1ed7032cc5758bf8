"""`flagstone experiment drive`: lets a session of Claude Code make the runs of an experiment."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import click

from flagstone.cli.experiments.run import Start, start_option
from flagstone.cli.experiments.selection import experiment_argument, home_of, open_chosen_experiment, print_progress
from flagstone.cli.jobs.owner import spec_at
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import (
    Drive,
    Engine,
    OpenedExperiment,
    Step,
    bind,
    driven_home,
    engine_of,
    is_unedited,
    release,
    start_over,
)
from flagstone.experiments.ledger import History, tail_entries
from flagstone.experiments.reporting import briefing_text, may_end, position_of
from flagstone.plans import Home, Spec, command_of
from flagstone.records import read_as, read_record, utc
from flagstone.text import printable_text

LAST = 5


@click.command()
@experiment_argument
@click.option("--session", envvar="CLAUDE_CODE_SESSION_ID", metavar="ID", help="The session (default: this one).")
@click.option("--continue", "evaluates", is_flag=True, help="Go on after a stop, and with edited working files.")
@click.option("--back-to-best", "goes_back", is_flag=True, help="If the working files were edited, restore the best.")
@click.option("--fresh", "is_fresh", is_flag=True, help="Start over. Everything so far moves to the history.")
@click.option("--chain", type=click.IntRange(0), help="Let the session begin further experiments, at most this many.")
@click.option("--release", "releases", is_flag=True, help="End this: no session drives NAME any more.")
@click.pass_obj
def command(
    location: Location,
    name: str | None,
    run_name: str | None,
    session: str | None,
    evaluates: bool,
    goes_back: bool,
    is_fresh: bool,
    chain: int | None,
    releases: bool,
) -> None:
    """Have a session of Claude Code drive experiment NAME, and print what it has to know: it edits, and gives `step`.

    One session drives an experiment at a time. The plugin's /flagstone:run gives this command.

    \b
    flagstone experiment drive lr
    flagstone experiment drive lr --release
    """
    home = home_of(location, name, run_name)
    if releases:
        drive = release(home)
        click.echo(f"{f'session {drive.session} no longer' if drive else 'no session'} drives {home.name}")
        return
    if not session:
        raise FlagstoneError("no session is named, and this is not a shell of Claude Code", hint="give --session ID")
    start = start_option({"continue": evaluates, "best": goes_back, "fresh": is_fresh})
    now = Drive(session, utc(time.time()), inherited_chain(home, session) if chain is None else chain)
    refuse_if_driven(home, session)
    if start == "fresh":
        start_over(home)
    if start == "continue":
        home.stop.unlink(missing_ok=True)
    opened = open_chosen_experiment(location, name, run_name)
    refuse_if_over(home, opened.spec, now.chain)
    begin(opened, start, now)
    briefing = briefing_text(home, position_of(home, opened.spec), tail_entries(home.ledger, LAST))
    click.echo(printable_text(briefing), nl=False)


def begin(opened: OpenedExperiment, start: Start | None, now: Drive) -> None:
    """Deals with an edit in the working files, then binds the session."""
    step = read_as(opened.home.step, Step)
    if step and step.is_running(opened.home):  # the edit is being evaluated
        bind(opened.home, now, program())
        return
    with engine_of(opened, None, print_progress) as engine:
        resolve_edit(engine, start, now.session)
        bind(opened.home, now, program())


def program() -> str:
    """The program that the hooks of the session call: it need not be on their PATH."""
    beside = Path(sys.executable).with_name("flagstone")
    return str(beside if beside.exists() else Path(sys.argv[0]).absolute())


def refuse_if_driven(home: Home, session: str) -> None:
    """Raises an error if another session drives the experiment, and is not done with it."""
    drive = read_as(home.drive, Drive)
    if drive is None or drive.session == session or may_end(home, position_of(home, spec_at(home))):
        return
    raise FlagstoneError(
        f"session {drive.session} drives {home.name} since {drive.began_at}",
        hint=f"if that session is over: {command_of(home, 'drive')} --release",
    )


def refuse_if_over(home: Home, spec: Spec, chain: int) -> None:
    """Raises an error if there is nothing to drive, or if nothing would ever end it."""
    ended = History.read(home).reason_to_end(spec)
    if ended == "manual":
        raise FlagstoneError(f"{home.name} was stopped", hint=f"to continue: {command_of(home, 'drive')} --continue")
    if ended and not chain:
        raise FlagstoneError(
            f"{home.name} has ended: {ended}",
            hint=f"raise `stopping` in {home.spec}, or begin another: {command_of(home, 'chain')} NEXT --rationale WHY",
        )
    # what the session itself costs is not counted
    if not replace(spec, proposer="none").has_end:
        raise FlagstoneError(
            f"nothing would ever end {home.name}: how many runs may it make?",
            hint=f"write the answer into {home.spec}, such as: stopping: {{max_runs: 100}}",
        )


def inherited_chain(home: Home, session: str) -> int:
    """How many further experiments are left to a session that drives this one again, or the child of its last one."""
    before = driven_home(session)
    drive = before and read_as(before.drive, Drive)
    if not before or not drive:
        return 0
    if before.root == home.root:
        return drive.chain
    parent = (read_record(home.decision) or {}).get("parent_expr")
    return max(0, drive.chain - 1) if parent == before.name else 0


def resolve_edit(engine: Engine, start: Start | None, session: str) -> None:
    """Deals with an edit in the working files. Asks about one that this session has not made."""
    home, best = engine.opened.home, engine.history.progress.best
    drive = read_as(home.drive, Drive)
    if best is None or start == "continue" or is_unedited(engine):
        return
    if start == "best":
        engine.working.restore(best.tree)
    elif drive is None or drive.session != session:
        raise FlagstoneError(
            "the working files were edited: evaluate them first, restore the best, or start over?",
            hint="give --continue, --back-to-best or --fresh with the same command",
        )
