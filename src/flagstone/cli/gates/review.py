"""`flagstone review`: shows what a stage offers, and asks for a decision."""

from __future__ import annotations

from pathlib import Path

import click

from flagstone.artifacts.rules import parse_summary
from flagstone.cli.gates.review_page import page, show_files, show_text
from flagstone.cli.location import (
    Location,
    has_colour,
    need_terminal,
    refresh_after_decision,
    run_option,
    words_of_person,
)
from flagstone.drafting import work
from flagstone.errors import FlagstoneError
from flagstone.gates import (
    Messages,
    RunConfig,
    Verdict,
    approve_stage,
    command_decision,
    judge_gates,
    read_moment,
    read_text,
    requests,
    run_command,
)
from flagstone.stages import Stage
from flagstone.status import differences, last_approved, previous_version
from flagstone.text import printable_text

CHOICES = """
  1  refine with suggestion 1        4  refine with my own words
  2  refine with suggestion 2        5  approve
  3  refine with suggestion 3        6  abort the run
  d  diff    f  files    t  transcript    q  quit without deciding
"""


@click.command()
@click.argument("stage", metavar="[NN]", required=False)
@run_option
@click.pass_obj
def command(location: Location, stage: str | None, run_name: str | None) -> None:
    """Show what stage NN offers (default: the one that waits for you), and ask for your decision.

    \b
    flagstone review
    flagstone review 03 --run attn
    """
    opened = location.open_run(run_name)
    verdict = gate_to_review(opened, opened.table.find(stage) if stage else None)
    for block in page(opened, verdict):
        click.echo(block, color=has_colour())
    assert verdict.content is not None
    digest = verdict.content.digest
    need_terminal(f"run: flagstone approve {verdict.stage.nr} --digest {digest[:12]}", "review needs your decision")
    click.echo(CHOICES)
    while not decide(opened, verdict, click.prompt("Your decision", default="", show_default=False).strip().lower()):
        pass


def gate_to_review(opened: RunConfig, wanted: Stage | None) -> Verdict:
    """The gate to review: that of the named stage, or the first closed one. Raises an error if it offers nothing."""
    verdicts = judge_gates(read_moment(opened))
    first = next((verdict for verdict in verdicts.values() if not verdict.is_open), None)
    verdict = verdicts[wanted.nr] if wanted else first
    if verdict is None:
        raise FlagstoneError("nothing waits for you: every stage is approved", hint="look at one: flagstone review NN")
    if verdict.content is None or not (verdict.is_built or verdict.may_stand):
        stage = verdict.stage
        raise FlagstoneError(
            f"stage {stage.nr} {stage.name} {verdict.words}: there is nothing to review",
            hint=f"run it: flagstone run {opened.run.name}",
        )
    return verdict


def decide(opened: RunConfig, verdict: Verdict, choice: str) -> bool:
    """Does what a person chose. True if that was a decision; Enter alone never is."""
    if choice in LOOKS:
        LOOKS[choice](opened, verdict)
        return False
    if choice in ("1", "2", "3"):
        return refine_with(opened, verdict, int(choice))
    if choice == "4":
        return refine_freely(opened, verdict)
    if choice == "5":
        return approve_shown(opened, verdict)
    if choice == "6":
        return abort_run(opened)
    if choice == "q":
        click.echo(f"no decision made; to come back: flagstone review {verdict.stage.nr} --run {opened.run.name}")
        return True
    if choice:
        click.echo(f"{printable_text(choice)[:20]!r} is not one of the choices")
    click.echo(CHOICES)
    return False


def refine_with(opened: RunConfig, verdict: Verdict, number: int) -> bool:
    suggestions = parse_summary(read_text(opened.run.summary(verdict.stage.key))).suggestions
    if len(suggestions) < number:
        click.echo(f"the summary has no suggestion {number}")
        return False
    return refine(opened, verdict, suggestions[number - 1])


def refine_freely(opened: RunConfig, verdict: Verdict) -> bool:
    """Asks for the words. An empty text decides nothing."""
    words = words_of_person()
    if not words.strip():
        click.echo("the text is empty; no decision made")
        return False
    return refine(opened, verdict, words)


def refine(opened: RunConfig, verdict: Verdict, words: str) -> bool:
    requests.refine(opened, verdict.stage, words)
    refresh_after_decision(opened)
    click.echo(f"asked for changes; stage {verdict.stage.nr} continues with them in the same conversation")
    click.echo(f"next: {run_command(opened.run)}")
    return True


def approve_shown(opened: RunConfig, verdict: Verdict) -> bool:
    """Approves exactly what was shown. If the content changed meanwhile, prints that and decides nothing."""
    assert verdict.content is not None
    try:
        notices = approve_stage(opened, verdict.stage, command_decision(), verdict.content.digest).notices
    except FlagstoneError as error:
        click.echo(f"not approved: {error.problem}\n  {error.hint}", err=True)
        return True
    refresh_after_decision(opened)
    for notice in notices:
        click.echo(f"note: {Messages(opened.run, Path.cwd()).with_paths(notice)}")
    click.echo(f"approved stage {verdict.stage.nr} {verdict.stage.name}")
    click.echo(f"next: {run_command(opened.run)}")
    return True


def abort_run(opened: RunConfig) -> bool:
    why = click.prompt("Why? (may be empty; Ctrl-C cancels)", default="", show_default=False)
    requests.abort(opened.run, why)
    refresh_after_decision(opened)
    click.echo(f"run {opened.run.name} is aborted; to undo it: flagstone resume {opened.run.name}")
    return True


def show_diff(opened: RunConfig, verdict: Verdict) -> None:
    """Shows what changed since the last approval, and since the last version."""
    assert verdict.content is not None
    approved, before = last_approved(opened, verdict.stage), previous_version(opened, verdict.stage, verdict.content)
    olds = {old.name: (title, old) for title, old in (("version", before), ("approval", approved)) if old}
    for title, old in olds.values():
        lines = "\n".join(differences(opened, verdict.stage, old))
        show_text(f"since the last {title} ({old.name}):\n{lines or 'nothing changed'}\n")
    if not olds:
        click.echo("this is the first version")


def show_transcript(opened: RunConfig, verdict: Verdict) -> None:
    show_text(read_text(work.attempt(opened.run, verdict.stage.nr, verdict.attempt).events))


LOOKS = {"d": show_diff, "f": show_files, "t": show_transcript}
