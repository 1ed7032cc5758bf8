"""Objects of candidates: stored whole, by as many threads as want to, whatever a killed process left behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from flagstone.errors import WorkFailed
from flagstone.experiments.candidates.git.journal import Journal
from flagstone.experiments.candidates.git.recent import Recent
from flagstone.experiments.candidates.git.repository import Repository
from flagstone.experiments.candidates.git.store import Store

AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from flagstone.experiments.candidates.git.store import Store
os.setgroups([]); os.setgid(65534); os.setuid(65534)
there = Store(Path(sys.argv[1]))
sha = there.put(b"blob", b"an edit")
there.show_to_git()
for path in there.path_of(sha).parent.iterdir():
    path.rename(f"{there.path_of(sha)}.{os.getpid()}")
assert there.put(b"blob", b"an edit") == sha
print(there.content(sha).decode())
"""

AS_A_READER = """
import os, sys
from pathlib import Path
from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.git.store import Store
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Store(Path(sys.argv[1])).show_to_git()
except FlagstoneError as error:
    print(error.problem)
"""


@pytest.fixture
def made(tmp_path: Path) -> Store:
    found = Store(tmp_path / "candidates.git")
    found.make()
    return found


def test_threads_may_store_the_same_object_at_once(made: Store) -> None:
    start, failures = threading.Barrier(8), list[BaseException]()

    def put() -> None:
        try:
            start.wait(30)
            made.put(b"blob", b"an edit")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    made.show_to_git()
    (path,) = [path for path in made.root.rglob("*") if path.is_file() and "objects" in path.parts]
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_what_a_killed_process_left_keeps_nobody_from_storing() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        root = Path(name) / "candidates.git"
        Store(root).make()
        for folder in (root, *root.rglob("*")):
            folder.chmod(0o777)
        done = subprocess.run([sys.executable, "-c", AS_ANOTHER_USER, str(root)], capture_output=True, text=True)
        assert done.stdout == "an edit\n", done.stderr


def test_another_process_finds_what_was_stored_since_and_what_became_a_pack(made: Store) -> None:
    reader = Store(made.root)
    shas = [made.put(b"blob", b"edit %d" % number) for number in range(3)]
    assert [reader.content(sha) for sha in shas] == [b"edit 0", b"edit 1", b"edit 2"]
    made.pack()
    later = [made.put(b"blob", b"later %d, of another length" % number) for number in range(5)]
    reader.recent.rows.clear()
    assert reader.content(shas[1]) == b"edit 1"
    assert reader.content(later[4]) == b"later 4, of another length"
    assert b"later 3" in reader.repository.git("cat-file", "blob", later[3])


def test_what_a_kill_left_half_written_is_written_over(made: Store) -> None:
    first = made.put(b"blob", b"an edit")
    journal = made.root / "unpacked"
    with journal.open("ab") as stream:
        stream.write(journal.read_bytes()[:-1])
    again = Store(made.root)
    second = again.put(b"blob", b"another")
    assert Store(made.root).content(first) == b"an edit"
    assert Store(made.root).content(second) == b"another"
    assert journal.stat().st_size == again.unpacked_objects.end


def test_a_damaged_object_takes_none_of_those_after_it_along(made: Store) -> None:
    shas = [made.put(b"blob", b"edit %d" % number) for number in range(3)]
    journal = made.unpacked_objects.journal.path
    begin, _ = made.unpacked_objects.places[shas[1]]
    content = bytearray(journal.read_bytes())
    content[begin + 3] ^= 1
    journal.write_bytes(content)
    shas.append(Store(made.root).put(b"blob", b"edit 3"))
    assert [Store(made.root).content(shas[number]) for number in (0, 2, 3)] == [b"edit 0", b"edit 2", b"edit 3"]
    with pytest.raises(WorkFailed, match=f"object {shas[1]} is missing"):
        Store(made.root).content(shas[1])


def test_a_torn_loose_object_is_written_again(made: Store) -> None:
    sha = made.put(b"blob", b"an edit")
    made.show_to_git()
    made.path_of(sha).chmod(0o644)
    made.path_of(sha).write_bytes(b"")
    assert Store(made.root).repository.git("cat-file", "blob", sha) == b"an edit"


def test_a_reader_finds_what_came_after_a_pack_although_it_had_shown_all_it_knew(made: Store) -> None:
    reader = Store(made.root)
    made.put(b"blob", b"an edit")
    reader.show_to_git()
    made.pack()
    later = [made.put(b"blob", b"later %d, of another length" % number) for number in range(5)]
    assert reader.content(later[4]) == b"later 4, of another length"


def test_a_journal_may_become_a_pack_between_two_looks_of_a_reader(
    made: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = made.put(b"blob", b"an edit")
    known, unread = Store(made.root), Store(made.root)
    known.unpacked_objects.read()
    size = made.unpacked_objects.journal.size()
    made.pack()
    with monkeypatch.context() as earlier:
        earlier.setattr(Journal, "size", lambda _: size)
        assert known.unpacked_objects.find(sha) is None
        assert unread.unpacked_objects.find(sha) is None
    assert known.content(sha) == unread.content(sha) == b"an edit"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_who_may_only_read_is_told_that_the_store_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        there = Store(Path(name) / "candidates.git")
        there.make()
        there.put(b"blob", b"an edit")
        done = subprocess.run([sys.executable, "-c", AS_A_READER, str(there.root)], capture_output=True, text=True)
        assert "cannot write" in done.stdout, done.stderr


def test_many_small_objects_that_were_read_are_not_asked_of_git_again(
    made: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shas = [made.put(b"blob", b"object %d" % number) for number in range(400)]
    made.pack()
    reader = Store(made.root)
    assert len(reader.small_contents(shas, 1000)) == 400

    def ask(*_: object) -> None:
        raise AssertionError("git was asked again")

    monkeypatch.setattr(Repository, "git", ask)
    assert reader.small_contents(shas, 1000)[shas[0]] == b"object 0"


def test_what_is_remembered_weighs_no_more_than_it_may() -> None:
    recent: Recent[str, bytes] = Recent(10, len)
    for name, size in (("a", 4), ("b", 4), ("a", 5), ("c", 4)):
        recent.put(name, b"x" * size)
    assert (dict(recent.rows), recent.weight) == ({"a": b"x" * 5, "c": b"x" * 4}, 9)
