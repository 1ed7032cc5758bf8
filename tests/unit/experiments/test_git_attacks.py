"""Whatever is done to a folder: only an edit of what may change is a candidate, and nothing else is ever run."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from checkouts import FILES, Beside, git, put, what_stands

from flagstone.experiments.candidates import taking
from flagstone.experiments.candidates.git.store import Store
from flagstone.experiments.candidates.subject import subject_of


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path).make()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that nobody may touch."""
    put(tmp_path, "outside/precious.txt", "precious")
    put(tmp_path, "outside/model.py", "lr = 1\n")
    return tmp_path / "outside"


def test_a_rewritten_file_outside_the_mutable_set_is_a_violation_and_never_runs(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "eval.sh", "echo 999\n")
    put(draft, "src/model.py", "lr = 2\n")
    taken = beside.take()
    assert taken.violations == ("eval.sh was changed, and is outside what may change",)
    assert taken.changed == ("src/model.py",)
    assert beside.laid_out(taken.tree)["eval.sh"][1] == FILES["eval.sh"]


def test_an_added_conftest_is_a_violation_and_never_runs(beside: Beside) -> None:
    put(beside.begin(), "conftest.py", "import sys\n")
    taken = beside.take()
    assert taken.violations == ("conftest.py was added, and is outside what may change",)
    assert "conftest.py" not in beside.laid_out(taken.tree)


def test_a_removed_file_outside_the_mutable_set_is_a_violation(beside: Beside) -> None:
    (beside.begin() / "eval.sh").unlink()
    taken = beside.take()
    assert taken.violations == ("eval.sh was removed, and is outside what may change",)
    assert "eval.sh" in beside.laid_out(taken.tree)


def test_a_mutable_file_that_becomes_a_link_to_the_harness_is_a_violation(beside: Beside) -> None:
    draft = beside.begin()
    (draft / "src/model.py").unlink()
    os.symlink("../eval.sh", draft / "src/model.py")
    taken = beside.take()
    assert taken.violations == ("src/model.py was replaced by a link",)
    assert stat.S_ISREG(beside.laid_out(taken.tree)["src/model.py"][0])


def test_a_link_that_is_added_or_made_to_point_elsewhere_is_a_violation(beside: Beside) -> None:
    os.symlink("model.py", beside.checkout / "src/link.py")
    beside.commit()
    draft = beside.begin()
    (draft / "src/link.py").unlink()
    os.symlink("/etc/passwd", draft / "src/link.py")
    os.symlink("/", draft / "src/root.py")
    assert sorted(beside.take().violations) == [
        "src/link.py is a link, and points elsewhere now",
        "src/root.py is a link; only plain files can be added",
    ]


def test_a_hard_link_to_something_outside_is_a_violation(beside: Beside, outside: Path) -> None:
    draft = beside.begin()
    (draft / "src/model.py").unlink()
    os.link(outside / "model.py", draft / "src/model.py")
    assert beside.take().violations == ("src/model.py has a second name elsewhere (a hard link)",)


@pytest.mark.parametrize(("path", "mode"), [("src/model.py", 0o755), ("eval.sh", 0o644), ("src/model.py", 0o4644)])
def test_another_mode_is_a_violation(beside: Beside, path: str, mode: int) -> None:
    (beside.begin() / path).chmod(mode)
    assert beside.take().violations == (f"{path} has another mode",)


