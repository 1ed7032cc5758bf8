"""`flagstone log`: what an agent did, and what it does now."""

from __future__ import annotations

import time
from pathlib import Path

import click

from flagstone.cli.standing import Standing, plain, run_option, stage_named
from flagstone.drafting import work
from flagstone.drafting.work import Attempt
from flagstone.errors import FlagstoneError
from flagstone.gates.holder import holder_of
from flagstone.gates.opened import OpenedRun
from flagstone.records import read_record

LOOK_EVERY_S = 0.1


@click.command()
@click.argument("stage", metavar="[NN]", required=False)
@click.option("--attempt", type=int, help="Which attempt (default: the newest).")
@click.option("--follow", "-f", is_flag=True, help="Stay, and show events as they happen.")
@click.option("--raw", is_flag=True, help="The transcript as the agent printed it.")
@click.option("--prompt", "show_prompt", is_flag=True, help="What the agent was asked.")
@run_option
@click.pass_obj
def command(
    standing: Standing,
    stage: str | None,
    attempt: int | None,
    follow: bool,
    raw: bool,
    show_prompt: bool,
    run_name: str | None,
) -> None:
    """Show what the agent of stage NN did; without NN, every attempt of the run.

    \b
    flagstone log
    flagstone log 04 -f
    """
    opened = standing.opened(run_name, validate=False)
    if stage is None:
        list_attempts(opened)
        return
    chosen = stage_named(opened, stage)
    numbers = work.attempt_numbers(opened.run, chosen.nr)
    number = attempt or (numbers[-1] if numbers else 0)
    if number not in numbers:
        known = ", ".join(map(str, numbers)) or "none yet"
        raise FlagstoneError(
            f"stage {chosen.nr} has no attempt {attempt or ''}".rstrip(), hint=f"its attempts: {known}"
        )
    one = work.attempt(opened.run, chosen.nr, number)
    path = one.prompt if show_prompt else one.folder / "transcript.jsonl" if raw else one.events
    show(path, opened.run.drafts(chosen.nr) / ".lock" if follow else None)
    for rule, message in one.failed_rules():
        click.echo(plain(f"✗ {rule}: {message}"))


def show(path: Path, lock: Path | None) -> None:
    """Prints a file; with a lock, goes on as long as somebody works."""
    if not path.is_file():
        raise FlagstoneError(f"there is no {path.name} of this attempt", hint="the agent may not have started yet")
    with open(path, encoding="utf-8", errors="replace") as stream:
        while True:
            for line in stream:
                click.echo(plain(line), nl=False)
            if lock is None or not holder_of(lock):
                return
            time.sleep(LOOK_EVERY_S)


def list_attempts(opened: OpenedRun) -> None:
    """One line an attempt: what it came to, how long it took, what it cost."""
    rows = [
        (stage.nr, work.attempt(opened.run, stage.nr, number))
        for stage in opened.table
        for number in work.attempt_numbers(opened.run, stage.nr)
    ]
    for nr, each in rows:
        click.echo(f"{nr} attempt {each.number:<3} {outcome(each)}")
    if not rows:
        click.echo("no attempt yet")
    click.echo(f"next: flagstone log NN --run {opened.run.name}" if rows else f"next: flagstone run {opened.run.name}")


def outcome(attempt: Attempt) -> str:
    record = read_record(attempt.result)
    if record is None:
        return "cut off, or still going"
    cost = record.get("cost_usd")
    words = [f"{record.get('outcome', '?'):<12}", str(record.get("started_at", ""))[:19]]
    words.append("cost unknown" if cost is None else f"${cost:.2f}")
    failed = attempt.failed_rules()
    if failed:
        words.append(f"{len(failed)} checks failed: {', '.join(rule for rule, _ in failed[:4])}")
    elif attempt.checks.is_file():
        words.append("checks passed")
    else:
        words.append(plain(str(record.get("reason", ""))).replace("\n", " ")[:120])
    return "  ".join(words)
