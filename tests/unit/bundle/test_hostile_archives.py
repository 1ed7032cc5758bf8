"""Tests that a hostile archive is refused before anything of it is written, and costs bounded work."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flagstone.bundle import verify_bundle
from flagstone.bundle.verification import opening
from flagstone.errors import WorkFailed

Write = Callable[[zipfile.ZipFile], object]


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("link")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def huge(archive: zipfile.ZipFile) -> None:
    with archive.open(zipfile.ZipInfo("huge"), "w", force_zip64=True) as stream:
        stream.write(b"x")
    archive.infolist()[-1].file_size = 10_000_000_000


def twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("brief.md", "a question")
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("brief.md", "another question")


def below_a_file(archive: zipfile.ZipFile) -> None:
    archive.writestr("paper", "x")
    archive.writestr("paper/facts.json", "x")


ARCHIVES: dict[str, tuple[Write, str]] = {
    "above": (lambda archive: archive.writestr("../evil", "x"), r"\.\./evil is not a path below a folder"),
    "absolute": (lambda archive: archive.writestr("/evil", "x"), "/evil is not a path below a folder"),
    "backslash": (lambda archive: archive.writestr("..\\evil", "x"), "is not a path below a folder"),
    "folder": (lambda archive: archive.writestr("empty/", ""), "is not a path below a folder"),
    "control characters": (lambda archive: archive.writestr("a\x1b[2Jb", "x"), "is not a name that a bundle has"),
    "hook": (lambda archive: archive.writestr("trials/a/trees.git/hooks/post-checkout", "x"), "git would act on"),
    "settings of git": (lambda archive: archive.writestr("workspace/.git/config", "x"), "git would act on"),
    "link": (link, "link is a link or a device"),
    "huge": (huge, "huge is larger than|more than is free"),
    "twice": (twice, "brief.md is in it twice"),
    "below a file": (below_a_file, "paper/facts.json is below a file"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_is_refused_before_anything_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, message = ARCHIVES[name]
    with zipfile.ZipFile(tmp_path / "hostile.zip", "w") as archive:
        archive.writestr("README.md", "harmless")
        write(archive)
    monkeypatch.setattr(opening, "extract", lambda *_: pytest.fail("something was written"))
    with pytest.raises(WorkFailed, match=message):
        list(verify_bundle(tmp_path / "hostile.zip"))
    assert os.listdir(tmp_path) == ["hostile.zip"]


def test_a_file_that_holds_more_than_it_says_ends_the_unpacking(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 50_000_000)
    content = bytearray(bomb.read_bytes())
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(signature) + place, 1000)
    bomb.write_bytes(content)
    with pytest.raises(WorkFailed, match="cannot be unpacked"):
        list(verify_bundle(bomb))


def test_what_is_no_archive_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "paper.zip").write_bytes(b"%PDF-1.5\n" * 100)
    with pytest.raises(WorkFailed, match=r"paper\.zip cannot be unpacked"):
        list(verify_bundle(tmp_path / "paper.zip"))
