"""Private copies of the folders in which a CLI keeps its login, its settings and its conversations."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# a login and settings are small and near the top; old conversations of a person's can be gigabytes
LARGEST, MOST_BYTES = 5_000_000, 100_000_000
Copy = tuple[Path, Path]  # the copy, and the folder in whose place the CLI sees it


@contextmanager
def lend_state(names: Iterable[str], folder: Path) -> Iterator[tuple[Copy, ...]]:
    """Copies each folder for one call: what an agent writes there, the person's own CLI never reads.

    Afterwards only what is new stays, for the next call of the conversation. Whatever the person has too, such as a
    login, is removed, and copied again for that call.
    """
    copies = []
    for number, name in enumerate(names):
        own = Path(os.path.realpath(os.path.expanduser(name)))
        if own.is_dir():
            copies.append((folder / "state" / str(number), own))
    for copy, own in copies:
        copy_folder(own, copy)
    try:
        yield tuple(copies)
    finally:
        for copy, own in copies:
            remove_lent(own, copy)


def copy_folder(own: Path, copy: Path) -> None:
    """Copies small files and links, those near the top first. Leaves out sockets, and what cannot be read."""
    left = MOST_BYTES
    for place, _, names in os.walk(own):
        target = copy / os.path.relpath(place, own)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            source = Path(place, name)
            with suppress(OSError):
                status = source.lstat()
                is_plain = stat.S_ISREG(status.st_mode) and status.st_size <= min(LARGEST, left)
                if is_plain or stat.S_ISLNK(status.st_mode):
                    (target / name).unlink(missing_ok=True)
                    shutil.copy2(source, target / name, follow_symlinks=False)
                    left -= status.st_size


def remove_lent(own: Path, copy: Path) -> None:
    for place, _, names in os.walk(own):
        for name in names:
            with suppress(OSError):
                (copy / os.path.relpath(place, own) / name).unlink()
