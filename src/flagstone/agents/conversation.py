"""The private folder of one conversation with any agent: its lock, its facts, and what it leaves running."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.agents.cleaning import Cleaning
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, valid_count
from flagstone.locks import sole_use
from flagstone.processes import Output, Redactor, Survivor, end_orphans, still_alive
from flagstone.records import cannot_write, read_record, utc, write_record

STDERR_TAIL = 4096


@dataclass(frozen=True)
class SessionFolder:
    """Where one conversation keeps what no other may see or change."""

    root: Path

    @classmethod
    def at(cls, stage: Path, session_id: str) -> SessionFolder:
        """The folder of a conversation, which need not exist."""
        return cls(stage / f"conversation-{session_id}")

    @classmethod
    def of(cls, call: AgentCall) -> SessionFolder:
        """The folder of a call's conversation, made if need be."""
        folder = cls.at(call.record_dir.absolute().parent, call.conversation.session_id)
        try:
            for path in (folder.root, folder.config, folder.temporary):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder.root, error) from error
        return folder

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def temporary(self) -> Path:
        return self.root / "tmp"

    @property
    def state(self) -> Path:
        return self.root / "conversation.json"

    @property
    def owner(self) -> str:
        """The name its processes carry: the stage's, so that a new conversation finds what an earlier one has left."""
        return str(self.root.parent)

    def lock(self) -> AbstractContextManager[bool]:
        """True while nobody else uses this conversation, one branch of which would be lost, or another of the owner."""
        return sole_use(self.root / "lock", self.root.parent, wait=False)

    def fact(self, name: str) -> object:
        """A fact that was noted of the conversation; None if there is none."""
        return (read_record(self.state) or {}).get(name)

    def note(self, **facts: object) -> None:
        """Remembers facts for the next call, beside those that are known already."""
        # what a power cut takes from here is asked for again, or counted twice, but never forgotten
        write_record(self.state, {**(read_record(self.state) or {}), **facts}, durable=False)

    def note_survivors(self, survivors: tuple[Survivor, ...], **facts: object) -> None:
        """Notes processes that could not be ended: until they are gone, nothing else is started."""
        self.note(**facts, survivors=[[survivor.pid, survivor.started_ticks] for survivor in survivors])

    def still_running(self) -> tuple[Survivor, ...]:
        """Ends what an earlier call left running and returns what could not be ended."""
        known = self.fact("survivors")
        rows = known if isinstance(known, list) else []
        noted = [Survivor(valid_count(row[0]) or 0, valid_count(row[1]) or 0) for row in rows]
        return tuple(dict.fromkeys((*end_orphans(self.owner), *still_alive(noted))))


def carry_out_alone(call: AgentCall, redactor: Redactor, work: Callable[[SessionFolder], AgentResult]) -> AgentResult:
    """Carries out a driver's part of a call, alone in its conversation, whose folder holds no secret afterwards.

    Nothing is started while another call uses the conversation, or while processes of an earlier one still run.
    """
    started_at = utc(time.time())
    result = carry_out_if_free(call, redactor, work)
    return replace(result, started_at=started_at, ended_at=utc(time.time()))


def carry_out_if_free(call: AgentCall, redactor: Redactor, work: Callable[[SessionFolder], AgentResult]) -> AgentResult:
    # looking for processes of earlier calls means looking at every process of the machine
    is_first = not any(call.record_dir.absolute().parent.glob("conversation-*"))
    folder = SessionFolder.of(call)
    with folder.lock() as is_ours:
        if not is_ours:
            return AgentResult.never_started(call, CallOutcome.SESSION_BUSY, "another call is using this conversation")
        running = () if is_first else folder.still_running()
        if running:
            pids = ", ".join(str(process.pid) for process in running)
            return AgentResult.never_started(call, CallOutcome.UNCLEAN, f"an earlier call still has processes: {pids}")
        try:
            return work(folder)
        finally:
            Cleaning(redactor).clean(folder.root)


def output_of(call: AgentCall) -> Output:
    """Where the program of a call writes."""
    return Output(call.record_dir / "transcript.jsonl", call.record_dir / "stderr.txt")


def stderr_tail(call: AgentCall) -> str:
    """The last part of the standard error of a call. It usually names the reason of a failure."""
    try:
        return (call.record_dir / "stderr.txt").read_bytes()[-STDERR_TAIL:].decode("utf-8", "replace")
    except OSError:
        return ""
