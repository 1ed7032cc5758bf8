"""What counts as new: content that was not there before, or the stage's own files in a second turn."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from material import put, statuses, turn_of

from flagstone.artifacts import before as turn_module
from flagstone.artifacts.before import snapshot
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.records import DigestCache, digest_bytes

OWN = frozenset({"workspace/data/a.csv"})


def fresh(run: Run, turn: turn_module.TurnFacts) -> bool:
    found = statuses(run, "fresh-data", turn=turn)
    return found.get("data-fresh") == "passed"


def test_new_content_is_fresh(run: Run) -> None:
    turn = turn_of(run)
    put(run, "data/a.csv", "x\n1\n")
    assert fresh(run, turn)


def test_changed_content_is_fresh(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    turn = turn_of(run)
    put(run, "data/a.csv", "x\n2\n")
    assert fresh(run, turn)


def test_a_touched_copied_or_renamed_old_file_is_not_fresh(run: Run) -> None:
    path = put(run, "data/a.csv", "x\n1\n")
    turn = turn_of(run)
    os.utime(path)
    shutil.copy(path, run.workspace / "data" / "b.csv")
    path.rename(run.workspace / "data" / "c.csv")
    assert not fresh(run, turn)


@pytest.mark.parametrize("hiding_place", ["notes/a.csv", "data/.a.csv", "code/deep/er/a.bin"])
def test_content_that_lay_anywhere_in_the_workspace_is_not_fresh(run: Run, hiding_place: str) -> None:
    old = put(run, hiding_place, "x\n1\n")
    turn = turn_of(run)
    shutil.copy(old, run.workspace / "data" / "a.csv")
    assert not fresh(run, turn)


def test_a_future_date_does_not_make_a_file_fresh(run: Run) -> None:
    path = put(run, "data/a.csv", "x\n1\n")
    turn = turn_of(run)
    os.utime(path, (4e9, 4e9))
    assert not fresh(run, turn)


def test_a_refinement_may_keep_the_stages_own_files(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    assert fresh(run, turn_of(run, reason="refine", own=OWN))
    assert not fresh(run, turn_of(run, reason="refine"))


@pytest.mark.parametrize("reason", ["redo", "revise"])
def test_a_redo_must_write_its_files_again(run: Run, reason: str) -> None:
    path = put(run, "data/a.csv", "x\n1\n")
    turn = turn_of(run, reason=reason, own=OWN)
    assert not fresh(run, turn)
    path.unlink()
    put(run, "data/a.csv", "x\n1\n")
    assert fresh(run, turn)


def test_a_redo_does_not_make_other_peoples_files_fresh(run: Run) -> None:
    path = put(run, "data/b.csv", "x\n1\n")
    turn = turn_of(run, reason="redo", own=OWN)
    os.utime(path)
    assert not fresh(run, turn)


def test_a_start_never_counts_its_own_old_files(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    assert not fresh(run, turn_of(run, reason="start", own=OWN))


def test_work_from_before_an_interruption_still_counts_when_the_turn_goes_on(run: Run) -> None:
    turn = turn_of(run)
    put(run, "data/a.csv", "x\n1\n")
    assert fresh(run, turn) and fresh(run, turn)


def test_a_snapshot_holds_digests_and_marks_of_plain_files_only(run: Run, tmp_path: Path) -> None:
    path = put(run, "data/a.csv", "x\n1\n")
    os.mkfifo(run.workspace / "data" / "pipe")
    (run.workspace / "data" / "leak").symlink_to("/etc/hostname")
    (run.workspace / "data" / "loop").symlink_to("loop")
    (tmp_path / "outside").mkdir()
    (run.workspace / "code" / "out").symlink_to(tmp_path / "outside")
    put(run, "code/__pycache__/x.pyc", "x")
    digests, marks = snapshot(run, DigestCache(None))
    assert digests == {
        "workspace/data/a.csv": digest_bytes(b"x\n1\n"),
        "workspace/notes/plan.md": digest_bytes(b"the plan"),
    }
    status = path.stat()
    assert marks["workspace/data/a.csv"] == (status.st_ino, 4, status.st_mtime_ns, status.st_ctime_ns)


def test_a_workspace_of_too_many_files_is_told_to_the_user(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_module, "FILES_LIMIT", 3)
    for number in range(5):
        put(run, f"data/{number}.csv", "x")
    with pytest.raises(FlagstoneError, match="more than 3 files"):
        snapshot(run, DigestCache(None))


def test_protected_files_must_stay_as_they_were_approved(run: Run) -> None:
    put(run, "data/a.csv", "x\n1\n")
    put(run, "data/b.csv", "x\n1\n")
    approved = {f"workspace/data/{name}.csv": digest_bytes(b"x\n1\n") for name in "ab"}
    turn = turn_of(run, protected=approved)
    assert statuses(run, turn=turn)["approved-files-untouched"] == "passed"
    put(run, "data/a.csv", "x\n2\n")
    assert statuses(run, turn=turn)["approved-files-untouched"] == "failed"
    put(run, "data/a.csv", "x\n1\n")
    (run.workspace / "data" / "b.csv").unlink()
    assert statuses(run, turn=turn)["approved-files-untouched"] == "failed"
