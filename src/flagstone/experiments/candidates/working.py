"""The working files of an experiment: `step` evaluates them, and between runs they are those of the best."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.experiments.candidates.folders import is_left_out, walk
from flagstone.experiments.candidates.subject import Subject
from flagstone.plans import Home, unused_path
from flagstone.records import DigestCache, cannot_write, read_record, write_record

REST = 50  # it may take a fiftieth of the time of the runs


@dataclass
class Working:
    """The folder and what we last saw in it, so that nobody's edit is overwritten unseen."""

    home: Home
    subject: Subject
    cache: DigestCache = field(default_factory=lambda: DigestCache(None))
    due_at: float = 0.0

    @property
    def seen_file(self) -> Path:
        return self.home.root / "state" / "working.json"

    @property
    def last_seen(self) -> dict[str, Any]:
        """The record of what we last saw there. Empty if that is lost."""
        return read_record(self.seen_file) or {}

    def files(self) -> dict[str, str]:
        """What every file there is: its digest, and whether it may be executed; of a link, where it leads.

        What runs leave, when a person tries something out here, is nobody's edit.
        """
        found, tree = {}, str(self.last_seen.get("tree", ""))
        for path, status in walk(self.home.working, lambda _: True):
            if isinstance(status, OSError) or self.subject.is_written(path, tree):
                continue
            try:
                if stat.S_ISREG(status.st_mode):
                    mark = "*" if status.st_mode & 0o100 else ""
                    found[path] = self.cache.digest(f"{self.home.working}/{path}", status) + mark
                elif stat.S_ISLNK(status.st_mode):
                    found[path] = f"-> {os.readlink(self.home.working / path)}"
            except FileNotFoundError:
                continue  # an editor's own file, which is gone again
            except OSError:
                found[path] = "not readable"
        return found

    def note(self, tree: str, files: Mapping[str, str] | None = None, *, edit_of: int = 0) -> None:
        """Records what the folder holds now: this tree, or, with `edit_of=N`, the stored edit that becomes run N."""
        links = dict(self.subject.links(tree))
        record = {"tree": tree, "files": self.files() if files is None else files, "links": links, "edit_of": edit_of}
        write_record(self.seen_file, record, durable=False)

    def is_unedited(self, tree: str) -> bool:
        """Whether nobody has edited them since we put them there, whichever tree that was."""
        seen = self.last_seen
        if not seen:
            return self.is_at(tree)
        return not seen.get("edit_of") and seen.get("files") == self.files()

    def is_at(self, tree: str) -> bool:
        """Whether the working files are those of a tree."""
        return not self.other_than(tree)

    def other_than(self, tree: str) -> list[str]:
        """Which of the files that may change are not those of a tree."""
        wanted = self.subject.files(tree)
        return [path for path in {*wanted, *self.mutable_files()} if not self.holds(path, wanted.get(path))]

    def mutable_files(self) -> Iterator[str]:
        """The files there that a glob names."""
        for path, status in walk(self.home.working, lambda path: not is_left_out(path)):
            is_file = isinstance(status, os.stat_result) and not stat.S_ISDIR(status.st_mode)
            if is_file and self.subject.spec.may_change(path):
                yield path

    def holds(self, path: str, content: bytes | None) -> bool:
        """Whether a file has this content."""
        place = self.home.working / path
        return content is not None and place.is_file() and place.read_bytes() == content

    def settle(self, tree: str, number: int) -> None:
        """At a start, after so many runs: what a kill left, or a project that has moved, is put right. Edits stay."""
        seen = self.last_seen
        if not seen:
            return
        if seen["tree"]:
            self.renew_links(seen)
        is_judged = 0 < seen.get("edit_of", 0) <= number and self.last_seen["files"] == self.files()
        # where a kill came into a restore, what differs is half of ours and half of what was there before
        if seen.get("becoming") or is_judged or (seen["tree"] != tree and self.is_unedited(tree)):
            self.restore(tree)

    def renew_links(self, seen: dict[str, Any]) -> None:
        """What is only linked here, as the project is by now; a link that somebody else has changed stays."""
        before: Mapping[str, str] = seen.get("links", {})
        now = self.subject.links(seen["tree"])
        if before == now:
            return
        try:
            for path in sorted(before.keys() - {path for path in now if now[path] == before.get(path)}):
                remove_link(self.home.working, path, before[path])
            for path in sorted(now):
                put_link(self.home.working / path, now[path])
        except OSError as error:
            raise cannot_write(self.home.working, error) from error
        found = self.files()
        renewed = {path: found[path] for path in now if found.get(path) == f"-> {now[path]}"}
        kept = {path: mark for path, mark in seen["files"].items() if path in now or path not in before}
        write_record(self.seen_file, {**seen, "links": dict(now), "files": {**kept, **renewed}}, durable=False)

    def put_back(self, tree: str, number: int) -> None:
        """A stored edit, after the files had to be others for a while: its verdict is still to come."""
        self.subject.restore(tree, self.home.working)
        self.note(tree, edit_of=number)

    def follow(self, tree: str) -> None:
        """Back to a tree, unless that took so long the last time that it would hold up the runs. It is done later."""
        if (began := time.monotonic()) >= self.due_at:
            self.restore(tree)
            self.due_at = time.monotonic() + REST * (time.monotonic() - began)

    def restore(self, tree: str) -> None:
        """Back to a tree; an edit that we have not seen is set aside first."""
        seen, now = self.last_seen, self.files()
        if seen.get("files") == now and seen.get("tree") == tree:
            if seen.get("edit_of"):
                self.note(tree, now)
            return
        self.set_aside(self.unseen_files(tree, seen.get("files"), now))
        write_record(self.seen_file, {"tree": "", "files": {}, **seen, "becoming": tree}, durable=False)
        self.subject.restore(tree, self.home.working)
        self.note(tree)

    def unseen_files(self, tree: str, known: Mapping[str, str] | None, now: Mapping[str, str]) -> list[str]:
        """Files that we have not seen and that differ from what we are about to write."""
        wanted = self.subject.files(tree)
        if known:
            changed = [path for path in now if now[path] != known.get(path)]
        else:
            own = set(self.subject.paths(tree))
            extra = [path for path in now if path not in own and not now[path].startswith("-> ")]
            changed = [*self.other_than(tree), *extra]
        return [path for path in dict.fromkeys(changed) if path in now and not self.holds(path, wanted.get(path))]

    def set_aside(self, paths: list[str]) -> None:
        if not paths:
            return
        folder = unused_path(self.home.aside / time.strftime("%Y%m%dT%H%M%S", time.gmtime()))
        for path in paths:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.home.working / path, target, follow_symlinks=False)


def remove_link(folder: Path, path: str, target: str) -> None:
    """Takes a link of ours away; whatever else somebody has put there stays."""
    place = folder / path
    if not place.is_symlink() or os.readlink(place) != target:
        return
    place.unlink()


def put_link(place: Path, target: str) -> None:
    """Puts a link in its place, unless there is something else. Empty folders do not count."""
    if place.is_dir() and not place.is_symlink() and not any(names for _, _, names in os.walk(place)):
        shutil.rmtree(place)
    if os.path.lexists(place):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    os.symlink(target, place)
