"""Compares everything protected before and after a call, and restores and names what an agent changed."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from flagstone.agents import Agent, AgentCall, AgentResult, Guard, sandbox
from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.drafting import log_of_calls
from flagstone.drafting.protected import CACHE, FILES_LIMIT, FileState, Ground, Zone, with_copies
from flagstone.gates import RunConfig, kept_copy
from flagstone.records import DigestCache, digest_bytes, write_atomic, write_record
from flagstone.text import escaped_text, list_text

RULE = "grant-kept"
ASIDE = "violations"
WRITTEN_MEANWHILE, PRIVATE = ("transcript.jsonl", "stderr.txt", "events.log"), 0o600
MODE, TIME = "mode changed", "time changed"


class Reaction(StrEnum):
    """What happens to a change that an agent may have made."""

    PASS = "not worth a word"
    NAME = "left as it is, and named"
    REPAIR = "put back, and named"
    VIOLATION = "put back, and the attempt fails"


@dataclass(frozen=True)
class FileChange:
    """One protected file that is not as it was: `what` in a word, and what was done about it."""

    path: str
    what: str
    done: str = ""

    def __str__(self) -> str:
        return f"{escaped_text(self.path, 120)} ({self.what}{', ' + self.done if self.done else ''})"


@dataclass(frozen=True)
class Enforcement:
    """What confined the agent of a call, as its driver says: `landlock`, `bubblewrap`, both, or nothing."""

    by: str

    @property
    def keeps_files(self) -> bool:
        """Whether the agent was confined so that it cannot have written anything outside its grant."""
        return "landlock" in self.by and sandbox.strength().keeps_files

    def keeps_times(self, path: str, call: AgentCall, root: Path) -> bool:
        """Whether mode and times cannot have come from it either: the view is read-only, but for its own folder."""
        own = os.path.relpath(call.record_dir, root)
        return "bubblewrap" in self.by and path != own and not path.startswith(own + "/")


def guard_of(opened: RunConfig, agent: Agent) -> Guard:
    """Watches everything in a run that an agent may not touch."""

    def begin(call: AgentCall) -> Callable[[AgentResult | None], Sequence[str]]:
        guarded = GuardedCall.begin(opened, call)
        return lambda result: [str(change) for change in guarded.end(enforcement_of(result, agent, call))]

    return begin


def enforcement_of(result: AgentResult | None, agent: Agent, call: AgentCall) -> Enforcement:
    """What held the agent: as its driver says, or, if the call was cut off before that, what must have."""
    if result is not None:
        return Enforcement(result.sandbox)
    is_held = call.sandbox != "off" and agent.name != "replay" and sandbox.strength().keeps_files
    return Enforcement("landlock" if is_held else "")


def grant_kept(result: AgentResult) -> RuleCheck:
    """The check row of an attempt."""
    if not result.violations:
        return passed_check(RULE, "nothing changed outside the agent's grant")
    return failed_check(RULE, f"write only to workspace/ and the draft; changed: {list_text(list(result.violations))}")


@dataclass(frozen=True)
class GuardedCall:
    """One call under guard: the files that it may not touch, and how they were before it."""

    opened: RunConfig
    call: AgentCall
    ground: Ground
    cache: DigestCache
    before: Mapping[str, FileState]

    @classmethod
    def begin(cls, opened: RunConfig, call: AgentCall) -> GuardedCall:
        is_free = call.sandbox == "off" or not sandbox.strength().keeps_files
        # what an agent was free to write is not believed: then everything is read again
        cache = DigestCache(None if is_free else opened.run.root / CACHE)
        ground = Ground.of(opened, call)
        marks = ground.states(cache)
        cache.save()
        return cls(opened, call, ground, cache, with_copies(ground.root, marks, of_all=is_free))

    def end(self, held: Enforcement) -> list[FileChange]:
        """Restores what the agent changed without permission. Records and returns these changes."""
        violations, others = list(self.own_changes()), list[FileChange]()
        for change in self.changes(self.ground.states(self.cache)):
            reaction = self.reaction_to(change, held)
            if reaction in (Reaction.VIOLATION, Reaction.REPAIR):
                change = replace(change, done=self.repair(change))
            if reaction is Reaction.VIOLATION:
                violations.append(change)
            elif reaction is not Reaction.PASS:
                others.append(change)
        if len(self.before) >= FILES_LIMIT:
            others.append(FileChange(".", f"more than {FILES_LIMIT} files: not all of them were watched"))
        self.cache.save()
        if violations or others:
            changes = {"violations": [vars(c) for c in violations], "others": [vars(c) for c in others]}
            about = {"stage": self.call.task.stage, "attempt": self.call.task.attempt, "sandbox": held.by}
            write_record(self.call.record_dir / "violations.json", {**about, **changes})
        return violations

    def changes(self, now: Mapping[str, FileState]) -> Iterator[FileChange]:
        """Everything that differs, folders before what is in them."""
        for path, was in self.before.items():
            is_now = now.get(path)
            if is_now is None:
                yield FileChange(path, "removed")
            elif (was.kind, was.digest) != (is_now.kind, is_now.digest):
                yield FileChange(path, "changed")
            elif was.mode != is_now.mode:
                yield FileChange(path, MODE)
            elif was.kind == "file" and was.inode == is_now.inode and was.mtime_ns != is_now.mtime_ns:
                yield FileChange(path, TIME)
        new = [path for path in now if path not in self.before]
        yield from (FileChange(path, "created") for path in new if os.path.dirname(path) not in new)

    def reaction_to(self, change: FileChange, held: Enforcement) -> Reaction:
        """Whether a change may be the agent's, and what is done about it."""
        zone = self.ground.zone(change.path)
        if change.what in (MODE, TIME):
            is_kept = held.keeps_times(change.path, self.call, self.ground.root)
            return Reaction.PASS if is_kept else reaction_to_metadata(zone, held)
        if held.keeps_files:
            return reaction_to_others(zone, change)
        if zone in (Zone.MARKS, Zone.SIBLINGS):
            return Reaction.NAME
        if zone is Zone.BOOKKEEPING:
            return self.reaction_to_bookkeeping(change)
        return Reaction.VIOLATION

    def reaction_to_bookkeeping(self, change: FileChange) -> Reaction:
        """Logs grow and caches are rewritten by other calls of ours; a log that lost its beginning is another thing."""
        was = self.before.get(change.path)
        if change.path.startswith(".snakemake/"):
            return Reaction.REPAIR  # cheap to make again, and worth forging
        if change.path == log_of_calls.CALLS and change.what in ("changed", "created"):
            return (
                Reaction.VIOLATION if self.log_of_calls() is not None or not self.has_grown(change) else Reaction.PASS
            )
        if was is None:
            return Reaction.NAME
        is_well = change.path in ("manifest.json", "report.html") or self.has_grown(change)
        return Reaction.PASS if is_well else Reaction.VIOLATION

    def has_grown(self, change: FileChange) -> bool:
        """Whether a file still begins with all that it was, as far as that is known."""
        was = self.before.get(change.path)
        if was is None or was.kind != "file":
            return was is None
        try:
            with open(self.ground.root / change.path, "rb") as stream:
                return digest_bytes(stream.read(was.size)) == was.digest
        except OSError:
            return False

    def log_of_calls(self) -> bytes | None:
        """The log of calls as it should be, where somebody has added to it who may not."""
        return log_of_calls.expected_content(self.opened.run, self.before.get(log_of_calls.CALLS), self.ground.siblings)

    def own_changes(self) -> Iterator[FileChange]:
        """What happened to the files that we write during this call: an agent can change their modes."""
        for name in WRITTEN_MEANWHILE:
            path = self.call.record_dir / name
            relative = os.path.relpath(path, self.ground.root)
            try:
                mode = path.lstat().st_mode
            except OSError:
                continue
            if not stat.S_ISREG(mode):
                yield FileChange(relative, "changed", "left as it is")
            elif stat.S_IMODE(mode) != PRIVATE:
                path.chmod(PRIVATE)
                yield FileChange(relative, MODE, "put back")

    def repair(self, change: FileChange) -> str:
        """Sets aside what was found, restores what was there, and says so."""
        target, was = self.ground.root / change.path, self.before.get(change.path)
        try:
            calls = self.log_of_calls() if change.path == log_of_calls.CALLS else None
            if calls is not None:
                log_of_calls.put_back(self.opened.run, calls, self.call.record_dir / ASIDE / change.path)
                return "put back"
            if was is None:
                self.set_aside(target, change.path)
                return "set aside"
            if change.what in ("changed", "removed") and not self.replace_content(target, change.path, was):
                return "no copy to put back"
            restore_metadata(target, was)
            return "put back"
        except OSError as error:
            return f"could not be put back: {error.strerror}"

    def replace_content(self, target: Path, path: str, was: FileState) -> bool:
        """Puts the content back from our copy or from history; False where there is neither."""
        content = was.content
        if was.kind == "file" and content is None:
            kept = kept_copy(self.opened.run, self.call.task.stage, path, was.digest)
            content = kept.read_bytes() if kept else None
            if content is None:
                return False
        self.set_aside(target, path)
        if was.kind == "folder":
            target.mkdir(parents=True)
        elif was.kind == "link":
            target.symlink_to(was.digest)
        elif content is not None:
            write_atomic(target, content, mode=was.mode)
        return True

    def set_aside(self, target: Path, path: str) -> None:
        """Moves what is there to the attempt's own folder: nothing is deleted."""
        if not os.path.lexists(target):
            return
        aside = self.call.record_dir / ASIDE / path
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(target, aside)


def reaction_to_others(zone: Zone, change: FileChange) -> Reaction:
    """The kernel prevented it for the agent, so somebody else did it: only what nobody may change is restored."""
    if zone is Zone.RECORDS and change.what != "created":
        return Reaction.VIOLATION
    is_news = zone is not Zone.BOOKKEEPING and (change.what != "created" or zone is Zone.MARKS)
    return Reaction.NAME if is_news else Reaction.PASS


def reaction_to_metadata(zone: Zone, held: Enforcement) -> Reaction:
    """Mode and times: Landlock does not keep them, so they may be the agent's wherever it can reach."""
    if zone in (Zone.BOOKKEEPING, Zone.SIBLINGS):
        return Reaction.PASS
    return Reaction.NAME if zone is Zone.MARKS and not held.keeps_files else Reaction.VIOLATION


def restore_metadata(target: Path, was: FileState) -> None:
    """Restores the mode and the time of a file. A link has neither of its own."""
    if was.kind == "link":
        return
    if was.kind != "other":
        os.chmod(target, was.mode)
    if was.kind == "file":
        os.utime(target, ns=(was.mtime_ns, was.mtime_ns))
