"""What a script can make an agent do, mostly wrong, so that the engines around it can be tried out."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from flagstone.agents.demo.messages import conclude, utter, write_line
from flagstone.agents.demo.summary import DemoSummary
from flagstone.agents.demo.work import carry_out_study
from flagstone.agents.protocol import AgentCall, CallOutcome
from scripted_agent.instant import instant_summary
from scripted_agent.script import Action

MEGABYTE = 1_000_000
FAILED = 1


def perform(call: AgentCall, action: Action) -> int | None:
    """Does one action; a number ends the call at once with that exit code."""
    return DEEDS[action.name](call, action)


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def leave(
    call: AgentCall, alter: Callable[[DemoSummary], DemoSummary] = lambda summary: summary, files_of: str = ""
) -> str:
    """An instant result, with the files of stage `files_of` if it is given; `alter` spoils its summary first."""
    summary, files = instant_summary(call, files_of)
    for path, content in files.items():
        put(call.task.run_root / path, content)
    text = alter(summary).markdown()
    put(call.task.draft, text.encode())
    return text


def study(call: AgentCall, action: Action) -> int | None:
    return carry_out_study(call)


def instant(call: AgentCall, action: Action) -> None:
    leave(call)
    utter("tool", f"wrote the instant result of stage {call.task.stage}")


def instant_of(call: AgentCall, action: Action) -> None:
    """The files of another stage, such as the paper of stage 07, under this stage's own summary."""
    leave(call, files_of=action.words[0])


def write_nothing(call: AgentCall, action: Action) -> None:
    utter("text", "this attempt writes nothing")


def write_garbage(call: AgentCall, action: Action) -> None:
    put(call.task.draft, b"This is not a summary.\n\n## Whatever\n\nmore of it\n")


def binary(call: AgentCall, action: Action) -> None:
    blocks = (hashlib.sha256(f"{call.task.stage} {number}".encode()).digest() for number in range(256))
    put(call.task.draft, b"".join(blocks))


def huge(call: AgentCall, action: Action) -> None:
    line = b"A sentence that says nothing, over and over again, in a paragraph without an end. "
    head = leave(call).encode()
    put(call.task.draft, head + line * (int(action.number() * MEGABYTE) // len(line)) + b"\n")


def control_characters(call: AgentCall, action: Action) -> None:
    spoiled = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x08\x9b2J \u202egnp.elif"
    leave(call, lambda summary: replace(summary, results=f"{summary.results} {spoiled}"))


def missing_section(call: AgentCall, action: Action) -> None:
    leave(call, lambda summary: replace(summary, omitted=frozenset(action.words)))


def placeholder(call: AgentCall, action: Action) -> None:
    leave(call, lambda summary: replace(summary, results="[TODO]"))


def symlink_out(call: AgentCall, action: Action) -> None:
    """Lists, as its artifact, a link to a file outside the run."""
    link = call.task.run_root / "workspace" / "data" / "outside.csv"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to("/etc/passwd")
    listed = {"workspace/data/outside.csv": "a link that leaves the run"}
    leave(call, lambda summary: replace(summary, files=listed))


def odd_name(call: AgentCall, action: Action) -> None:
    """Beside an instant result, a file whose name is not UTF-8."""
    leave(call)
    put(Path(os.fsdecode(os.fsencode(call.task.run_root / "workspace" / "data") + b"/caf\xe9.csv")), b"a,b\n1,2\n")


def repository(call: AgentCall, action: Action) -> None:
    """Beside an instant result, a git repository that has git run a program of the agent's choice."""
    leave(call)
    put(call.task.run_root / "workspace" / "code" / ".git" / "config", b"[core]\n\tfsmonitor = touch /tmp/owned\n")


def forge(call: AgentCall, action: Action) -> None:
    """Approves its own stage, adds a seal, and rewrites what earlier stages said."""
    root, stage = call.task.run_root, call.task.stage
    put(root / "approved" / f"{stage}.flag", b"")
    with open(root / "approved" / "seals.jsonl", "ab") as seals:
        seals.write(b'{"stage": "%b", "by": "forged"}\n' % stage.encode())
    for path in sorted((root / "stages").glob("*.md")):
        append(path)


def append(path: Path) -> None:
    with open(path, "ab") as stream:
        stream.write(b"\nAn agent was here.\n")


def edit_approved(call: AgentCall, action: Action) -> None:
    append(call.task.run_root / action.words[0])


def feedback(call: AgentCall, action: Action) -> None:
    """What a person writes while the stage still runs: outside the sandbox, so somebody else has to do it."""
    write_line({"type": "person", "feedback": action.words[0]})


def write(call: AgentCall, action: Action) -> None:
    path, content = action.words
    put(call.task.run_root / path, content.encode())


def say(call: AgentCall, action: Action) -> None:
    utter("text", action.words[0])


def print_flood(call: AgentCall, action: Action) -> None:
    line = b"a line of output that nobody asked for, and the next one is the same as this one\n" * 1000
    for _ in range(int(action.number() * MEGABYTE) // len(line) + 1):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def sleep(call: AgentCall, action: Action) -> None:
    time.sleep(action.number())


def hang(call: AgentCall, action: Action) -> None:
    """Silent, and deaf to being asked to stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(action.number())
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def daemon(call: AgentCall, action: Action) -> None:
    """Leaves a process in a session of its own that outlives the call; it sleeps for a minute, or as told."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nothing, stream)
            os.execvp("sleep", ["sleep", str(action.number(60))])
        os._exit(0)
    os.wait()


def leave_with(call: AgentCall, action: Action) -> int:
    return int(action.number())


def crash(call: AgentCall, action: Action) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return FAILED


def rate_limit(call: AgentCall, action: Action) -> int:
    after = {"retry_after_s": action.number()} if action.words else {}
    conclude(call.conversation.session_id, CallOutcome.RETRYABLE, "scripted: too many requests (429)", **after)
    return FAILED


def session_lost(call: AgentCall, action: Action) -> int | None:
    """Only a conversation that was taken up again can be lost."""
    if not call.conversation.resume:
        return None
    conclude(call.conversation.session_id, CallOutcome.SESSION_LOST, "scripted: no conversation of this id was found")
    return FAILED


def outcome(call: AgentCall, action: Action) -> int:
    said = CallOutcome(action.words[0])
    conclude(call.conversation.session_id, said, f"scripted outcome: {said.value}")
    return 0 if said is CallOutcome.OK else FAILED


DEEDS: Mapping[str, Callable[[AgentCall, Action], int | None]] = {
    "study": study,
    "instant": instant,
    "instant-of": instant_of,
    "write-nothing": write_nothing,
    "write-garbage": write_garbage,
    "binary": binary,
    "huge": huge,
    "control-characters": control_characters,
    "missing-section": missing_section,
    "placeholder": placeholder,
    "symlink-out": symlink_out,
    "odd-name": odd_name,
    "repository": repository,
    "forge": forge,
    "edit-approved": edit_approved,
    "feedback": feedback,
    "write": write,
    "say": say,
    "print-flood": print_flood,
    "sleep": sleep,
    "hang": hang,
    "daemon": daemon,
    "exit": leave_with,
    "crash": crash,
    "rate-limit": rate_limit,
    "session-lost": session_lost,
    "outcome": outcome,
}
