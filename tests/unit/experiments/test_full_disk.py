"""A disk that is full at any write: one clear reason, the best intact, and on it goes once there is space."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, set_x, whole

from flagstone.errors import FlagstoneError
from flagstone.records import Ledger

EDITS = {2: set_x(2.0), 3: set_x(9.0), 4: set_x(2.5)}
EXPECTED = [("r0001", "advance"), ("r0002", "advance"), ("r0003", "revert"), ("r0004", "advance")]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Laboratory]:
    """A laboratory on a disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)], capture_output=True)
    if mount.returncode:
        pytest.skip("only root may mount a small disk")
    yield Laboratory(folder / "here").make()
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, left: int) -> Path:
    """Leaves so many bytes on the disk."""
    ballast = folder / "ballast"
    with open(ballast, "wb") as stream:
        free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        stream.write(b"\0" * max(0, free - left))
    return ballast


def test_a_full_disk_stops_the_loop_with_one_reason_and_loses_nothing(small: Laboratory) -> None:
    small.run(Edits(EDITS), limit=1)
    best = small.home.best_record.read_bytes()
    for left in range(0, 180_000, 12_288):
        ballast = fill(small.folder, left)
        try:
            small.run(Edits(EDITS), limit=4 - len(small.entries()))
        except FlagstoneError as error:
            assert "No space left" in error.problem, error
        finally:
            ballast.unlink()
        if len(small.entries()) == 1:
            assert small.home.best_record.read_bytes() == best
        if len(small.entries()) == 4:
            break
    small.run(Edits(EDITS), limit=4 - len(small.entries()))
    assert [(each.run_id, each.verdict) for each in small.entries()] == EXPECTED
    assert not Ledger(small.home.ledger).problems()
    assert (small.home.working / "train.py").read_text() == (small.home.best / "source" / "train.py").read_text()


def test_a_run_that_fails_for_want_of_space_has_no_verdict(small: Laboratory) -> None:
    """It says nothing of the candidate: it is measured again once there is space."""
    flag = small.project / "fill"
    fill_it = """
import os, sys
if os.path.exists(FLAG):
    try:
        with open("big", "ab", buffering=0) as stream:
            while stream.write(b"0" * 4096):
                pass
    except OSError:
        os.truncate("big", os.path.getsize("big") - 40_000)  # there is room for our records, and for little else
        sys.exit(1)
"""
    source = f"{fill_it}print('val_loss: 1')\n".replace("FLAG", repr(str(flag)))
    small.run(Edits({}), limit=1)
    flag.touch()
    edits = Edits({2: whole(source)})
    with pytest.raises(FlagstoneError, match="No space left"):
        small.run(edits, limit=1)
    assert len(small.entries()) == 1
    flag.unlink()
    (small.home.root / "trees" / "0" / "big").unlink()
    small.run(edits, limit=1)
    assert small.words()[-1] == ("r0002", "ok", "advance")
    assert edits.asked == [2]
