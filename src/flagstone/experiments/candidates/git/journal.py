"""Objects that are in no pack yet, one after the other in a file that is synced once a candidate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.experiments.candidates.git.objects import is_object, write_all
from flagstone.records import sync_folder

NAME_BYTES, HEAD_BYTES = 20, 24


@dataclass(frozen=True)
class Journal:
    """Each object with its name, its length, and the content of its loose file."""

    path: Path

    def append(self, rows: Sequence[tuple[str, bytes]]) -> None:
        """Durable when this returns; all of them or none."""
        if not rows:
            return
        content = b"".join(bytes.fromhex(sha) + len(loose).to_bytes(4) + loose for sha, loose in rows)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            size = os.fstat(handle).st_size
            try:
                write_all(handle, content)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if size == 0:
            sync_folder(self.path.parent)

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """Every object. Cuts off what a kill left half written."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        start = 0
        while start < len(content):
            name, length = content[start : start + NAME_BYTES], content[start + NAME_BYTES : start + HEAD_BYTES]
            end = start + HEAD_BYTES + int.from_bytes(length)
            loose = content[start + HEAD_BYTES : end]
            if end > len(content) or not is_object(name.hex(), loose):
                with suppress(OSError):
                    os.truncate(self.path, start)
                return
            yield name.hex(), loose
            start = end