def test_a_named_pipe_and_a_socket_are_violations_and_are_never_waited_for(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = beside.begin()
    (draft / "src/model.py").unlink()
    os.mkfifo(draft / "src/model.py")
    os.mkfifo(draft / ".gitignore2")
    os.mkfifo(draft / "src/.gitignore")
    put(draft, "src/notes.txt", "git would look into the pipe for a word on this")
    with socket.socket(socket.AF_UNIX) as opened:
        monkeypatch.chdir(draft)  # the name of a socket may not be long
        opened.bind("src/door.py")
    assert sorted(beside.take().violations) == [
        ".gitignore2 was added, and is outside what may change",
        "src/.gitignore was added, and is outside what may change",
        "src/door.py is a socket",
        "src/model.py is a named pipe",
        "src/notes.txt was added, and is outside what may change",
    ]


def test_a_file_that_became_a_folder_and_a_folder_that_became_a_file_are_violations(beside: Beside) -> None:
    draft = beside.begin()
    (draft / "src/model.py").unlink()
    (draft / "src/model.py").mkdir()
    (draft / "src/deep/er.py").unlink()
    (draft / "src/deep").rmdir()
    put(draft, "src/deep", "a file")
    said = beside.take().violations
    assert "src/model.py was a file, and is a folder now" in said
    assert "src/deep was a folder, and was replaced" in said


def test_a_huge_file_is_a_violation(beside: Beside) -> None:
    draft = beside.begin()
    with open(draft / "src/huge.py", "wb") as stream:
        stream.truncate(taking.LARGEST + 1)
    assert beside.take().violations == ("src/huge.py is larger than 100 MB",)


def test_a_nested_repository_is_a_violation_and_an_own_one_is_dropped(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    git(draft, "init", "-q")
    put(draft, ".git/hooks/post-checkout", f"#!/bin/sh\ntouch {beside.root}/ran\n")
    (draft / ".git/hooks/post-checkout").chmod(0o755)
    git(draft, "config", "core.fsmonitor", f"touch {beside.root}/ran")
    git(draft, "config", "core.worktree", "/")
    taken = beside.take()
    assert (taken.violations, taken.changed) == ((), ("src/model.py",))
    assert ".git" not in beside.laid_out(taken.tree)
    git(beside.root, "init", "-q", str(draft / "src/sub"))
    put(draft, "src/two/.git", "gitdir: /\n")
    assert sorted(beside.take().violations) == [
        "src/sub/.git is a repository within the repository",
        "src/two/.git is a repository within the repository",
    ]
    assert not (beside.root / "ran").exists()


def test_an_ignored_file_is_no_violation_and_has_no_effect(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "answers.log", "42")
    put(draft, "data/planted.bin", "42")
    put(draft, "src/__pycache__/model.cpython-311.pyc", "42")
    put(draft, ".pytest_cache/v", "42")
    put(draft, "src/model.py", "lr = 2\n")
    taken = beside.take()
    assert (taken.violations, taken.changed) == ((), ("src/model.py",))
    assert set(beside.laid_out(taken.tree)) == {*FILES, "src", "src/deep"}


def test_a_changed_ignore_file_does_not_hide_a_planted_one(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, ".gitignore", "conftest.py\n")
    put(draft, "src/.gitignore", "*.so\n")
    put(draft, "conftest.py", "x")
    said = beside.take().violations
    assert ".gitignore was changed, and is outside what may change" in said
    assert "src/.gitignore was added, and is outside what may change" in said


def test_an_environment_that_ignores_itself_is_no_violation(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "env/.gitignore", "*\n")
    put(draft, "env/bin/python", "")
    assert beside.take().violations == ()


def test_an_untracked_file_that_a_candidate_makes_its_own_is_laid_out_as_one(tmp_path: Path) -> None:
    beside = Beside(tmp_path, mutable=("src/**/*.py", "*.txt")).make()
    put(beside.checkout, "notes.txt", "untracked")
    draft = beside.begin()
    (draft / "notes.txt").unlink()
    put(draft, "notes.txt", "of the candidate")
    taken = beside.take()
    assert taken.changed == ("notes.txt",)
    assert beside.laid_out(taken.tree)["notes.txt"] == (stat.S_IFREG | 0o644, "of the candidate")


def test_an_ignored_file_of_a_discarded_run_is_not_there_for_the_next(beside: Beside) -> None:
    folder = beside.subject.place(beside.home.run("r0001"), 0)
    beside.subject.lay_out(beside.base.tree, folder)
    put(folder, "cheat.log", "500")
    put(folder, "data/cheat", "500")
    put(folder, "src/model.pyc", "500")
    assert set(beside.laid_out(beside.base.tree)) == {*FILES, "src", "src/deep"}


def test_what_is_written_after_the_look_has_no_effect(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    taken = beside.take()
    put(draft, "src/model.py", "lr = 999\n")
    assert beside.laid_out(taken.tree)["src/model.py"][1] == "lr = 2\n"


def test_everything_a_run_may_do_to_its_folder_is_undone_and_nothing_outside_is_touched(
    beside: Beside, outside: Path
) -> None:
    right = beside.laid_out(beside.base.tree)
    folder = beside.subject.place(beside.home.run("r0003"), 0)
    (folder / "src/deep/er.py").unlink()
    (folder / "src/deep").rmdir()
    os.symlink(outside, folder / "src/deep")
    (folder / "src/model.py").unlink()
    os.symlink(outside / "model.py", folder / "src/model.py")
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    put(folder, "README.md/x/y", "x")
    (folder / "eval.sh").unlink()
    os.link(outside / "precious.txt", folder / "eval.sh")
    (folder / ".gitignore").chmod(0o000)
    put(folder, "locked/in/side", "x")
    os.symlink("/", folder / "locked/root")
    (folder / "locked/in").chmod(0o000)
    (folder / "locked").chmod(0o500)
    (folder / "src").chmod(0o500)
    os.mkfifo(folder / "pipe")
    git(folder, "init", "-q")
    folder.chmod(0o555)
    before = what_stands(outside)
    assert beside.laid_out(beside.base.tree) == right
    assert what_stands(outside) == before


def test_a_closed_folder_is_opened_to_be_looked_at(beside: Beside) -> None:
    draft = beside.begin()
    put(draft, "src/model.py", "lr = 2\n")
    (draft / "src/deep").chmod(0o000)
    (draft / "src").chmod(0o000)
    taken = beside.take()
    assert (taken.changed, taken.violations) == (("src/model.py",), ())


def test_a_second_name_of_a_working_file_is_given_up_even_if_it_holds_the_same(beside: Beside, outside: Path) -> None:
    work = beside.home.working
    beside.subject.restore(beside.base.tree, work)
    (work / "src/model.py").unlink()
    os.link(outside / "model.py", work / "src/model.py")
    beside.subject.restore(beside.base.tree, work)
    assert os.stat(outside / "model.py").st_nlink == 1


def test_a_place_that_became_a_link_is_not_followed(beside: Beside, outside: Path) -> None:
    folder = beside.subject.place(beside.home.run("r0001"), 0)
    folder.parent.mkdir(exist_ok=True)
    os.symlink(outside, folder)
    before = what_stands(outside)
    beside.laid_out(beside.base.tree)
    assert what_stands(outside) == before
    assert not folder.is_symlink()


def test_folders_within_folders_without_end_are_told_of_and_removed(beside: Beside) -> None:
    draft = beside.begin()
    folder = beside.subject.place(beside.home.run("r0001"), 0)
    beside.subject.lay_out(beside.base.tree, folder)
    here = os.getcwd()
    for place in (draft / "src", folder / "src" / "__pycache__"):
        place.mkdir(exist_ok=True)
        os.chdir(place)
        for _ in range(1500):
            os.mkdir("folder")
            os.chdir("folder")
        os.chdir(here)
    assert any("cannot be read" in said for said in beside.take().violations)
    beside.subject.lay_out(beside.base.tree, folder)
    assert set(what_stands(folder)) == {*FILES, "src", "src/deep"}
    beside.subject.lay_out(beside.base.tree, draft)


def test_a_folder_link_to_everything_is_not_entered(beside: Beside) -> None:
    draft = beside.begin()
    os.symlink("/", draft / "all")
    (draft / "src/deep/er.py").unlink()
    (draft / "src/deep").rmdir()
    os.symlink("/", draft / "src/deep")
    assert sorted(beside.take().violations) == [
        "all was added, and is outside what may change",
        "src/deep was a folder, and was replaced",
    ]


def test_a_draft_that_is_gone_or_became_a_link_is_a_violation(beside: Beside, outside: Path) -> None:
    draft = beside.begin()
    draft.rename(draft.with_name("gone"))
    for _ in range(2):
        taken = beside.take()
        assert taken.violations == ("the folder itself was removed or replaced",)
        assert taken.tree == beside.base.tree
        draft.unlink(missing_ok=True)
        os.symlink(outside, draft)


def test_a_draft_in_which_everything_was_deleted_names_what_may_not_be(beside: Beside) -> None:
    draft = beside.begin()
    for path in FILES:
        (draft / path).unlink()
    taken = beside.take()
    assert taken.changed == ("src/deep/er.py", "src/model.py")
    assert [said.split()[0] for said in taken.violations] == [".gitignore", "README.md", "eval.sh"]
    assert set(beside.laid_out(taken.tree)) == {".gitignore", "README.md", "eval.sh"}


@pytest.mark.parametrize("name", ["quote\"'.py", "-rf.py", "a b.py", "ü.py", "*.py", "$(touch x).py", "%s.py"])
def test_an_odd_but_printable_name_is_part_of_a_candidate(beside: Beside, name: str) -> None:
    put(beside.begin(), f"src/{name}", "odd = 1\n")
    taken = beside.take()
    assert (taken.violations, taken.changed) == ((), (f"src/{name}",))
    assert beside.laid_out(taken.tree)[f"src/{name}"][1] == "odd = 1\n"
    assert beside.subject.files(taken.tree)[f"src/{name}"] == b"odd = 1\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("line\nbreak.py", "has a name with control characters"),
        ("tab\t.py", "has a name with control characters"),
        (os.fsdecode(b"\xff.py"), "has a name that is not UTF-8"),
    ],
)
def test_a_name_that_cannot_be_told_is_a_violation_in_words_that_can(beside: Beside, name: str, words: str) -> None:
    put(beside.begin(), f"src/{name}", "odd = 1\n")
    (said,) = beside.take().violations
    assert said.endswith(words)
    assert said.isprintable()
    said.encode("utf-8")


def test_a_rename_of_case_only_is_an_edit(beside: Beside) -> None:
    draft = beside.begin()
    (draft / "src/model.py").rename(draft / "src/Model.py")
    taken = beside.take()
    assert taken.changed == ("src/Model.py", "src/model.py")
    assert {"src/Model.py"} == set(beside.subject.files(taken.tree)) - {"src/deep/er.py"}


def test_names_that_differ_from_a_glob_in_case_do_not_match_it(beside: Beside) -> None:
    put(beside.begin(), "SRC/model.py", "x")
    assert beside.take().violations == ("SRC/model.py was added, and is outside what may change",)


def test_thousands_of_new_files_are_a_candidate_like_any_other(beside: Beside) -> None:
    draft = beside.begin()
    for number in range(3_000):
        put(draft, f"src/many/m{number}.py", f"n = {number}\n")
    taken = beside.take()
    assert (len(taken.changed), taken.violations) == (3_000, ())
    later = subject_of(beside.subject.spec, Store(beside.home.candidates))
    later.lay_out(taken.tree, beside.root / "place")
    assert (beside.root / "place/src/many/m2999.py").read_text() == "n = 2999\n"


def test_violations_without_end_are_counted_not_listed(beside: Beside) -> None:
    draft = beside.begin()
    for number in range(500):
        put(draft, f"planted/{number}", "x")
    said = beside.take().violations
    assert len(said) == taking.MOST_VIOLATIONS + 1
    assert said[-1] == f"and {500 - taking.MOST_VIOLATIONS} more of the like"


def test_more_files_than_anyone_can_look_at_are_a_violation(beside: Beside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "MOST_ENTRIES", 100)
    draft = beside.begin()
    for number in range(200):
        put(draft, f"src/{number}.py", "x")
    assert beside.take().violations[-1] == "there are more than 100 files"
    assert beside.take().tree


def test_everything_may_be_mutable_and_git_still_is_not(tmp_path: Path) -> None:
    beside = Beside(tmp_path, mutable=("**",)).make()
    draft = beside.begin()
    git(draft, "init", "-q")
    put(draft, "conftest.py", "allowed here\n")
    taken = beside.take()
    assert (taken.changed, taken.violations) == (("conftest.py",), ())


def test_data_that_is_replaced_by_a_folder_of_ones_own_has_no_effect(beside: Beside) -> None:
    put(beside.checkout, "data/x.bin", "data")
    put(beside.checkout, "notes.txt", "untracked")
    draft = beside.begin()
    for name in ("data", "notes.txt"):
        (draft / name).unlink()
    put(draft, "data/x.bin", "forged")
    put(draft, "notes.txt", "forged")
    taken = beside.take()
    assert (taken.tree, taken.violations) == (beside.base.tree, ())
    found = beside.laid_out(taken.tree)
    assert found["data"][1] == str(beside.checkout / "data")
    assert (beside.checkout / "data/x.bin").read_text() == "data"
