"""`flagstone plugin hook`: what the hooks of the plugin answer while a session drives an experiment."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from flagstone.cli.jobs.owner import owner_of, spec_at
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import driven_home, release
from flagstone.experiments.ledger import tail_entries
from flagstone.experiments.reporting import Position, briefing_text, may_end, next_words, position_of
from flagstone.plans import Home, Spec, command_of
from flagstone.text import list_text, printable_text

LAST = 5
OF_LOOP = ("check", "step", "wait", "status", "tail", "report", "diff", "chain", "drive")
ENDING = {"stop", "--release", "--fresh"}
EXPANDED, PUNCTUATION = set("$`\n\r"), set("();<>|&")


@dataclass(frozen=True)
class DrivenLoop:
    """The experiment that a session drives, and what Claude Code has told the hook."""

    home: Home
    spec: Spec
    given: Mapping[str, Any]
    position: Position


@click.command()
@click.argument("event", type=click.Choice(["session-start", "before-tool", "stop"]))
def command(event: str) -> None:
    """Answer a hook of Claude Code: its question is read from stdin. No output if the session drives no experiment.

    \b
    flagstone plugin hook stop < question.json
    """
    given = json.load(sys.stdin)
    home = driven_home(str(given["session_id"]))
    if home is None or not home.spec.is_file():
        return
    spec = spec_at(home)
    loop = DrivenLoop(home, spec, given, position_of(home, spec))
    if may_end(home, loop.position):
        release_if_ended(loop)
    elif answer := ANSWERS[event](loop):
        click.echo(printable_text(answer))


def release_if_ended(loop: DrivenLoop) -> None:
    """Lets the session go for good if nothing would continue by itself. After a stop it may be resumed."""
    if loop.position.reason_to_end not in ("", "manual"):
        release(loop.home)


def briefing(loop: DrivenLoop) -> str:
    return briefing_text(loop.home, loop.position, tail_entries(loop.home.ledger, LAST)).rstrip()


def refused_end(loop: DrivenLoop) -> str:
    """Has the session go on, unless a budget of its run is spent."""
    home = loop.home
    try:
        owner_of(home.base).accounts(home).refuse_if_spent(loop.spec.harness.gpus)
    except FlagstoneError:
        return ""
    reason = (
        f"Experiment {home.name} goes on. Next: {next_words(home, loop.position)}\n"
        f"Do it now and ask nothing. Only if a person has asked you to stop: {command_of(home, 'stop')}"
    )
    return json.dumps({"decision": "block", "reason": reason})


def decided_tool(loop: DrivenLoop) -> str:
    """Allows what the loop consists of, also after a restart. Refuses to edit what may not change meanwhile."""
    home, tool = loop.home, loop.given.get("tool_input", {})
    if "command" in tool:
        return decision_on_command(home, str(tool["command"]))
    path = tool.get("file_path") or tool.get("notebook_path")
    if not path:
        return ""
    if is_changeable(loop, Path(str(loop.given.get("cwd", "")), str(path))):
        return decision("allow", "it is a working file of the experiment")
    return decision(
        "deny",
        f"While this session drives {home.name}, only these files may be edited, and only below {home.working}: "
        f"{list_text(loop.spec.subject.mutable)}. Only if a person wants another file edited, first give: "
        f"{command_of(home, 'drive')} --release",
    )


def decision_on_command(home: Home, command: str) -> str:
    """Leaves it to a person to end the loop or to start it over: a session might do so only to be done."""
    if is_of_loop(command):
        return decision("allow", "it is part of the loop")
    if "flagstone" in command and ENDING & set(command.split()):
        return decision("ask", f"{home.name} has not ended. Only a person ends or restarts its loop: do you?")
    return ""


def decision(word: str, reason: str) -> str:
    made = {"hookEventName": "PreToolUse", "permissionDecision": word, "permissionDecisionReason": reason}
    return json.dumps({"hookSpecificOutput": made})


def is_of_loop(command: str) -> bool:
    """Whether this is one command of the loop, and nothing that a shell would make more of."""
    if set(command) & EXPANDED:
        return False
    try:
        words = list(shlex.shlex(command, posix=True, punctuation_chars=True))
    except ValueError:
        return False
    is_plain = not any(set(word) <= PUNCTUATION for word in words)
    is_ours = words[:2] == ["flagstone", "experiment"] and words[2:3] and words[2] in OF_LOOP
    return is_plain and bool(is_ours) and not ENDING & set(words[3:])


def is_changeable(loop: DrivenLoop, path: Path) -> bool:
    """Whether a file is one of the working files that may change, wherever links and dots lead."""
    working, real = loop.home.working.resolve(), path.resolve()
    return real.is_relative_to(working) and loop.spec.subject.may_change(real.relative_to(working).as_posix())


ANSWERS: Mapping[str, Callable[[DrivenLoop], str]] = {
    "session-start": briefing,
    "before-tool": decided_tool,
    "stop": refused_end,
}
