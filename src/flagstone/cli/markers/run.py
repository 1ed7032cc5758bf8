"""`flagstone marker run`: one session of a marker, or of every active one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from flagstone.cli.experiments.selection import print_progress
from flagstone.cli.jobs.owner import owner_of, schemas_of
from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.looking.live import watch_of
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.experiments.proposers import Proposer
from flagstone.markers import (
    Marker,
    SessionOptions,
    SessionResult,
    agent_setup,
    read_markers,
    run_session,
    status_of,
    timer_warnings,
    write_summary,
)
from flagstone.plans import Spec
from flagstone.text import count_text

ENDINGS = {
    "session_experiments": "all experiments of this session are made",
    "halt": "too many failures came in a row: a person should look at it",
    "primary_threshold": "the target is reached",
    "proposals": "nothing more was proposed",
    "session_usd": "its budget of US dollars is used up",
    "session_wall_s": "its time is used up",
    "session_tokens": "its budget of tokens is used up",
}


@marker_command
@click.option("--force", "is_forced", is_flag=True, help="Run a marker that is paused, skipped or completed.")
@click.option("--resume", "is_resumed", is_flag=True, help="Run a marker that needed a person. You have looked at it.")
@click.option("--fresh", "is_fresh", is_flag=True, help="Begin a new experiment: measure all anew. Nothing is lost.")
@click.option("--head", "at_head", is_flag=True, help="Start from the last commit, whatever is edited since.")
@click.option("--scheduled", is_flag=True, help="As timers do: --head, and leave a marker out that is not active.")
@click.option("--experiments", type=click.IntRange(1), help="Make at most this many experiments.")
@click.option("--agent", "driver", default="", help="The agent that proposes, for this call.")
@click.option("--model", help="The model of the agent, for this call.")
def command(
    chosen: Chosen, scheduled: bool, experiments: int | None, driver: str, model: str | None, **how: bool
) -> Answer:
    """Run one session of NAME, or one of each active marker. Ctrl-C ends the current run; nothing is lost.

    \b
    flagstone marker run coverage
    flagstone marker run coverage --experiments 5 --json
    """
    if scheduled and status_of(chosen.marker) != "active":
        return Answer([], f"{chosen.marker.name} is left out: its status is {status_of(chosen.marker)}")
    options = replace(SessionOptions(**how), at_head=scheduled or how["at_head"])
    found = read_markers(chosen.repository)
    for warning in found.warnings:
        print_progress(warning)
    markers = [each for each in found.markers if status_of(each) == "active"]
    markers = [chosen.marker] if chosen.name or len(found.markers) == 1 else markers
    if not markers:
        raise FlagstoneError("no marker is active here", hint="see them: flagstone marker status")
    if experiments is not None:
        markers = [replace(each, loop=replace(each.loop, max_experiments=experiments)) for each in markers]
    if model is not None:
        markers = [replace(each, agent=replace(each.agent, model=model)) for each in markers]
    if len(markers) == 1:
        result = session(markers[0], options, driver)
        return Answer([vars(result)], result_text(result))
    return answer_of(chosen, markers, options, driver)


def answer_of(chosen: Chosen, markers: list[Marker], options: SessionOptions, driver: str) -> Answer:
    """Every marker has its session, also where an earlier one failed."""
    rows, texts, failures, code = [], [], list[str](), 0
    for marker in markers:
        try:
            result = session(marker, options, driver)
            rows.append(vars(result))
            texts.append(result_text(result))
        except Interrupted:
            raise
        except FlagstoneError as error:
            chosen.name_error(error)
            code = max(code, error.exit_code)
            rows.append({"marker": marker.name, "error": str(error)})
            failures.append(f"{marker.name}: {error}")
    return Answer(rows, "\n".join(texts + failures), "\n".join(failures), code)


def session(marker: Marker, options: SessionOptions, driver: str) -> SessionResult:
    owner = owner_of(marker.repository)

    def proposer_of(spec: Spec) -> Proposer | None:
        profile = None if marker.loop.script else agent_setup(marker, driver)
        return owner.proposer(spec, driver, profile)

    schemas = schemas_of(marker.repository)
    try:
        with watch_of(marker) as watch:
            for line in timer_warnings(marker):
                watch.say(line)
            result = run_session(marker, schemas, proposer_of, watch, options)
    except (Interrupted, WorkFailed):
        write_page(marker, schemas)
        raise
    if result.runs:
        write_page(marker, schemas)
    return result


def write_page(marker: Marker, schemas: Path) -> None:
    """Writes the page of a marker. A session does not fail because that cannot be written."""
    try:
        write_summary(marker, schemas)
    except (FlagstoneError, OSError) as error:
        print_progress(f"the summary page was not written: {error}")


def result_text(result: SessionResult) -> str:
    """What the session came to, in two lines: the numbers, and what to do next."""
    best = "no number" if result.best is None else f"best {result.best:g} ({result.best_run})"
    began = "" if result.baseline is None else f", the unedited files {result.baseline:g}"
    counts = f"{result.kept} kept, {result.discarded} discarded, {result.crashed} crashed"
    why = f"; ended because {ENDINGS.get(result.ended_by, result.ended_by)}" if result.ended_by else ""
    first = f"{result.marker}: {count_text(result.runs, 'run')}, {counts}; {best}{began}{why}"
    then = f"\nthen: flagstone marker run {result.marker!r} --resume" if result.status == "needs_human" else ""
    return f"{first}\nnext: flagstone marker results {result.marker!r}{then}"
