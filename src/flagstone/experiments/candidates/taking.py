"""Reads what stands in a folder as an edit of a tree, and names everything that may not be part of one."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.candidates.laying import Known, mode_of, sha_of, walk
from flagstone.experiments.candidates.objects import FILE, LINK, PROGRAM, Blob
from flagstone.experiments.candidates.overlay import LEFT_OUT
from flagstone.experiments.candidates.trees import SUBMODULE, Intake, Listing
from flagstone.globs import matches

LARGEST = 100_000_000
MOST_ENTRIES = 200_000
MOST_VIOLATIONS = 100
LONGEST_SPOKEN = 300
OUTSIDE = "and is outside what may change"
KINDS = ((stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"))


@dataclass(frozen=True)
class Rules:
    """What may change, what is written to by runs, and what only stands there as a link."""

    mutable: tuple[str, ...]
    scratch: Set[str]
    links: Mapping[str, str]

    def may_change(self, path: str) -> bool:
        return matches(path, self.mutable)

    def is_scratch(self, path: str) -> bool:
        return bool(self.scratch) and any(path == name or path.startswith(f"{name}/") for name in self.scratch)


@dataclass
class Taking:
    """One look at a folder, against the tree that was laid out in it."""

    folder: Path
    before: Listing
    rules: Rules
    known: Known
    intake: Intake
    ignored: Callable[[Path, Sequence[str]], Set[str]]
    changes: dict[str, Blob | None] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    may_ask: bool = True

    def look(self) -> None:
        """Fills `changes` and `violations`."""
        present = set()
        if self.folder.is_symlink() or not self.folder.is_dir():
            self.violations.append("the folder itself was removed or replaced")
            return
        for count, (path, status) in enumerate(walk(self.folder, self.enters)):
            if count > MOST_ENTRIES:
                self.violations.append(f"there are more than {MOST_ENTRIES} files")
                return
            if isinstance(status, OSError):
                self.fault(path, f"cannot be read: {status.strerror}")
                continue
            if path.endswith(".gitignore") and not stat.S_ISREG(status.st_mode):
                self.may_ask = False  # git would wait for a named pipe to speak
            if path in self.before.files:
                present.add(path)
                self.look_at_old(path, status, self.before.files[path])
            elif path.endswith("/.git"):
                self.strangers.append(path)
            elif not stat.S_ISDIR(status.st_mode):
                self.look_at_new(path, status)
        for path in sorted(self.before.files.keys() - present):
            self.look_at_gone(path)
        self.look_at_strangers()

    def enters(self, path: str) -> bool:
        if path in self.before.folders:
            return True
        is_dropped = path.rpartition("/")[2] in LEFT_OUT or path in self.rules.links or self.rules.is_scratch(path)
        return not is_dropped

    def fault(self, path: str, words: str) -> None:
        self.violations.append(f"{spoken(path)} {words}")

    def look_at_old(self, path: str, status: os.stat_result, blob: Blob) -> None:
        if self.known.is_same(path, status, blob):
            return
        if blob.mode == SUBMODULE:
            if not stat.S_ISDIR(status.st_mode):
                self.fault(path, "is a submodule, and was replaced")
            return
        may_change = self.rules.may_change(path)
        if not may_change and self.rules.is_scratch(path):
            return
        problem = fault_of(status, blob)
        if problem:
            self.fault(path, problem)
            return
        now = self.content(path, status, blob.mode, is_wanted=may_change and blob.mode != LINK)
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
            self.fault(path, "was added within a submodule")
        elif self.is_dropped(path, status):
            return
        elif not self.rules.may_change(path):
            self.strangers.append(path)
        elif problem := name_fault(path) or fault_of(status, None):
            self.fault(path, problem)
        else:
            mode = PROGRAM if status.st_mode & 0o100 else FILE
            now = self.content(path, status, mode, is_wanted=True)
            if now is not None:
                self.changes[path] = now

    def is_dropped(self, path: str, status: os.stat_result) -> bool:
        """What has no effect on a run, because it is not laid out for one."""
        name = path.rpartition("/")[2]
        target = self.rules.links.get(path)
        if target is not None and stat.S_ISLNK(status.st_mode):
            return True
        return name in LEFT_OUT or name.endswith(".pyc") or self.rules.is_scratch(path)

    def look_at_gone(self, path: str) -> None:
        if self.before.files[path].mode == SUBMODULE:
            return
        if self.rules.may_change(path):
            self.changes[path] = None
        elif not self.rules.is_scratch(path):
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

    def content(self, path: str, status: os.stat_result, mode: str, *, is_wanted: bool) -> Blob | None:
        """What a file holds now; stored where it is wanted."""
        looked_at_ns = time.time_ns()
        try:
            sha = self.stored(path) if is_wanted else sha_of(self.folder / path, status)
        except OSError as error:
            self.fault(path, f"cannot be read: {error.strerror}")
            return None
        blob = Blob(mode, sha)
        self.known.note(path, status, blob, looked_at_ns)
        return blob

    def stored(self, path: str) -> str:
        handle = os.open(self.folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(0, "it is no plain file any more")
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise OSError(0, "it grows while it is read")
        return self.intake.put(b"blob", content)

    def said(self) -> tuple[str, ...]:
        """The violations, not without end."""
        first = tuple(self.violations[:MOST_VIOLATIONS])
        more = len(self.violations) - len(first)
        return (*first, f"and {more} more of the like") if more else first


def fault_of(status: os.stat_result, was: Blob | None) -> str:
    """Why something cannot be part of a candidate; nothing where it can."""
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
    """Why a name cannot be part of a candidate; nothing where it can."""
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in path):
        return "has a name with control characters"
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in path):
        return "has a name that is not UTF-8"
    return "has a name that git does not take" if ".git" in path.lower().split("/") else ""


def spoken(path: str) -> str:
    """A path as it can be printed and stored, whatever is in it."""
    is_plain = path.isprintable() and path == path.strip()
    told = path if is_plain else ascii(path)
    return told if len(told) <= LONGEST_SPOKEN else f"{told[:LONGEST_SPOKEN]}…"
