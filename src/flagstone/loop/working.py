"""The working files of an experiment: what `step` evaluates, and what stands at the best between runs."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.loop.git_layout import walk
from flagstone.loop.home import Home, unused
from flagstone.loop.subject import Subject
from flagstone.records import DigestCache, cannot_write, read_record, write_record


@dataclass
class Working:
    """The folder and what we last saw in it, so that nobody's edit is overwritten unseen."""

    home: Home
    subject: Subject
    cache: DigestCache = field(default_factory=lambda: DigestCache(None))

    @property
    def seen_file(self) -> Path:
        return self.home.root / "state" / "working.json"

    @property
    def seen(self) -> dict[str, Any]:
        """What we last saw there; nothing where that is lost."""
        return read_record(self.seen_file) or {}

    def files(self) -> dict[str, str]:
        """What every file there is: its digest, and whether it may be executed; of a link, where it leads."""
        found = {}
        for path, status in walk(self.home.working, lambda _: True):
            if isinstance(status, OSError):
                continue
            if stat.S_ISREG(status.st_mode):
                mark = "*" if status.st_mode & 0o100 else ""
                found[path] = self.cache.digest(f"{self.home.working}/{path}", status) + mark
            elif stat.S_ISLNK(status.st_mode):
                found[path] = f"-> {os.readlink(self.home.working / path)}"
        return found

    def note(self, tree: str, *, is_edit: bool = False) -> None:
        """Remembers what stands there now as known: a tree we put there, or an edit that was stored as this tree."""
        links = dict(self.subject.links(tree))
        told = {"tree": tree, "files": self.files(), "links": links, "is_edit": is_edit}
        write_record(self.seen_file, told, durable=False)

    def is_unedited(self, tree: str) -> bool:
        """Whether nobody has edited them since we put them there, whichever tree that was."""
        seen = self.seen
        if not seen:
            return self.is_at(tree)
        return not seen.get("is_edit") and seen.get("files") == self.files()

    def is_at(self, tree: str) -> bool:
        """Whether the working files are those of a tree."""
        return not self.other_than(tree)

    def other_than(self, tree: str) -> list[str]:
        """Which of the files that may change are not those of a tree."""
        wanted = self.subject.files(tree)
        return [
            path
            for path in {*wanted, *self.subject.mutable_in(self.home.working)}
            if not self.holds(path, wanted.get(path))
        ]

    def holds(self, path: str, content: bytes | None) -> bool:
        """Whether a file has this content."""
        place = self.home.working / path
        return content is not None and place.is_file() and place.read_bytes() == content

    def settle(self, tree: str) -> None:
        """At a start: after a kill, or in a project that has moved or changed, they are put right. Edits stay."""
        seen = self.seen
        if not seen:
            return
        if seen["tree"]:
            self.renew_links(seen)
        # where a kill came into a restore, what differs is half of ours and half of what was there before
        if seen.get("becoming") or (seen["tree"] != tree and self.is_unedited(tree)):
            self.restore(tree)

    def renew_links(self, seen: dict[str, Any]) -> None:
        """What is only linked here, as the project is by now; a link that somebody else has changed stays."""
        before: Mapping[str, str] = seen.get("links", {})
        now = self.subject.links(seen["tree"])
        if before == now:
            return
        try:
            for path in {*before, *now}:
                renew_link(self.home.working / path, before.get(path), now.get(path))
        except OSError as error:
            raise cannot_write(self.home.working, error) from error
        found = self.files()
        renewed = {path: found[path] for path in now if found.get(path) == f"-> {now[path]}"}
        kept = {path: told for path, told in seen["files"].items() if path in now or path not in before}
        write_record(self.seen_file, {**seen, "links": dict(now), "files": {**kept, **renewed}}, durable=False)

    def restore(self, tree: str) -> None:
        """Back to a tree; an edit that we have not seen is set aside first."""
        seen, now = self.seen, self.files()
        if seen.get("files") == now and seen.get("tree") == tree:
            if seen.get("is_edit"):
                self.note(tree)
            return
        known, wanted = seen.get("files"), self.subject.files(tree)
        changed = [path for path in now if now[path] != known.get(path)] if known else self.other_than(tree)
        self.set_aside([path for path in changed if path in now and not self.holds(path, wanted.get(path))])
        write_record(self.seen_file, {"tree": "", "files": {}, **seen, "becoming": tree}, durable=False)
        self.subject.restore(tree, self.home.working)
        self.note(tree)

    def set_aside(self, paths: list[str]) -> None:
        if not paths:
            return
        folder = unused(self.home.aside / time.strftime("%Y%m%dT%H%M%S", time.gmtime()))
        for path in paths:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.home.working / path, target, follow_symlinks=False)


def renew_link(place: Path, before: str | None, now: str | None) -> None:
    """Puts a link in its place, or takes it away, unless something else than ours stands there."""
    if before == now:
        return
    is_ours = place.is_symlink() and os.readlink(place) == before
    if os.path.lexists(place) and not is_ours:
        return
    if is_ours:
        place.unlink()
    if now is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(now, place)
