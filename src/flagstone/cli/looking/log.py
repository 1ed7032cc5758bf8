"""`flagstone log`: shows what an agent did, and what it does now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from flagstone.cli.location import Location, run_option
from flagstone.cli.looking.transcript import is_of_claude, render
from flagstone.drafting import Attempt, work
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig, run_command
from flagstone.layout import Run
from flagstone.locks import holder_of
from flagstone.records import read_record
from flagstone.text import count_text, printable_text

LOOK_EVERY_S = 0.1
TRANSCRIPT = "transcript.jsonl"


@click.command()
@click.argument("stage", metavar="[NN]", required=False)
@click.option("--attempt", type=int, help="Which attempt (default: the newest).")
@click.option("--follow", "-f", is_flag=True, help="Show events as they happen, later attempts included.")
@click.option("--raw", is_flag=True, help="Show the transcript as the agent printed it.")
@click.option("--prompt", "show_prompt", is_flag=True, help="Show the prompt that the agent got.")
@run_option
@click.pass_obj
def command(
    location: Location,
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
    opened = location.open_run(run_name, validate=False)
    if stage is None:
        list_attempts(opened)
        return
    chosen = opened.table.find(stage)
    file_name = "prompt.md" if show_prompt else TRANSCRIPT if raw else "events.log"
    if follow:
        wait_for_attempt(opened.run, chosen.nr)
    numbers = work.attempt_numbers(opened.run, chosen.nr)
    number = attempt or (numbers[-1] if numbers else 0)
    if number not in numbers:
        known = ", ".join(map(str, numbers)) or "none yet"
        raise FlagstoneError(
            f"stage {chosen.nr} has no attempt {attempt or ''}".rstrip(), hint=f"its attempts: {known}"
        )
    if follow and not show_prompt:
        show_live(opened.run, chosen.nr, number, file_name)
    else:
        show(work.attempt(opened.run, chosen.nr, number), file_name)


def wait_for_attempt(run: Run, nr: str) -> None:
    """Waits for the first attempt of a stage that has just started."""
    while not work.attempt_numbers(run, nr) and holder_of(run.drafts(nr) / ".lock"):
        time.sleep(LOOK_EVERY_S)


def show(attempt: Attempt, file_name: str) -> None:
    """Prints one attempt: its prompt, its raw transcript, or a readable transcript and how it ended."""
    transcript, path = attempt.folder / TRANSCRIPT, attempt.folder / file_name
    if path != attempt.events:
        for line in lines_in(path):
            click.echo(printable_text(line), nl=False)
        return
    click.echo(heading(attempt))
    has_events = has_content(attempt.events)
    if has_content(transcript) and (is_of_claude(transcript) or not has_events):
        for line in render(transcript):
            click.echo(line)
    elif has_events:
        for line in lines_in(attempt.events):
            click.echo(printable_text(line), nl=False)
    else:
        click.echo("no output from the agent")
    show_ending(attempt)


def show_live(run: Run, nr: str, number: int, file_name: str) -> None:
    """Prints events as they happen, attempt after attempt, until nobody works on the stage any more."""
    while True:
        attempt = work.attempt(run, nr, number)
        click.echo(heading(attempt))
        is_last = follow_one(run, nr, attempt, attempt.folder / file_name)
        show_ending(attempt)
        if is_last:
            return
        number = next(each for each in work.attempt_numbers(run, nr) if each > number)


def follow_one(run: Run, nr: str, attempt: Attempt, path: Path) -> bool:
    """Prints a file while an attempt writes to it. True if no other attempt follows."""
    position = 0
    while True:
        # checked before reading, so that everything written until the check is read below
        is_worked_on = bool(holder_of(run.drafts(nr) / ".lock"))
        has_later = work.attempt_numbers(run, nr)[-1] > attempt.number
        position = print_from(path, position)
        if has_later or not is_worked_on:
            return not has_later
        time.sleep(LOOK_EVERY_S)


def print_from(path: Path, position: int) -> int:
    """Prints the complete lines of a file from a position on. Returns where the next line begins."""
    try:
        with open(path, "rb") as stream:
            stream.seek(position)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                position += len(line)
                click.echo(printable_text(line.decode(errors="replace")), nl=False)
    except FileNotFoundError:
        return position
    return position


def lines_in(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise FlagstoneError(f"this attempt has no {path.name}", hint="the agent may not have started yet")
    with open(path, encoding="utf-8", errors="replace") as stream:
        yield from stream


def has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def heading(attempt: Attempt) -> str:
    return f"— attempt {attempt.number}"


def show_ending(attempt: Attempt) -> None:
    """Prints how an attempt ended, what it cost, and which checks it failed."""
    click.echo(f"— {outcome(attempt)}")
    for rule, message in attempt.failed_rules():
        click.echo(printable_text(f"✗ {rule}: {message}"))


def list_attempts(opened: RunConfig) -> None:
    """Prints a line for every attempt: how it ended, when it began, what it cost."""
    rows = [
        (stage.nr, work.attempt(opened.run, stage.nr, number))
        for stage in opened.table
        for number in work.attempt_numbers(opened.run, stage.nr)
    ]
    for nr, each in rows:
        click.echo(f"{nr} attempt {each.number:<3} {outcome(each)}")
    if not rows:
        click.echo("no attempts yet")
    click.echo(f"next: flagstone log NN --run {opened.run.name}" if rows else f"next: {run_command(opened.run)}")


def outcome(attempt: Attempt) -> str:
    record = read_record(attempt.result)
    if record is None:
        return "killed, or still running"
    cost = record.get("cost_usd")
    words = [f"{record.get('outcome', '?'):<12}", str(record.get("started_at", ""))[:19]]
    words.append("cost unknown" if cost is None else f"${cost:.2f}")
    failed = attempt.failed_rules()
    if failed:
        words.append(f"{count_text(len(failed), 'check')} failed: {', '.join(rule for rule, _ in failed[:4])}")
    elif attempt.checks.is_file():
        words.append("checks passed")
    else:
        words.append(printable_text(str(record.get("reason", ""))).replace("\n", " ")[:120])
    return "  ".join(words)
