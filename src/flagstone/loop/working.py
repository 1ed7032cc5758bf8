"""The working files of an experiment: what `step` evaluates, and what stands at the best between runs."""

from __future__ import annotations

import shutil
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.loop.git_layout import walk
from flagstone.loop.home import Home
from flagstone.loop.subject import Subject
from flagstone.records import DigestCache, read_record, write_record


@dataclass
class Working:
    """The folder and what we last saw in it, so that nobody's edit is overwritten unseen."""

    home: Home
    subject: Subject
    cache: DigestCache = field(default_factory=lambda: DigestCache(None))

    @property
    def seen_file(self) -> Path:
        return self.home.root / "state" / "working.json"

    def files(self) -> dict[str, str]:
        """The digest of every real file there."""
        found = {}
        for path, status in walk(self.home.working, lambda _: True):
            if not isinstance(status, OSError) and stat.S_ISREG(status.st_mode):
                found[path] = self.cache.digest(f"{self.home.working}/{path}", status)
        return found

    def note(self, tree: str) -> None:
        """Remembers what stands there now as known."""
        write_record(self.seen_file, {"tree": tree, "files": self.files()}, durable=False)

    def restore(self, tree: str) -> None:
        """Back to a tree; an edit that we have not seen is set aside first."""
        seen = read_record(self.seen_file) or {}
        now = self.files()
        if seen.get("files") == now and seen.get("tree") == tree:
            return
        if seen.get("files") not in (None, now):
            self.set_aside([path for path in now if now[path] != seen["files"].get(path)])
        self.subject.restore(tree, self.home.working)
        self.note(tree)

    def set_aside(self, paths: list[str]) -> None:
        folder = self.home.aside / time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        for path in paths:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.home.working / path, target)

    def is_at(self, tree: str) -> bool:
        """Whether the working files are those of a tree."""
        return all(
            (self.home.working / path).is_file() and (self.home.working / path).read_bytes() == content
            for path, content in self.subject.files(tree).items()
        )
