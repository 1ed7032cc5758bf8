"""What an agent may not touch: every file of the run outside its grant, as it was before a call."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from flagstone.agents import AgentCall, SessionFolder
from flagstone.agents.accounts import inflight
from flagstone.gates import RunConfig
from flagstone.records import DigestCache

COPY_BYTES = 1_000_000  # of one file that is kept so that it can be restored
COPIES_BYTES = 32_000_000  # of all of them
FILES_LIMIT = 50_000
MARKS = re.compile(r"(approved/\d\d\.flag|feedback/[^/]+|redo/[^/]+|aborted)\Z")
BOOKKEEPING = ("logs", ".snakemake", "manifest.json", "report.html")
DERIVED = ("memory.md", "handoff")  # rebuilt from the seals before each use, by whoever decides meanwhile
RECORDS = ("stages", "drafts", "history", "index", *DERIVED)
CACHE = ".snakemake/flagstone/protected.json"
IN_FLIGHT = f"logs/{inflight.FOLDER}"  # calls of other stages begin and end meanwhile
LAST_COPIED = ("drafts", "history", "logs")


class Zone(StrEnum):
    """Who may rightly change a file while an agent works."""

    MARKS = "a person's mark"
    INPUTS = "a person's file"
    BOOKKEEPING = "our bookkeeping"
    SIBLINGS = "another stage's"
    DERIVED = "whoever decides"
    RECORDS = "nobody's to change"


@dataclass(frozen=True)
class FileState:
    """One file or folder as it was. `content` is our copy, where one was taken."""

    kind: str
    inode: int
    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    digest: str = ""
    content: bytes | None = None


@dataclass(frozen=True)
class Ground:
    """The run as one call finds it: what is granted, and which stages may be built at the same time."""

    root: Path
    granted: frozenset[str]
    siblings: frozenset[str]

    @classmethod
    def of(cls, opened: RunConfig, call: AgentCall) -> Ground:
        """The ground of one call. The conversation's own folder is its driver's, not ours to watch."""
        root, table = opened.run.root, opened.table
        folder = SessionFolder.at(call.record_dir.parent, call.conversation.session_id).root
        records = ("transcript.jsonl", "stderr.txt", "events.log", "commands")
        own = (*call.writable, folder, folder.with_suffix(".json"), *(call.record_dir / name for name in records))
        granted = (os.path.relpath(path, root) for path in own)
        line = {call.task.stage, *(stage.nr for stage in table.ancestors(call.task.stage))}
        line |= {stage.nr for stage in table.descendants(call.task.stage)}
        return cls(root, frozenset(granted), frozenset(stage.nr for stage in table if stage.nr not in line))

    def zone(self, path: str) -> Zone:
        """Whose a path is, relative to the run."""
        first, _, rest = path.partition("/")
        if MARKS.match(path):
            return Zone.MARKS
        if first in BOOKKEEPING:
            return Zone.BOOKKEEPING
        if first not in RECORDS:
            return Zone.INPUTS
        if rest[:2] in self.siblings or (self.siblings and first in ("index", *DERIVED)):
            return Zone.SIBLINGS
        if first in DERIVED:
            return Zone.DERIVED
        return Zone.RECORDS

    def is_watched(self, path: str) -> bool:
        name = os.path.basename(path)
        if path in self.granted or path in (CACHE, IN_FLIGHT) or name.endswith(".lock"):
            return False
        return not path.startswith(".snakemake/") or path.split("/")[1] == "flagstone"

    def entries(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Every file and folder outside the grant, folders before what is in them; no link is followed."""
        waiting, count = [""], 0
        while waiting and count < FILES_LIMIT:
            folder = waiting.pop()
            for entry in contents(os.path.join(self.root, folder)):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not self.is_watched(path):
                    continue
                count += 1
                yield path, entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(path)

    def states(self, cache: DigestCache) -> dict[str, FileState]:
        """Everything as it is now. A file that did not change since it was last read is not read again."""
        found: dict[str, FileState] = {}
        for path, entry in self.entries():
            try:
                found[path] = state_of(entry.path, cache)
            except OSError:
                continue  # gone since it was listed
        return found


def contents(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def state_of(path: str, cache: DigestCache) -> FileState:
    status = os.lstat(path)
    mode, digest = status.st_mode, ""
    if stat.S_ISREG(mode):
        kind, digest = "file", cache.digest(path, status)
    elif stat.S_ISLNK(mode):
        kind, digest = "link", os.readlink(path)
    else:
        kind = "folder" if stat.S_ISDIR(mode) else "other"
    size = 0 if kind == "folder" else status.st_size
    return FileState(kind, status.st_ino, stat.S_IMODE(mode), size, status.st_mtime_ns, status.st_ctime_ns, digest)


def with_copies(root: Path, marks: dict[str, FileState], *, of_all: bool) -> dict[str, FileState]:
    """Takes copies of small files, those first that matter most, up to a limit in all.

    If the kernel protects files (`of_all` is false), older attempts and versions are left out.
    """
    folder, found = COPIES_BYTES, dict(marks)
    for is_late in (False, True) if of_all else (False,):
        for path, mark in marks.items():
            fits = mark.kind == "file" and mark.size <= min(COPY_BYTES, folder)
            if fits and (path.split("/")[0] in LAST_COPIED) is is_late:
                found[path] = replace(mark, content=(root / path).read_bytes())
                folder -= mark.size
    return found
