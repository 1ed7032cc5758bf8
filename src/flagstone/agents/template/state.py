"""Private copies of the folders in which a CLI keeps its login, its settings and its conversations."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
    """Copies files and links. Sockets and pipes, and what cannot be read, are left out."""
    for place, _, names in os.walk(own):
        target = copy / os.path.relpath(place, own)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            source = Path(place, name)
            if source.is_symlink() or source.is_file():
                (target / name).unlink(missing_ok=True)
                with suppress(OSError):
                    shutil.copy2(source, target / name, follow_symlinks=False)


def remove_lent(own: Path, copy: Path) -> None:
    for place, _, names in os.walk(own):
        for name in names:
            with suppress(OSError):
                (copy / os.path.relpath(place, own) / name).unlink()
