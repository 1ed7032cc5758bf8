"""The person's repository is only read, and git's failures come in plain words."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.candidates.git import repository
from flagstone.experiments.candidates.git.repository import Checkout, Repository
from flagstone.experiments.candidates.git.store import Store


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("lr = 1\n")
    (folder / ".gitignore").write_text("data/\n*.log\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Repository:
    Store(tmp_path / "candidates.git").make()
    return Repository(tmp_path / "candidates.git")


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder below, with its time and content."""
    found = {}
    for place, _, names in os.walk(folder):
        found[place] = (os.lstat(place).st_mtime_ns, b"")
        for name in names:
            path = os.path.join(place, name)
            found[path] = (os.lstat(path).st_mtime_ns, Path(path).read_bytes() if os.path.isfile(path) else b"")
    return found


def test_looking_and_fetching_change_nothing_in_the_checkout(checkout: Path, own: Repository) -> None:
    (checkout / "train.py").write_text("lr = 1\n")  # touched: git would refresh its index
    (checkout / "new.txt").write_text("new")
    before = everything(checkout)
    looked_at = Checkout(checkout)
    own.fetch(checkout, looked_at.head())
    assert [change.path for change in looked_at.changes()] == ["new.txt"]
    looked_at.others()
    assert everything(checkout) == before


def test_no_program_of_the_repositorys_settings_is_started(checkout: Path, own: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "filter.odd.clean", "filter.odd.process", "uploadpack.packObjectsHook"):
        git(checkout, "config", name, str(program))
    git(checkout, "config", "core.hooksPath", str(tmp_path))
    (checkout / ".gitattributes").write_text("*.py filter=odd diff=odd\n")
    (checkout / "train.py").write_text("lr = 2\n")
    looked_at = Checkout(checkout)
    assert {change.path for change in looked_at.changes()} == {"train.py", ".gitattributes"}
    looked_at.others()
    own.fetch(checkout, looked_at.head())
    assert not ran.exists()


def test_the_history_stays_where_it_is(checkout: Path, own: Repository) -> None:
    git(checkout, "commit", "-q", "--allow-empty", "-m", "second")
    own.fetch(checkout, Checkout(checkout).head())
    assert git(own.root, "rev-list", "--count", "--all") == "1"


def test_what_was_fetched_does_not_need_its_source(checkout: Path, own: Repository) -> None:
    commit = Checkout(checkout).head()
    own.fetch(checkout, commit)
    checkout.rename(checkout.with_name("gone"))
    rows = {row.path: row for row in own.rows(own.tree_of(commit))}
    assert dict(own.contents([rows["train.py"].sha])) == {rows["train.py"].sha: b"lr = 1\n"}
    assert str(checkout) not in (own.root / "config").read_text()


@pytest.mark.parametrize(
    "name", ["a b", "line\nbreak", "quote\"'", "-rf", "ü", os.fsdecode(b"\xff\xfe"), "tab\t", "$(x)"]
)
def test_any_name_is_read_as_it_is(checkout: Path, own: Repository, name: str) -> None:
    (checkout / name).mkdir()
    (checkout / name / name).write_text("inside")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "odd")
    (checkout / name / name).write_text("edited")
    (checkout / f"{name}.log").write_text("")
    looked_at = Checkout(checkout)
    assert [change.path for change in looked_at.changes()] == [f"{name}/{name}"]
    assert looked_at.others() == (f"{name}.log",)
    own.fetch(checkout, looked_at.head())
    assert f"{name}/{name}" in {row.path for row in own.rows(own.tree_of(looked_at.head()))}
    assert own.ignored_paths(checkout, [f"{name}.log", f"{name}.txt"]) >= {f"{name}.log"}


def test_a_detached_head_a_linked_work_tree_and_a_shallow_clone_are_fetched(
    checkout: Path, own: Repository, tmp_path: Path
) -> None:
    (checkout / "train.py").write_text("lr = 3\n")
    git(checkout, "commit", "-qam", "second")
    git(checkout, "worktree", "add", "-q", str(tmp_path / "linked"), "HEAD~1")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{checkout}", "shallow")
    for folder in (checkout, tmp_path / "linked", tmp_path / "shallow"):
        git(folder, "checkout", "-q", "--detach")
        commit = Checkout(folder).head()
        own.fetch(folder, commit)
        assert own.tree_of(commit) == git(folder, "rev-parse", "HEAD^{tree}")


def test_a_folder_without_git_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="is not a git repository"):
        Checkout(tmp_path).head()


def test_a_folder_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="there is no folder"):
        Checkout(tmp_path / "nowhere").head()


def test_a_repository_without_a_commit_is_told_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(FlagstoneError, match="has no commit yet"):
        Checkout(tmp_path).head()


def test_a_bare_repository_is_told_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare")
    with pytest.raises(FlagstoneError, match="without files"):
        Checkout(tmp_path).head()


def test_a_part_of_a_repository_names_the_whole(checkout: Path) -> None:
    (checkout / "deep" / "er").mkdir(parents=True)
    with pytest.raises(FlagstoneError) as raised:
        Checkout(checkout / "deep" / "er").head()
    assert raised.value.hint == f"give all of it: {checkout}"


def test_git_that_is_missing_is_told_so(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(FlagstoneError, match="git is not installed"):
        Checkout(checkout).head()


def test_somebody_elses_repository_is_refused_with_the_way_to_trust_it(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setattr(repository, "QUIET", {**repository.QUIET, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    with pytest.raises(FlagstoneError) as raised:
        Checkout(checkout).head()
    assert "belongs to another user" in raised.value.problem
    assert "safe.directory" in raised.value.hint


def test_somebody_elses_repository_that_the_person_trusts_is_read_and_fetched(
    checkout: Path, own: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "settings"
    settings.write_text(f'[safe]\n\tdirectory = "{checkout}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setattr(repository, "QUIET", {**repository.QUIET, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    commit = Checkout(checkout).head()
    own.fetch(checkout, commit)
    assert own.tree_of(commit)


def test_a_repository_that_lost_objects_is_told_so_with_the_way_to_look(checkout: Path, own: Repository) -> None:
    tree = git(checkout, "rev-parse", "HEAD^{tree}")
    (checkout / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(WorkFailed) as raised:
        Checkout(checkout).head()
    assert "cannot read" in raised.value.problem
    assert "fsck" in raised.value.hint


def test_an_object_that_our_repository_lost_is_named(own: Repository) -> None:
    with pytest.raises(WorkFailed, match="object 0123"):
        list(own.contents(["0123" * 10]))


def test_git_that_takes_too_long_is_ended(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "READ_S", 0.000_001)
    with pytest.raises(WorkFailed, match="did not answer within"):
        Checkout(checkout).head()


def test_the_environment_of_a_surrounding_git_is_not_believed(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nothing"))
    assert Checkout(checkout).changes() == ()
