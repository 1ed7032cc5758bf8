"""Reads the content of a folder as an edit of a tree, and names everything that may not be part of one."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.candidates.folders import is_left_out
from flagstone.experiments.candidates.git import FILE, LINK, PROGRAM, SUBMODULE, Batch, Blob, Tree, object_name
from flagstone.experiments.candidates.last_seen import LastSeen, now_ns, sha_of
from flagstone.experiments.candidates.laying import mode_of
from flagstone.experiments.candidates.sources import Written, printable_path

LARGEST = 100_000_000
MOST_ENTRIES = 200_000
MOST_VIOLATIONS = 100
OUTSIDE = "and is outside what may change"
KINDS = ((stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))


@dataclass(frozen=True)
class Rules:
    """What may change, what is held out for the hidden check, what runs write to, and what is only a link."""

    mutable: Callable[[str], bool]
    held_out: Callable[[str], bool]
    written: Written
    links: Mapping[str, str]

    def drops(self, path: str) -> bool:
        """Whether a new file has no effect, because it is not laid out for a run."""
        is_output = path in self.written and (self.written.has_folder_of(path) or not self.mutable(path))
        return is_output or is_left_out(path.rpartition("/")[2])


@dataclass
class Taking:
    """One look at a folder, against the tree that was laid out in it."""

    folder: Path
    before: Tree
    entries: Mapping[str, Blob]
    rules: Rules
    last_seen: LastSeen
    batch: Batch
    ignored: Callable[[Path, Sequence[str]], Set[str]]
    changes: dict[str, Blob | None] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    may_ask: bool = True

    def look(self) -> None:
        """Compares the folder with the tree before. Fills `changes` and `violations`."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            self.violations.append("the folder itself was removed or replaced")
            return
        gone, closed, count = list[str](), set[str](), 0
        for path, status in self.last_seen.differences(self.folder, self.entries, self.enters):
            if path.rpartition("/")[0] in closed:
                closed.add(path)
                continue
            count += 1
            if count > MOST_ENTRIES:
                self.violations.append(f"there are more than {MOST_ENTRIES} files")
                return
            if isinstance(status, OSError):
                self.fault(path, f"cannot be read: {status.strerror}")
            elif status is None:
                gone.append(path)
            else:
                self.look_at(path, status)
                if stat.S_ISDIR(status.st_mode) and not self.enters(path):
                    closed.add(path)
        for path in sorted(self.before.files.keys() & gone):
            self.look_at_gone(path)
        self.look_at_strangers()

    def look_at(self, path: str, status: os.stat_result) -> None:
        if path.endswith(".gitignore") and not stat.S_ISREG(status.st_mode):
            self.may_ask = False  # git would wait for a named pipe to speak
        if self.rules.held_out(path):
            if not stat.S_ISDIR(status.st_mode):
                self.fault(path, "was added, and is held out for the hidden check")
        elif path in self.before.files:
            self.look_at_old(path, status, self.before.files[path])
        elif path.endswith("/.git"):
            self.strangers.append(path)
        elif not stat.S_ISDIR(status.st_mode):
            self.look_at_new(path, status)

    def enters(self, path: str) -> bool:
        if path in self.before.folders:
            return True
        is_dropped = is_left_out(path.rpartition("/")[2]) or self.rules.written.has_folder_of(path)
        return not is_dropped and path not in self.rules.links

    def fault(self, path: str, words: str) -> None:
        self.violations.append(f"{printable_path(path)} {words}")

    def look_at_old(self, path: str, status: os.stat_result, blob: Blob) -> None:
        if blob.mode == SUBMODULE:
            if not stat.S_ISDIR(status.st_mode):
                self.fault(path, "is a submodule, and was replaced")
            return
        if self.is_link(path, status) and os.readlink(self.folder / path) == self.rules.links[path]:
            return  # to a content that the tree has only a pointer to
        may_change = self.rules.mutable(path)
        if not may_change and self.rules.written.has_folder_of(path):
            return
        problem = fault_of(status, blob)
        if problem:
            self.fault(path, problem)
            return
        now = self.content(path, status, blob, is_wanted=may_change and blob.mode != LINK)
        if now is None or now.sha == blob.sha:
            return
        if blob.mode == LINK:
            self.fault(path, "is a link, and points elsewhere now")
        elif may_change:
            self.changes[path] = now
        else:
            self.fault(path, f"was changed, {OUTSIDE}")

    def look_at_new(self, path: str, status: os.stat_result) -> None:
        if path in self.before.folders:
            self.fault(path, "was a folder, and was replaced")
        elif any(path.startswith(f"{name}/") for name in self.before.submodules):
            self.look_within_submodule(path, status)
        elif self.rules.drops(path) or self.is_link(path, status):
            return
        elif not self.rules.mutable(path):
            self.strangers.append(path)
        elif problem := name_fault(path) or fault_of(status, None):
            self.fault(path, problem)
        else:
            mode = PROGRAM if status.st_mode & 0o100 else FILE
            now = self.content(path, status, Blob(mode, ""), is_wanted=True)
            if now is not None:
                self.changes[path] = now

    def look_within_submodule(self, path: str, status: os.stat_result) -> None:
        was = self.entries.get(path)
        if was is None:
            self.fault(path, "was added within a submodule")
            return
        problem = fault_of(status, was)
        now = None if problem else self.content(path, status, was, is_wanted=False)
        if now != was:
            self.fault(path, problem or "was changed within a submodule")

    def is_link(self, path: str, status: os.stat_result) -> bool:
        return path in self.rules.links and stat.S_ISLNK(status.st_mode)

    def look_at_gone(self, path: str) -> None:
        if self.before.files[path].mode == SUBMODULE or self.rules.held_out(path):
            return
        if self.rules.mutable(path):
            self.changes[path] = None
        elif not self.rules.written.has_folder_of(path):
            self.fault(path, f"was removed, {OUTSIDE}")

    def look_at_strangers(self) -> None:
        """New files outside what may change: what is ignored has no effect, the rest was put there to have one."""
        may_ask = self.strangers and self.may_ask
        ignored = self.ignored(self.folder, self.strangers) if may_ask else frozenset()
        for path in self.strangers:
            if path.endswith("/.git") and path not in ignored:
                self.fault(path, "is a repository within the repository")
            elif path not in ignored and path not in self.rules.links:
                self.fault(path, f"was added, {OUTSIDE}")

    def content(self, path: str, status: os.stat_result, was: Blob, *, is_wanted: bool) -> Blob | None:
        """The present content of a file, stored if it is wanted and has changed. Returns None if it is unreadable."""
        looked_at_ns = now_ns()
        try:
            sha = self.store(path, was.sha) if is_wanted else sha_of(self.folder / path, status)
        except OSError as error:
            self.fault(path, f"cannot be read: {error.strerror}")
            return None
        blob = Blob(was.mode, sha)
        self.last_seen.note(path, status, blob, looked_at_ns)
        return blob

    def store(self, path: str, was: str) -> str:
        handle = os.open(self.folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(0, "it is no plain file any more")
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise OSError(0, "it grows while it is read")
        sha = object_name(b"blob", content)
        return was if sha == was else self.batch.put(b"blob", content)

    def listed_violations(self) -> tuple[str, ...]:
        """The violations, not without end."""
        first = tuple(self.violations[:MOST_VIOLATIONS])
        more = len(self.violations) - len(first)
        return (*first, f"and {more} more of the like") if more else first


def fault_of(status: os.stat_result, was: Blob | None) -> str:
    """Why something cannot be part of a candidate. Returns '' if it can."""
    if stat.S_ISDIR(status.st_mode):
        return "was a file, and is a folder now"
    if stat.S_ISLNK(status.st_mode):
        if was is None:
            return "is a link; only plain files can be added"
        return "" if was.mode == LINK else "was replaced by a link"
    if not stat.S_ISREG(status.st_mode):
        return f"is {next((words for test, words in KINDS if test(status.st_mode)), 'no plain file')}"
    if was is not None and was.mode == LINK:
        return "was a link, and is none now"
    if status.st_nlink > 1:
        return "has a second name elsewhere (a hard link)"
    if status.st_size > LARGEST:
        return f"is larger than {LARGEST // 1_000_000} MB"
    is_special = status.st_mode & 0o7000
    is_other = was is not None and (status.st_mode & 0o100) != (mode_of(was) & 0o100)
    return "has another mode" if is_special or is_other else ""


def name_fault(path: str) -> str:
    """Why a name cannot be part of a candidate. Returns '' if it can."""
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in path):
        return "has a name with control characters"
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in path):
        return "has a name that is not UTF-8"
    return "has a name that git does not take" if ".git" in path.lower().split("/") else ""
