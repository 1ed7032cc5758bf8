"""Bubblewrap: a process tree in a view of its own, which is read-only outside its grant and ends as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "bwrap"
SHARED = "/dev/shm/"
CLOSED = ("--unshare-pid", "--unshare-ipc", "--die-with-parent", "--cap-drop", "ALL")


@dataclass(frozen=True)
class SandboxView:
    """What a process tree sees: what it may change, what is hidden from it, whether it has a network."""

    cwd: Path
    writable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    visible: tuple[Path, ...] = ()
    copies: tuple[tuple[Path, Path], ...] = ()
    devices: tuple[str, ...] = ()
    network: bool = True
    started: int | None = None  # a handle to which bubblewrap writes how the program ended, if it could start it


def prefix(view: SandboxView) -> tuple[str, ...]:
    """The words before a program's own. Deeper folders are mounted later, so that they win."""
    # read-only throughout: Landlock cannot refuse chmod, chown and utimes, a read-only mount does
    argv = [shutil.which(PROGRAM) or PROGRAM, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    if os.getuid() == 0:
        argv += ["--ro-bind", "/proc/sys", "/proc/sys"]
    for device in view.devices:
        argv += ["--dev-bind-try", device, device]
    copies = {("--bind", str(copy), str(own)) for copy, own in view.copies}
    visible = {("--ro-bind", str(path), str(path)) for path in view.visible}
    mounts = (*shared_memory_binds(view), *visible, *writable_binds(view.writable), *hiding_binds(view.hidden), *copies)
    for words in sorted(mounts, key=lambda words: Path(words[-1]).parts):
        argv += words
    argv += CLOSED
    argv += () if view.network else ("--unshare-net",)
    argv += () if view.started is None else ("--json-status-fd", str(view.started))
    return (*argv, "--chdir", str(view.cwd), "--")


def writable_binds(writable: Iterable[Path]) -> set[tuple[str, ...]]:
    """Folders stay writable. Of a file the folder does: programs write by renaming, which a mounted file refuses."""
    folders = {str(path if path.is_dir() else path.parent) for path in writable}
    return {("--bind", each, each) for each in folders if each.startswith(SHARED) or not each.startswith("/dev/")}


def shared_memory_binds(view: SandboxView) -> set[tuple[str, ...]]:
    """What somebody keeps in shared memory, such as a whole project, is not in the /dev that the tree gets."""
    named = (os.fspath(path) for path in (view.cwd, *view.writable))
    tops = {SHARED + path.removeprefix(SHARED).partition("/")[0] for path in named if path.startswith(SHARED)}
    return {("--ro-bind", top, top) for top in tops}


def hiding_binds(hidden: Iterable[Path]) -> set[tuple[str, ...]]:
    """A hidden folder looks empty; a hidden file cannot be opened."""
    covers: set[tuple[str, ...]] = set()
    for path in hidden:
        if path.is_dir():
            covers.add(("--tmpfs", str(path)))
        elif path.exists():
            covers.add(("--ro-bind", os.devnull, str(path)))
    return covers
