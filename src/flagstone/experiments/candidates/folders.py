"""Folders that anything may have been done to: walked, emptied and removed without following a link."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Container, Iterator
from pathlib import Path

from flagstone.processes import run_quietly

# what version control, tools and we ourselves keep beside the sources: part of no candidate
LEFT_OUT = frozenset(
    (".git", ".hg", ".svn", ".flagstone", ".autoresearch", ".snakemake", "__pycache__", ".pytest_cache", ".mypy_cache")
)


def is_left_out(path: str) -> bool:
    return path.endswith(".pyc") or bool(LEFT_OUT & set(path.split("/")))


def walk(folder: Path, enters: Callable[[str], bool]) -> Iterator[tuple[str, os.stat_result | OSError]]:
    """Everything below a folder, a folder before what is in it. Yields the error of what cannot be read."""
    waiting = [""]
    while waiting:
        above = waiting.pop()
        try:
            entries = entries_of(f"{folder}/{above}" if above else str(folder))
        except OSError as error:
            yield above, error
            continue
        for entry in entries:
            path = f"{above}/{entry.name}" if above else entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed while we looked
            except OSError as error:
                yield path, error
                continue
            yield path, status
            if stat.S_ISDIR(status.st_mode) and enters(path):
                waiting.append(path)


def everything_in(folder: Path) -> Iterator[tuple[str, os.stat_result | OSError]]:
    """Everything below a folder. No link is followed."""
    return walk(folder, lambda _: True)


def entries_of(folder: str | int) -> list[os.DirEntry[str]]:
    """What is in a folder, which a run may have closed to us; of an open one by its handle."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except PermissionError:
        os.chmod(folder, 0o700)
        with os.scandir(folder) as found:
            return list(found)


def open_folder(place: str) -> int:
    """A handle of a folder, which a run may have closed to us."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(place, flags)
    except PermissionError:
        os.chmod(place, 0o700)
        return os.open(place, flags)


def make_real_folder(folder: Path) -> None:
    """A folder in this place that is no link."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) != 0o755:  # a needless change would count as a touch
        folder.chmod(0o755)


def make_empty_folder(folder: Path, but: Container[str] = ()) -> None:
    """A folder in this place with nothing in it but what has these names."""
    make_real_folder(folder)
    for entry in entries_of(str(folder)):
        if entry.name not in but:
            remove(Path(entry.path), entry.stat(follow_symlinks=False))


def remove(place: Path, status: os.stat_result) -> None:
    """Removes whatever it is."""
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(place)
        return
    try:
        shutil.rmtree(place, onerror=unlock)
    except (OSError, RecursionError):
        # folders within folders without end: rm has no limit
        run_quietly(["chmod", "-R", "u+rwx", "--", str(place)], place.parent, 600)  # rm enters no closed folder
        code, _, output = run_quietly(["rm", "-rf", "--", str(place)], place.parent, 600)
        if code:
            raise OSError(0, output.decode("utf-8", "replace").strip()) from None


def unlock(remove_it: Callable[[str], object], path: str, _: object) -> None:
    """Removes what is in a folder that was made read-only. For `onerror` of `shutil.rmtree`."""
    os.chmod(os.path.dirname(path), 0o700)
    if os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
        shutil.rmtree(path)
    else:
        os.unlink(path)
