"""What the session that drives an experiment is told: a briefing, the verdict of a step, and the next command."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from flagstone.experiments.checking import is_to_be_checked
from flagstone.experiments.engine import Drive, Step
from flagstone.experiments.ledger import Entry
from flagstone.experiments.reporting.status import (
    Position,
    fit,
    last_text,
    metric_figure,
    termination_words,
    working_rows,
)
from flagstone.plans import Home, command_of
from flagstone.records import read_as
from flagstone.text import list_text, one_line

BRIEFING_BYTES = 2048
ANSWER_BYTES = 900  # with the line of the verdict on the terminal it stays below 1 KB
LAST = 5
WORK_FAILED = 3
FULL_BYTES = 10_000_000
WAIT_S = 540  # below the 600 seconds that a command of Claude Code may take


def fault_of_loop(home: Home, position: Position) -> str:
    """Why the session cannot go on by itself. Returns '' if it can."""
    step = read_as(home.step, Step)
    if position.check == "check failed" and is_to_be_checked(home, position.spec):
        return f"its check has failed: {command_of(home, 'check')} shows why"
    if step and step.problem and step.exit_code == WORK_FAILED:
        return step.problem
    return "the disk is full" if shutil.disk_usage(home.root).free < FULL_BYTES else ""


def chain_left(home: Home, position: Position) -> int:
    """How many further experiments the session may begin now."""
    drive = read_as(home.drive, Drive)
    return drive.chain if drive and position.reason_to_end not in ("", "manual") else 0


def may_end(home: Home, position: Position) -> bool:
    """Whether the session that drives the experiment has nothing left to do."""
    if position.problems or fault_of_loop(home, position):
        return True
    return bool(position.reason_to_end) and not chain_left(home, position)


def next_words(home: Home, position: Position, entry: Entry | None = None) -> str:
    """The next command of the session; with an entry, after the step that it is the verdict of."""
    if position.holder and entry is None:  # whose verdict is there may still be about to let go
        return f"{command_of(home, 'wait')} --wait {WAIT_S}"
    if position.is_stopping:
        return "nothing: a person stopped it"
    if chain_left(home, position):
        return (
            f"{command_of(home, 'report')}, then {command_of(home, 'chain')} NEXT --rationale WHY, "
            f"then flagstone experiment drive NEXT"
        )
    if position.reason_to_end:
        return command_of(home, "report")
    step = f'{command_of(home, "step")} --note "what you changed and why" --wait {WAIT_S}'
    if entry and entry.status == "crash":
        return f"{command_of(home, 'tail')} {entry.run_id}, mend the edit once, then {step}"
    check = f"{command_of(home, 'check')}, then " if is_to_be_checked(home, position.spec) else ""
    return f"{check}edit, then {step}"


def briefing_text(home: Home, position: Position, last: Sequence[Entry]) -> str:
    """What a session has to know to go on: at most 2 KB."""
    spec, metric = position.spec, position.spec.metric
    protected = (*spec.subject.immutable, *(spec.subject.protected or ()))
    rows = [
        f"experiment: {position.name}, driven by this session",
        f"goal: {one_line(spec.goal, 300)}",
        f"primary: {one_line(metric.name, 60)} ({metric.direction}) — best: {best_words(position)}",
        f"termination: {termination_words(position)}",
        f"may change: {one_line(list_text(spec.subject.mutable, 12), 300)}",
        *([f"must not change: {one_line(list_text(protected), 200)}"] if protected else []),
        *([f"scope: {one_line(list_text(spec.scope), 200)}"] if spec.scope else []),
        *(f"constraint: {each.name} {each.op} {each.threshold:g}" for each in spec.constraints[:4]),
        *working_rows(position),
        *([f"problem: {one_line(fault)}"] if (fault := fault_of_loop(home, position)) else []),
        *position.problems[:1],
        *last_text(last[-LAST:]).splitlines(),
    ]
    return text_of(rows, [f"edit only in: {home.working}", f"next: {next_words(home, position)}"], BRIEFING_BYTES)


def best_words(position: Position) -> str:
    best = position.progress.best
    return f"{metric_figure(best.value)} @ {best.run_id}" if best else "none yet"


def answer_text(home: Home, position: Position, entry: Entry) -> str:
    """What came of a step, and what to do next: well below 1 KB."""
    rows = [
        f"run: {entry.run_id}",
        f"status: {entry.status}",
        f"verdict: {entry.word}",
        f"value: {one_line(position.spec.metric.name, 60)} {metric_figure(entry.value)}",
        f"best: {best_words(position)}",
        f"reason: {one_line(entry.reason, 160)}",
        f"termination: {termination_words(position)}",
        f"should_terminate: {str(entry.should_terminate).lower()}",
    ]
    return text_of(rows, [f"next: {next_words(home, position, entry)}"], ANSWER_BYTES)


def text_of(rows: list[str], whole: list[str], most_bytes: int) -> str:
    """Rows within a limit, then those that are of no use if they are cut."""
    end = "\n".join(whole) + "\n"
    return fit(rows, most_bytes - len(end.encode("utf-8"))) + end
