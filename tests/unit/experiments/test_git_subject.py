"""A git work tree as a subject: candidates are commits, runs see exactly one tree, the checkout is only read."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from checkouts import FILES, Beside, git, put, what_stands

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import last_seen
from flagstone.experiments.candidates.git import trees
from flagstone.experiments.candidates.git.store import Store
from flagstone.experiments.candidates.subject import subject_of


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path).make()


def names(found: dict[str, tuple[int, str]]) -> set[str]:
    return set(found)


def test_the_base_is_the_last_commit_laid_out_byte_for_byte(beside: Beside) -> None:
    found = beside.laid_out(beside.base.tree)
    assert {path: told for path, (mode, told) in found.items() if stat.S_ISREG(mode)} == FILES
    assert found["eval.sh"][0] & 0o777 == 0o755
    assert found["src/model.py"][0] & 0o777 == 0o644
    assert beside.base.commit == git(beside.checkout, "rev-parse", "HEAD")


def test_a_whole_life_changes_nothing_in_the_checkout(beside: Beside) -> None:
    put(beside.checkout, "data/x.bin", "data")
    put(beside.checkout, "README.md", "hello, edited")
    told = git(beside.checkout, "status", "--porcelain", "--ignored")
    before = what_stands(beside.checkout)
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    taken = beside.take()
    beside.laid_out(taken.tree)
    beside.subject.diff(beside.base.tree, taken.tree)
    beside.subject.files(taken.tree)
    beside.subject.notices(beside.base)
    beside.subject.restore(beside.base.tree, beside.home.working)
    assert what_stands(beside.checkout) == before
    assert git(beside.checkout, "status", "--porcelain", "--ignored") == told


def test_an_uncommitted_edit_of_what_may_change_is_refused(beside: Beside) -> None:
    put(beside.checkout, "src/model.py", "lr = 5\n")
    with pytest.raises(FlagstoneError) as raised:
        beside.subject.base()
    assert "src/model.py" in raised.value.problem
    assert "git stash" in raised.value.hint


def test_other_uncommitted_edits_are_told_of(beside: Beside) -> None:
    put(beside.checkout, "README.md", "edited")
    put(beside.checkout, "src/new.py", "new")
    assert beside.subject.notices(beside.base) == (
        "not committed, so not part of the experiment: README.md",
        "not committed, but part of every run and of the branch of the best: src/new.py",
    )


def test_globs_that_no_committed_file_matches_are_refused(beside: Beside) -> None:
    with pytest.raises(FlagstoneError, match="no committed file"):
        beside.varied(mutable=("lib/*.py",)).subject.base()


def test_an_edit_becomes_a_commit_on_its_parent(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    put(draft, "src/added/new.py", "new = 1\n")
    (draft / "src/deep/er.py").unlink()
    taken = beside.take()
    assert taken.violations == ()
    assert taken.changed == ("src/added/new.py", "src/deep/er.py", "src/model.py")
    beside.subject.store.show_to_git()
    own = beside.home.candidates
    assert git(own, "rev-parse", f"{taken.commit}^{{tree}}") == taken.tree
    assert git(own, "rev-parse", f"{taken.commit}^") == beside.base.commit
    assert git(own, "log", "-1", "--format=%B", taken.commit) == "a note"
    found = beside.laid_out(taken.tree)
    assert found["src/added/new.py"][1] == "new = 1\n"
    assert "src/deep" not in found


def test_a_tree_is_named_as_git_itself_names_it(beside: Beside) -> None:
    put(beside.checkout, "src.py", "sorts between")
    put(beside.checkout, "src-a", "and so does this")
    beside.commit()
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    put(draft, "src/b/c/d.py", "d\n")
    taken = beside.take()
    put(beside.checkout, "src/model.py", "lr = 2\n")
    put(beside.checkout, "src/b/c/d.py", "d\n")
    beside.commit()
    assert taken.tree == git(beside.checkout, "rev-parse", "HEAD^{tree}")


def test_equal_edits_have_equal_commits(beside: Beside, tmp_path: Path) -> None:
    put(beside.begin(), "src/model.py", "lr = 2\n")
    first = beside.take()
    other = subject_of(beside.subject.spec, Store(tmp_path / "other" / "candidates.git"))
    base = other.base()
    other.lay_out(base.tree, tmp_path / "other" / "draft")
    put(tmp_path / "other" / "draft", "src/model.py", "lr = 2\n")
    assert other.take(tmp_path / "other" / "draft", base, "a note", 1) == first
    assert beside.take(number=2).commit != first.commit


def test_a_note_of_any_kind_is_stored(beside: Beside) -> None:
    beside.begin()
    taken = beside.subject.take(beside.draft, beside.base, "tab\t\nline 😀 \0 \udcff" + "x" * 100_000, 1)
    beside.subject.store.show_to_git()
    stored = git(beside.home.candidates, "cat-file", "commit", taken.commit)
    assert "tab\t\nline 😀" in stored
    assert "\0" not in stored
    assert 20_000 < len(stored) < 30_000


def test_an_edit_right_after_the_layout_is_seen_even_if_size_and_time_are_the_same(beside: Beside) -> None:
    draft = beside.begin()
    was = os.stat(draft / "src/model.py")
    put(draft, "src/model.py", "lr = 2\n")
    os.utime(draft / "src/model.py", ns=(was.st_atime_ns, was.st_mtime_ns))
    assert beside.take().changed == ("src/model.py",)


def test_what_was_written_just_before_the_look_is_not_relied_on(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    status, blob = os.stat(path), trees.Blob("100644", "0" * 40)
    known = last_seen.LastSeen(None)
    known.note("file", status, blob, status.st_ctime_ns + last_seen.STEP_NS)
    assert [name for name, _ in known.touched_in(tmp_path, lambda _: True)] == ["file"]
    known.note("file", status, blob, status.st_ctime_ns + last_seen.STEP_NS + 1)
    known.look = None
    assert not list(known.touched_in(tmp_path, lambda _: True))
    assert [name for name, _ in known.differences(tmp_path, {"file": blob}, lambda _: True)] == []
    other = {"file": trees.Blob("100755", "0" * 40)}
    assert [name for name, _ in known.differences(tmp_path, other, lambda _: True)] == ["file"]


def test_an_edit_of_a_file_that_is_relied_on_is_seen(beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_seen, "STEP_NS", -(10**15))
    place = beside.begin() / "eval.sh"
    was = os.stat(place)
    while os.stat(place).st_ctime_ns == was.st_ctime_ns:
        place.write_text(FILES["eval.sh"].replace("1", "9"))
        os.utime(place, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert os.stat(place).st_ino == was.st_ino
    assert beside.take().violations == ("eval.sh was changed, and is outside what may change",)
    beside.subject.lay_out(beside.base.tree, beside.draft)
    assert place.read_text() == FILES["eval.sh"]


def test_a_touch_is_no_edit(beside: Beside) -> None:
    draft = beside.begin()
    for path in FILES:
        os.utime(draft / path)
    taken = beside.take()
    assert (taken.tree, taken.changed, taken.violations) == (beside.base.tree, (), ())


def test_data_of_the_checkout_is_seen_through_links_and_is_no_part_of_a_candidate(beside: Beside) -> None:
    put(beside.checkout, "data/x.bin", "data")
    put(beside.checkout, "src/weights.log", "ignored, beside the sources")
    put(beside.checkout, "notes.txt", "untracked at the top")
    put(beside.checkout, "src/untracked.py", "untracked further down")
    put(beside.checkout, "build/out", "leftover")
    put(beside.checkout, "src/__pycache__/m.pyc", "leftover")
    draft = beside.begin()
    assert (draft / "data/x.bin").read_text() == "data"
    links = {path for path, (mode, _) in what_stands(draft).items() if stat.S_ISLNK(mode)}
    assert links == {"data", "notes.txt", "src/weights.log"}
    assert (draft / "src/untracked.py").read_text() == "untracked further down"
    assert not (draft / "src/untracked.py").is_symlink()
    put(draft, "src/model.py", "lr = 2\n")
    taken = beside.take()
    assert (taken.changed, taken.violations) == (("src/model.py",), ())
    beside.subject.store.show_to_git()
    assert not links & set(git(beside.home.candidates, "ls-tree", "-r", "--name-only", taken.tree).split("\n"))


def test_a_file_that_a_candidate_removed_does_not_come_back_as_a_link(beside: Beside) -> None:
    (beside.begin() / "src/model.py").unlink()
    assert "src/model.py" not in beside.laid_out(beside.take().tree)


def test_the_experiment_itself_is_never_linked(tmp_path: Path) -> None:
    beside = Beside(tmp_path).make()
    home = beside.checkout / "runs2" / "one"
    subject = subject_of(beside.subject.spec, Store(home / "candidates.git"))
    put(beside.checkout, "runs2/other", "x")
    subject.lay_out(subject.base().tree, tmp_path / "place")
    assert not (tmp_path / "place" / "runs2").exists()


def test_scratch_folders_are_empty_in_each_run_and_what_is_written_there_is_no_violation(tmp_path: Path) -> None:
    beside = Beside(tmp_path, scratch=("results", "a/b", "metrics.json")).make()
    put(beside.checkout, "results/old.txt", "an old result")
    put(beside.checkout, "metrics.json", "an old number")
    draft = beside.begin()
    assert what_stands(draft / "results") == {}
    assert (draft / "a/b").is_dir()
    assert not (draft / "metrics.json").exists()
    put(draft, "results/new.txt", "mine")
    put(draft, "a/b/c", "mine")
    put(draft, "metrics.json", "mine")
    taken = beside.take()
    assert (taken.tree, taken.violations) == (beside.base.tree, ())


def test_what_a_run_left_is_kept_with_that_run_and_gone_from_the_next(beside: Beside) -> None:
    subject, base = beside.subject, beside.base
    folder = subject.place(beside.home.run("r0001"), 0)
    subject.lay_out(base.tree, folder)
    put(folder, "logs/run/events", "the log of r0001")
    put(folder, "src/__pycache__/m.pyc", "cache")
    assert subject.place(beside.home.run("r0002"), 0) == folder
    subject.lay_out(base.tree, folder)
    assert names(what_stands(folder)) == {*FILES, "src", "src/deep"}
    left = beside.home.run("r0001").root / "left"
    assert names(what_stands(left)) == {"logs", "logs/run", "logs/run/events"}


def test_two_slots_are_two_folders(beside: Beside) -> None:
    run = beside.home.run("r0001")
    assert beside.subject.place(run, 0) != beside.subject.place(run, 1)


def test_submodules_that_are_not_checked_out_are_empty_folders_and_told_of(beside: Beside, tmp_path: Path) -> None:
    git(beside.checkout, "clone", "-q", str(beside.checkout), str(tmp_path / "lib"))
    git(beside.checkout, "submodule", "-q", "add", str(tmp_path / "lib"), "src/lib")
    beside.commit()
    git(beside.checkout, "submodule", "-q", "deinit", "-f", "src/lib")
    shutil.rmtree(beside.checkout / ".git/modules")  # as in a fresh clone
    draft = beside.begin()
    assert what_stands(draft / "src/lib") == {}
    assert any(
        "empty folders in every run" in said and "src/lib" in said for said in beside.subject.notices(beside.base)
    )
    (draft / "src/lib").rmdir()
    put(draft, "src/model.py", "lr = 2\n")
    taken = beside.take()
    assert taken.violations == ()
    beside.subject.store.show_to_git()
    assert "160000" in git(beside.home.candidates, "ls-tree", taken.tree, "src/lib")
    put(draft, "src/lib/inside.py", "x")
    assert beside.take().violations == ("src/lib/inside.py was added within a submodule",)


def test_lfs_pointers_are_told_of(beside: Beside) -> None:
    put(beside.checkout, ".gitattributes", "*.bin filter=lfs\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    put(beside.checkout, "big.bin", pointer)
    git(beside.checkout, "-c", "filter.lfs.clean=cat", "add", "-A")
    beside.commit()
    assert any("LFS" in said and said.endswith("big.bin") for said in beside.subject.notices(beside.base))


def test_links_of_the_tree_stay_links(beside: Beside) -> None:
    os.symlink("../README.md", beside.checkout / "src/link.py")
    os.symlink("nowhere", beside.checkout / "dangling")
    beside.commit()
    found = beside.laid_out(beside.base.tree)
    assert found["src/link.py"] == (stat.S_IFLNK | 0o777, "../README.md")
    assert found["dangling"] == (stat.S_IFLNK | 0o777, "nowhere")


def test_the_working_folder_is_restored_in_place(beside: Beside) -> None:
    os.symlink("model.py", beside.checkout / "src/link.py")
    beside.commit()
    work = beside.home.working
    beside.subject.restore(beside.base.tree, work)
    right = what_stands(work)
    put(work, "src/model.py", "lr = 9\n")
    put(work, "src/extra.py", "x")
    (work / "eval.sh").chmod(0o644)
    (work / "src/link.py").unlink()
    put(work, "src/link.py", "no link")
    os.utime(work / "README.md", ns=(1, 1))
    beside.subject.restore(beside.base.tree, work)
    assert what_stands(work) == right
    assert os.stat(work / "README.md").st_mtime_ns == 1


def test_the_files_that_may_change_are_read_without_links_and_large_ones(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flagstone.experiments.candidates.subject.LARGEST_SHOWN", 1000)
    put(beside.checkout, "src/large.py", "x" * 1001)
    os.symlink("model.py", beside.checkout / "src/link.py")
    beside.commit()
    put(beside.begin(), "src/model.py", "lr = 2\n")
    assert beside.subject.files(beside.take().tree) == {"src/model.py": b"lr = 2\n", "src/deep/er.py": b"depth = 2\n"}


def test_a_diff_names_binary_files_and_starts_no_program(beside: Beside, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    put(beside.checkout, ".gitattributes", "*.py diff=odd\n")
    beside.commit()
    draft = beside.begin()
    git(beside.home.candidates, "config", "diff.odd.textconv", str(program))
    git(beside.home.candidates, "config", "diff.odd.command", str(program))
    put(draft, "src/model.py", "lr = 2\n")
    (draft / "src/blob.py").write_bytes(b"\0\1\2")
    text = beside.subject.diff(beside.base.tree, beside.take().tree)
    assert "-lr = 1\n+lr = 2\n" in text
    assert "Binary files /dev/null and b/src/blob.py differ" in text
    assert not (tmp_path / "ran").exists()


def test_a_long_diff_is_cut_and_says_so(beside: Beside) -> None:
    put(beside.begin(), "src/model.py", "x = 1\n" * 100_000)
    text = beside.subject.diff(beside.base.tree, beside.take().tree)
    assert len(text) < 210_000
    assert "bytes left out" in text


def test_the_command_that_brings_a_branch_home_works_and_leaves_the_history_whole(beside: Beside) -> None:
    git(beside.checkout, "commit", "-q", "--allow-empty", "-m", "older")
    put(beside.begin(), "src/model.py", "lr = 2\n")
    taken = beside.take()
    subprocess.run(shlex.split(beside.subject.source.way_home(taken.commit, "best")), check=True, capture_output=True)
    assert git(beside.checkout, "rev-parse", "best^{tree}") == taken.tree
    assert git(beside.checkout, "rev-list", "--count", "best") == "3"
    assert not (beside.checkout / ".git" / "shallow").exists()


def test_candidates_survive_a_persons_gc_and_the_end_of_the_checkout(beside: Beside) -> None:
    put(beside.begin(), "src/model.py", "lr = 2\n")
    taken = beside.take()
    git(beside.home.candidates, "gc", "-q", "--prune=now")
    beside.checkout.rename(beside.checkout.with_name("gone"))
    again = subject_of(beside.subject.spec, Store(beside.home.candidates))
    again.lay_out(taken.tree, beside.root / "place")
    assert (beside.root / "place/src/model.py").read_text() == "lr = 2\n"


def test_a_later_process_knows_a_folder_it_laid_out_before_and_still_sees_every_touch(beside: Beside) -> None:
    folder = beside.subject.place(beside.home.run("r0001"), 0)
    beside.subject.lay_out(beside.base.tree, folder)
    put(folder, "eval.sh", "echo 999\n")
    later = subject_of(beside.subject.spec, Store(beside.home.candidates))
    later.lay_out(beside.base.tree, folder)
    assert (folder / "eval.sh").read_text() == FILES["eval.sh"]


def test_an_untouched_file_is_neither_read_nor_written_again(beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = beside.subject.place(beside.home.run("r0001"), 0)
    monkeypatch.setattr(last_seen, "STEP_NS", -(10**15))
    beside.subject.lay_out(beside.base.tree, folder)
    before = {path: os.stat(folder / path).st_mtime_ns for path in FILES}

    def read(*_: object) -> str:
        raise AssertionError("a file was read again")

    monkeypatch.setattr(last_seen, "sha_of", read)
    for subject in (beside.subject, subject_of(beside.subject.spec, Store(beside.home.candidates))):
        subject.lay_out(beside.base.tree, folder)
    assert {path: os.stat(folder / path).st_mtime_ns for path in FILES} == before


@pytest.mark.parametrize(
    "torn",
    [
        b"",
        b"{",
        b"[]",
        b'{"src/model.py": 1}',
        b'{"src/model.py": [[1, 2], "100644"]}',
        b'{"src/model.py": [1, 2, 3, 4]}',
    ],
)
def test_a_torn_record_of_a_folder_does_no_harm(beside: Beside, torn: bytes) -> None:
    folder = beside.subject.place(beside.home.run("r0001"), 0)
    beside.subject.lay_out(beside.base.tree, folder)
    for record in (beside.home.root / "state" / "laid-out").iterdir():
        record.write_bytes(torn)
    put(folder, "src/model.py", "lr = 3\n")
    subject_of(beside.subject.spec, Store(beside.home.candidates)).lay_out(beside.base.tree, folder)
    assert (folder / "src/model.py").read_text() == "lr = 1\n"


@pytest.mark.parametrize("path", ["a/../../x", ".git/config", "a/.GIT/config", "a/./b"])
def test_a_tree_that_could_not_be_laid_out_safely_is_refused(path: str) -> None:
    with pytest.raises(FlagstoneError, match="safely"):
        trees.tree_of("0", [trees.TreeEntry("100644", "0" * 40, path)])


def test_a_tree_in_which_a_link_and_a_folder_have_one_name_is_refused() -> None:
    rows = [trees.TreeEntry("120000", "0" * 40, "a"), trees.TreeEntry("40000", "1" * 40, "a")]
    with pytest.raises(FlagstoneError, match="safely"):
        trees.tree_of("0", rows)


def test_the_programs_of_a_fresh_clone_run_as_before(beside: Beside) -> None:
    folder = beside.subject.place(beside.home.run("r0001"), 0)
    beside.subject.lay_out(beside.base.tree, folder)
    assert subprocess.run([folder / "eval.sh"], capture_output=True, check=True).stdout == b"1\n"


def test_a_draft_that_was_given_back_is_the_next_one_and_what_was_left_in_it_stays_with_its_run(beside: Beside) -> None:
    subject, first, second = beside.subject, beside.home.run("r0001"), beside.home.run("r0002")
    subject.lay_out(beside.base.tree, subject.draft(first))
    was = os.stat(first.draft / "README.md").st_mtime_ns
    put(first.draft, "src/model.py", "lr = 2\n")
    put(first.draft, "thoughts.log", "my thoughts")
    taken = subject.take(first.draft, beside.base, "", 1)
    subject.release(first)
    later = subject_of(beside.subject.spec, Store(beside.home.candidates))
    later.lay_out(beside.base.tree, later.draft(second))
    assert set(what_stands(second.draft)) == {*FILES, "src", "src/deep"}
    assert (second.draft / "src/model.py").read_text() == "lr = 1\n"
    assert os.stat(second.draft / "README.md").st_mtime_ns == was
    assert what_stands(first.root / "left-in-draft")["thoughts.log"][1] == "my thoughts"
    assert later.take(second.draft, beside.base, "", 2).changed == ()
    assert taken.changed == ("src/model.py",)


def test_drafts_of_one_time_are_folders_of_their_own(beside: Beside) -> None:
    runs = [beside.home.run(f"r{number:04}") for number in range(4)]
    for run in runs[:2]:
        beside.subject.lay_out(beside.base.tree, beside.subject.draft(run))
    for run in runs[:2]:
        beside.subject.release(run)
    for run in runs[2:]:
        beside.subject.lay_out(beside.base.tree, beside.subject.draft(run))
    assert [run.draft.exists() for run in runs] == [False, False, True, True]


def test_a_repository_with_sha_256_names_is_refused_in_words(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "here/checkout")
    beside = Beside(tmp_path / "here")
    beside.home.root.mkdir()
    put(beside.checkout, "src/model.py", "lr = 1\n")
    beside.commit()
    with pytest.raises(FlagstoneError, match="SHA-256"):
        beside.subject.base()


def test_what_is_remembered_of_an_edit_is_what_a_later_process_reads_of_it(beside: Beside) -> None:
    os.symlink("model.py", beside.checkout / "src/link.py")
    beside.commit()
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    put(draft, "src/new.py", "new = 1\n")
    (draft / "src/deep/er.py").unlink()
    taken = beside.take()
    later = subject_of(beside.subject.spec, Store(beside.home.candidates))
    assert beside.subject.files(taken.tree) == later.files(taken.tree)
    assert beside.subject.files(taken.tree) == {"src/model.py": b"lr = 2\n", "src/new.py": b"new = 1\n"}
