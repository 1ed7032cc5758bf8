"""File locks: who holds one, and what is said where there can be none."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.locks import hold, holder_of, lock_folder, sole_use


def test_the_second_caller_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "run" / ".lock"
    with hold(lock, "run attn"):
        with pytest.raises(FlagstoneError, match=f"run attn is in use by process {os.getpid()} on "):
            hold(lock, "run attn")
        assert (holder_of(lock) or {})["pid"] == os.getpid()
    assert holder_of(lock) is None
    hold(lock, "run attn").release()


def test_who_only_looks_at_a_lock_keeps_nobody_out_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / ".lock"
    hold(lock, "run attn").release()
    looking = os.open(lock, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("flagstone.locks.files.time.sleep", lambda _: os.close(looking))  # meanwhile the look ends
    hold(lock, "run attn").release()


def test_a_lock_of_another_host_is_not_taken_over(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({"pid": 7, "host": "elsewhere", "since": "2026-01-01T00:00:00Z"}))
    with pytest.raises(FlagstoneError, match="process 7 on elsewhere") as caught:
        hold(lock, "run attn")
    assert f"rm {lock}" in caught.value.hint


def test_files_and_folders_are_used_by_one_at_a_time(tmp_path: Path) -> None:
    paths = (tmp_path / "conversation" / "lock", tmp_path)
    with sole_use(*paths) as is_ours, sole_use(*paths, wait=False) as is_theirs:
        assert (is_ours, is_theirs) == (True, False)
    with sole_use(*paths, wait=False) as is_ours:
        assert is_ours


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named_in_two_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refused)
    lock = tmp_path / ".lock"
    for use in (lambda: hold(lock, "run attn"), sole_use(lock).__enter__, lock_folder(tmp_path / "all").__enter__):
        with pytest.raises(FlagstoneError) as caught:
            use()
        assert str(caught.value).splitlines()[0].startswith(f"cannot lock {tmp_path}")
        assert len(str(caught.value).splitlines()) == 2
    assert holder_of(lock) is None, "a run that lies there can still be looked at"
