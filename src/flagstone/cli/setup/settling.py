"""Looks at the project, takes the answers that were given, and looks again if they change what is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flagstone.cli.setup.flags import answers_of_flags
from flagstone.errors import FlagstoneError
from flagstone.setup import LookRequest, ProjectFinding, look_at, member_of_workspace
from flagstone.setup.environments import apply_cure
from flagstone.setup.interview import (
    FIRST,
    Ask,
    Settled,
    SetupQuestion,
    all_questions,
    checked_answers,
    environment_problem,
    finding_lines,
    read_answers,
)
from flagstone.text import list_text, one_line

STDIN = "-"
MOST_ANSWERS = 1_000_000


@dataclass(frozen=True)
class SetupCall:
    """What one call of `flagstone setup` works on: the flags, the project, and where experiments are."""

    given: dict[str, Any]
    argv: tuple[str, ...]
    root: Path
    folder: Path
    base: Path
    schemas: Path
    member: str = ""  # of the workspace that the person is in, if the entry was found there
    found_argv: tuple[str, ...] = ()  # what the workspace's own documents say of how the member's training is started

    def in_member(self, member: str, found: ProjectFinding) -> SetupCall:
        """The same for a member of the workspace. An entry is still given as it is named from the workspace."""
        root = self.root / member
        words = found.value if found.confidence == "certain" and isinstance(found.value, list) else ()
        argv = tuple(word.removeprefix(f"{member}/") for word in words)
        folder = root / ".flagstone" / "experiments"
        return replace(self, root=root, folder=folder, base=root, member=member, found_argv=argv)

    def entry_in_member(self, given: dict[str, Any]) -> dict[str, Any]:
        entry = given.get("entry")
        if not self.member or not isinstance(entry, dict):
            return given
        return {**given, "entry": {**entry, "file": str(entry.get("file", "")).removeprefix(f"{self.member}/")}}

    @property
    def ask(self) -> Ask:
        return self.given["ask"]  # type: ignore[no-any-return]

    @property
    def python(self) -> str:
        """The interpreter that a person named, or that of the project."""
        own = ".venv/bin/python"
        return self.given["python"] or (own if (self.root / own).is_file() else "python3")

    @property
    def may_write(self) -> bool:
        return not self.given["as_json"]


def settled_by_call(call: SetupCall, asked: Mapping[str, Any] | None = None) -> tuple[SetupCall, Settled]:
    """What a look at the project, the flags, the file of answers and what was asked already settle; and where."""
    request = LookRequest(call.found_argv, python=call.given["python"] or "", environ=os.environ)
    settled = Settled(look_at(call.root, request), {}, call.given["topic"], request)
    questions = all_questions(settled)
    given = {**answers_in_file(call), **answers_of_flags(call.given, call.argv), **(asked or {})}
    given = call.entry_in_member(given)
    first = {each.text: each.id for each in questions.values() if each.id in FIRST}
    start = {key: value for key, value in given.items() if first.get(key, key) in FIRST}
    try:
        answers = checked_answers(with_found_parts(start, settled), settled, questions, call.schemas)
    except FlagstoneError:
        checked_answers(with_found_parts(given, settled), settled, questions, call.schemas)  # all problems at once
        raise
    settled = settled_start(call, replace(settled, answers=answers))
    # a text that was asked before a cure or another command is an answer still
    questions = {**{f"first {key}": each for key, each in questions.items()}, **all_questions(settled)}
    if member := member_of_call(call, settled):
        return settled_by_call(call.in_member(member, settled.finding("command")), asked)
    refuse_empty(settled)
    answers = checked_answers(with_found_parts(given, settled), settled, questions, call.schemas)
    return call, replace(settled, answers=answers)


def member_of_call(call: SetupCall, settled: Settled) -> str:
    """The member of a workspace that is the project, once its entry is known. '' if the person named the root."""
    is_named = call.given["root"] or call.given["run_name"] or call.argv or call.member
    is_open = settled.was_open("entry") and "entry" not in settled.answers
    return "" if is_named or is_open else member_of_workspace(settled.look.tree, settled.look.program.entry)


def answers_in_file(call: SetupCall) -> dict[str, Any]:
    source = call.given["answers_file"]
    if not source:
        return {}
    try:
        if source != STDIN and Path(source).exists() and not Path(source).is_file():
            raise FlagstoneError(f"{source} is no plain file", hint="give a file of answers, or - for stdin")
        with nullcontext(sys.stdin.buffer) if source == STDIN else open(source, "rb") as stream:
            text = stream.read(MOST_ANSWERS + 1)
    except OSError as error:
        raise FlagstoneError(f"cannot read {source}: {error.strerror}", hint="give a file of answers") from error
    if len(text) > MOST_ANSWERS:
        raise FlagstoneError(f"{source} is larger than 1 MB", hint="give a file of answers")
    return read_answers(text, "stdin" if source == STDIN else source)


def with_found_parts(given: Mapping[str, Any], settled: Settled) -> dict[str, Any]:
    """The answers; of those that a flag gives in part, the rest is as it was found."""
    found = dict(given)
    for key, part, value in (
        ("entry", "file", settled.look.program.entry),
        ("metric", "name", settled.metric.get("name")),
    ):
        if isinstance(found.get(key), dict) and part not in found[key] and value:
            found[key] = {part: value, **found[key]}
    return found


def settled_start(call: SetupCall, settled: Settled) -> Settled:
    """The same, after another look if another command, entry or environment was chosen."""
    argv, entry = settled.start
    if argv or entry:
        request = replace(settled.request, argv=argv or settled.request.argv, entry=entry)
        settled = replace(settled, look=look_at(call.root, request), request=request)
    return with_cure(call, settled) if "environment" in settled.answers else settled


def with_cure(call: SetupCall, settled: Settled) -> Settled:
    """The same, with the cure that a person chose. One try, and one more look."""
    problem, wanted = environment_problem(settled), settled.answers["environment"]
    if not problem:
        return settled
    cure = next((each for each in settled.look.environment.cures if each.kind == wanted), None)
    if cure is None or cure.kind == "stop":
        offered = ", ".join(each.kind for each in settled.look.environment.cures) or "none"
        why = problem if cure else f"there is no cure {wanted!r} here (offered: {offered}): {problem}"
        raise FlagstoneError(why, hint="mend the environment, or name an interpreter: --python PATH")
    if call.may_write:
        apply_cure(call.root, cure)
    elif cure.kind != "sibling":
        return settled
    request = replace(settled.request, python=cure.python or settled.request.python)
    settled = replace(settled, look=look_at(call.root, request), request=request)
    if problem := environment_problem(settled):
        table = "\n".join(finding_lines([settled.finding("environment")]))
        raise FlagstoneError(f"{cure.text}: it still cannot be run: {problem}\n{table}", hint="mend it by hand")
    return settled


def refuse_empty(settled: Settled) -> None:
    """Raises an error if nothing was found that could be started, and nobody said what is."""
    look = settled.look
    if look.program.argv or look.program.entry or "entry" in settled.answers:
        return
    bench = any("test" in path or "bench" in path for path in look.tree.paths)
    skipped = sorted(look.skipped, key=lambda each: ".py: " not in each and ".ipynb: " not in each)
    not_read = f" (not read: {list_text([one_line(each, 80) for each in skipped], 3)})" if skipped else ""
    raise FlagstoneError(
        f"nothing here that trains: {look.root}{not_read}",
        hint="name the command: flagstone setup -- COMMAND"
        + ("; to improve tests or a benchmark: flagstone marker init" if bench else ""),
    )


def questions_of(settled: Settled) -> dict[str, SetupQuestion]:
    """The questions as the project alone raises them, whoever has answered them."""
    return all_questions(replace(settled, answers={}))
