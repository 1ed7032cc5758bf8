"""What a power cut leaves of candidates and of the best: only what was synced, and that is enough."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, killed_at, set_x

from flagstone.experiments.candidates.git import Batch, Store, store


class Syncs:
    """Every fsync: of which file or folder, and how large it was then."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.sync = os.fsync

    def __call__(self, handle: int) -> None:
        self.seen.append((os.readlink(f"/proc/self/fd/{handle}"), os.fstat(handle).st_size))
        self.sync(handle)

    def names(self) -> list[str]:
        return [Path(path).name for path, _ in self.seen]


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Syncs]:
    found = Syncs()
    monkeypatch.setattr(os, "fsync", found)
    yield found


@pytest.fixture
def made(tmp_path: Path) -> Store:
    found = Store(tmp_path / "candidates.git")
    found.make()
    return found


def take(into: Store, number: int) -> str:
    """One candidate: a file, its tree and its commit; the name of the file's object."""
    batch = Batch(into)
    blob = batch.put(b"blob", b"X = %d\n" % number)
    tree = batch.put(b"tree", b"100644 train.py\0" + bytes.fromhex(blob))
    batch.put_commit(tree, "", "a note", number)
    batch.write()
    return blob


def loose(there: Store) -> list[Path]:
    return [path for path in (there.root / "objects").glob("??/*") if path.is_file()]


def problems(there: Store) -> str:
    done = subprocess.run(["git", "fsck", "--full"], cwd=there.root, capture_output=True, text=True)
    return "\n".join(
        line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(("dangling", "notice"))
    )


def test_a_candidate_is_one_sync_of_all_its_bytes_and_the_folder_is_synced_when_the_file_is_new(
    made: Store, syncs: Syncs
) -> None:
    take(made, 1)
    assert syncs.names() == ["unpacked", "candidates.git"]
    take(made, 2)
    assert syncs.names()[2:] == ["unpacked"]
    assert syncs.seen[-1][1] == (made.root / "unpacked").stat().st_size


@pytest.mark.parametrize("damage", ["empty", "gone", "zeros"])
def test_objects_that_a_power_cut_took_are_there_for_us_and_for_git(made: Store, damage: str) -> None:
    blobs = [take(made, number) for number in range(5)]
    for path in loose(made):
        size = path.stat().st_size
        path.unlink()
        if damage != "gone":
            path.write_bytes(b"" if damage == "empty" else b"\0" * size)
    again = Store(made.root)
    assert [again.content(blob) for blob in blobs] == [b"X = %d\n" % number for number in range(5)]
    assert problems(again) == ""
    later = take(again, 9)
    assert Store(made.root).content(later) == b"X = 9\n"


@pytest.mark.parametrize("left", [1, 10, 23, 24, 40])
def test_a_journal_that_was_cut_off_is_gone_on_with(made: Store, left: int) -> None:
    first = take(made, 1)
    whole = (made.root / "unpacked").stat().st_size
    take(made, 2)
    os.truncate(made.root / "unpacked", whole + left)
    again = Store(made.root)
    third = take(again, 3)
    for path in loose(made):
        path.unlink()
    last = Store(made.root)
    assert (last.content(first), last.content(third)) == (b"X = 1\n", b"X = 3\n")
    assert problems(last) == ""


def test_a_hundred_candidates_become_one_pack(made: Store) -> None:
    blobs = [take(made, number) for number in range(store.PACKED_AT // 3)]
    assert loose(made) == [] and not (made.root / "unpacked").exists()
    assert len(list((made.root / "objects" / "pack").glob("*.pack"))) == 1
    assert Store(made.root).content(blobs[7]) == b"X = 7\n"
    assert problems(made) == ""


def test_a_kill_at_any_moment_of_packing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PACKED_AT", 9)
    for moment in range(1, 60):
        there = Store(tmp_path / f"moment-{moment}")
        there.make()
        blobs = [take(there, number) for number in (1, 2)]
        was_killed = killed_at(moment, lambda here=there: take(here, 3))  # type: ignore[misc]
        again = Store(there.root)
        assert [again.content(blob) for blob in blobs] == [b"X = 1\n", b"X = 2\n"]
        assert again.content(take(again, 3)) == b"X = 3\n"
        assert problems(again) == ""
        if not was_killed:
            return
    pytest.fail("it never came to its end")


def test_a_journal_on_a_full_disk_is_as_it_was(made: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = take(made, 1)
    size = (made.root / "unpacked").stat().st_size

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left"):
        take(made, 2)
    monkeypatch.undo()
    assert (made.root / "unpacked").stat().st_size == size
    second = take(made, 2)
    assert (Store(made.root).content(first), Store(made.root).content(second)) == (b"X = 1\n", b"X = 2\n")


def test_the_new_best_is_synced_before_anything_that_rests_on_it(laboratory: Laboratory, syncs: Syncs) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0)}), limit=1)
    before = len(syncs.seen)
    laboratory.run(Edits({2: set_x(2.0)}), limit=1)
    names = syncs.names()[before:]
    home = laboratory.home.root.name
    assert names.index("unpacked") < names.index("ledger.jsonl") < names.index(home)


def test_writing_through_the_link_to_the_best_record_is_put_right(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    record = laboratory.home.best_record
    right = record.read_bytes()
    assert record.is_symlink()
    record.write_bytes(right.replace(b"1.5", b"0.1"))  # goes through the link
    assert record.is_symlink() and record.read_bytes() != right
    laboratory.run(Edits({3: set_x(9.0)}), limit=1)
    assert record.read_bytes() == right
