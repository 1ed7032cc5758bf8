"""The kernel tells of every way in which something below a folder can be written."""

from __future__ import annotations

import mmap
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flagstone.records import FolderWatch, watch


def map_and_write(folder: Path) -> None:
    with open(folder / "file", "r+b") as stream, mmap.mmap(stream.fileno(), 0) as content:
        content[0:1] = b"X"


def write_in_place(folder: Path) -> None:
    with open(folder / "file", "r+b", buffering=0) as stream:
        stream.write(b"X")


WRITES: dict[str, Callable[[Path], object]] = {
    "in place": write_in_place,
    "through memory": map_and_write,
    "cut": lambda folder: os.truncate(folder / "file", 1),
    "mode": lambda folder: (folder / "file").chmod(0o600),
    "mode of the folder": lambda folder: folder.chmod(0o700),
    "time": lambda folder: os.utime(folder / "file"),
    "new file": lambda folder: (folder / "new").touch(),
    "new folder": lambda folder: (folder / "new").mkdir(),
    "new link": lambda folder: (folder / "new").symlink_to("file"),
    "second name": lambda folder: os.link(folder / "file", folder / "new"),
    "gone": lambda folder: (folder / "file").unlink(),
    "moved away": lambda folder: (folder / "file").rename(folder.parent / "elsewhere"),
    "moved here": lambda folder: (folder.parent / "other").rename(folder / "new"),
    "the folder is gone": lambda folder: subprocess.run(["rm", "-rf", folder], check=True),
    "by another process": lambda folder: subprocess.run(["sh", "-c", "echo >> file"], cwd=folder, check=True),
}


def watched_folder(tmp_path: Path) -> tuple[Path, FolderWatch]:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    (folder / "file").write_text("content")
    (tmp_path / "other").touch()
    found = FolderWatch()
    found.add(str(folder), "its name")
    return folder, found


@pytest.mark.parametrize("how", WRITES)
def test_every_write_is_told_of_and_stays_told(tmp_path: Path, how: str) -> None:
    folder, found = watched_folder(tmp_path)
    assert not found.is_touched()
    WRITES[how](folder)
    assert found.is_touched()
    assert found.is_touched()


def test_one_begins_again_and_is_told_of_what_comes_then(tmp_path: Path) -> None:
    folder, found = watched_folder(tmp_path)
    (folder / "file").write_text("more")
    found.add(str(folder / "not there"))
    assert found.is_touched()
    found.begin_again()
    found.add(str(folder))
    assert not found.is_touched()
    (folder / "file").write_text("less")
    assert found.is_touched()


ONLY_CONTENT = ("in place", "through memory", "cut", "mode", "time", "by another process")


@pytest.mark.parametrize("how", WRITES)
def test_a_folder_is_named_in_which_content_was_written_and_none_if_more_was_done(tmp_path: Path, how: str) -> None:
    folder, found = watched_folder(tmp_path)
    WRITES[how](folder)
    assert found.folders_written() == ({"its name"} if how in ONLY_CONTENT else None)
    assert found.folders_written() == (set() if how in ONLY_CONTENT else None)


def test_more_writes_than_the_kernel_keeps_count_as_anything(tmp_path: Path) -> None:
    folder, found = watched_folder(tmp_path)
    (folder / "second").touch()
    found.begin_again()
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(most + 10):
        os.utime(folder / ("file", "second")[number % 2])
    assert found.folders_written() is None


def test_looking_is_no_touch(tmp_path: Path) -> None:
    folder, found = watched_folder(tmp_path)
    (folder / "file").read_text()
    os.listdir(folder)
    os.lstat(folder / "file")
    (tmp_path / "beside").touch()
    folder.rename(tmp_path / "moved")
    assert not found.is_touched()


def test_what_cannot_be_watched_counts_as_touched(tmp_path: Path) -> None:
    folder, found = watched_folder(tmp_path)
    found.add(str(folder / "not there"))
    assert found.is_touched()
    (tmp_path / "link").symlink_to(folder)
    through_link = FolderWatch()
    through_link.add(str(tmp_path / "link"))
    assert through_link.is_touched()


def test_where_the_kernel_tells_nothing_everything_counts_as_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "has_inotify", lambda: False)
    assert FolderWatch().is_touched()


def test_a_watch_that_nobody_needs_gives_its_handle_back(tmp_path: Path) -> None:
    handles = "/proc/self/fd"
    _, found = watched_folder(tmp_path)
    before = len(os.listdir(handles))
    del found
    assert len(os.listdir(handles)) == before - 1
