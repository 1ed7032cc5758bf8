"""Objects that are in no pack yet, one after the other in a file that is synced once a candidate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.candidates.git.objects import is_object, write_all
from flagstone.records import sync_folder

NAME_BYTES, HEAD_BYTES = 20, 24


@dataclass(frozen=True)
class Journal:
    """Each object with its name, its length, and the content of its loose file."""

    path: Path

    def append(self, rows: Sequence[tuple[str, bytes]], end: int) -> None:
        """Durable when this returns; all of them or none. Writes over what a kill left half written behind `end`."""
        if not rows:
            return
        content = b"".join(bytes.fromhex(sha) + len(loose).to_bytes(4) + loose for sha, loose in rows)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            if os.fstat(handle).st_size > end:
                os.ftruncate(handle, end)
            try:
                write_all(handle, content)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, end)
                raise
        finally:
            os.close(handle)
        if end == 0:
            sync_folder(self.path.parent)

    def size(self) -> int:
        try:
            return os.stat(self.path).st_size
        except FileNotFoundError:
            return 0

    def places(self, start: int) -> Iterator[tuple[str, int, int]]:
        """The name of each whole object from there on, and where its content begins and ends."""
        with suppress(FileNotFoundError), open(self.path, "rb") as stream:  # it may become a pack at any time
            stream.seek(start)
            while len(head := stream.read(HEAD_BYTES)) == HEAD_BYTES:
                name, length = head[:NAME_BYTES].hex(), int.from_bytes(head[NAME_BYTES:])
                start += HEAD_BYTES + length
                if is_object(name, stream.read(length)):  # a damaged one takes none of those after it along
                    yield name, start - length, start

    def content(self, begin: int, end: int) -> bytes:
        with suppress(FileNotFoundError), open(self.path, "rb") as stream:
            stream.seek(begin)
            return stream.read(end - begin)
        return b""


@dataclass
class Unpacked:
    """Which objects a journal has, as far as it was read. `shown` of them are loose files too."""

    journal: Journal
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    end: int = 0
    shown: int = 0

    def read(self) -> None:
        """Takes up what was appended since; all of it again, if the journal has become a pack meanwhile."""
        size = self.journal.size()
        if size < self.end:
            self.places, self.end, self.shown = {}, 0, 0
        if size > self.end:
            for name, begin, end in self.journal.places(self.end):
                self.places[name], self.end = (begin, end), end

    def find(self, sha: str) -> bytes | None:
        """The content of the loose file of an object; None if the journal does not have it."""
        self.read()
        for _ in range(2):
            if sha not in self.places:
                return None
            content = self.journal.content(*self.places[sha])
            if is_object(sha, content):
                return content
            # another process has packed the journal and begun the next
            self.places, self.end, self.shown = {}, 0, 0
            self.read()
        return None
