"""Edits put onto another tree, and the branch that a person gets: one fetch that starts nothing of theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from checkouts import Beside, git, put, what_stands

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.git import (
    Checkout,
    identity_of,
    make_branches,
    merge_trees,
    put_commit_of_person,
    refuse_taken_branches,
)

BRANCH = "flagstone/faster"


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    beside = Beside(tmp_path).make()
    git(beside.checkout, "config", "user.name", "Ada Löv")
    git(beside.checkout, "config", "user.email", "ada@example.org")
    return beside


def edited(beside: Beside, number: int = 1, **files: str) -> str:
    """The tree of the base with these files of src/ written."""
    draft = beside.begin()
    for name, content in files.items():
        put(draft, f"src/{name}.py", content)
    return beside.take(number).tree


def commit_of(beside: Beside, tree: str) -> str:
    checkout, store = Checkout(beside.checkout), beside.subject.store
    return put_commit_of_person(store, tree, beside.base.commit, identity_of(checkout), "Make it faster")


def test_edits_of_two_files_and_of_two_places_of_one_file_go_together(beside: Beside) -> None:
    lines = [f"line {number}\n" for number in range(20)]
    put(beside.checkout, "src/model.py", "".join(lines))
    beside.commit()
    first = edited(beside, model="".join(["first\n", *lines[1:]]))
    second = edited(beside, 2, model="".join([*lines[:-1], "last\n"]), added="new = 1\n")
    tree, store = beside.subject.tree, beside.subject.store
    merged = merge_trees(store, tree(beside.base.tree), tree(second), tree(first))
    assert merged is not None
    beside.subject.trees.put(merged.sha, merged)
    files = beside.subject.files(merged.sha)
    assert files["src/model.py"].decode() == "".join(["first\n", *lines[1:-1], "last\n"])
    assert files["src/added.py"] == b"new = 1\n"


def test_edits_of_the_same_line_do_not_go_together(beside: Beside) -> None:
    first, second = edited(beside, model="lr = 2\n"), edited(beside, 2, model="lr = 3\n")
    tree = beside.subject.tree
    assert merge_trees(beside.subject.store, tree(beside.base.tree), tree(second), tree(first)) is None


def test_a_file_and_a_folder_of_one_name_do_not_go_together(tmp_path: Path) -> None:
    beside = Beside(tmp_path, mutable=("src/**",)).make()
    put(beside.begin(), "src/new", "a file\n")
    first = beside.take(1).tree
    put(beside.begin(), "src/new/inside.py", "in a folder\n")
    second = beside.take(2).tree
    tree = beside.subject.tree
    assert merge_trees(beside.subject.store, tree(beside.base.tree), tree(second), tree(first)) is None


def test_the_branch_is_all_that_is_new_and_no_hook_runs(beside: Beside, tmp_path: Path) -> None:
    for hook in ("reference-transaction", "post-merge", "pre-commit", "post-checkout"):
        place = beside.checkout / ".git" / "hooks" / hook
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{hook}\nexit 1\n")
        place.chmod(0o755)
    put(beside.checkout, "README.md", "edited, not committed\n")
    commit = commit_of(beside, edited(beside, model="lr = 2\n"))
    before = what_stands(beside.checkout)
    make_branches(Checkout(beside.checkout), beside.subject.store, {BRANCH: commit})
    after = what_stands(beside.checkout)
    new = {path for path in after if path not in before and not path.startswith(".git/objects/")}
    assert {path for path in before if before[path] != after.get(path)} == set()
    assert new <= {
        *(f".git/refs/heads/{path}" for path in ("flagstone", BRANCH)),
        *(f".git/logs/refs/heads/{path}" for path in ("flagstone", BRANCH)),
    }
    assert not list(tmp_path.glob("ran-*"))
    shown = git(beside.checkout, "log", "--format=%an <%ae> %s", f"main..{BRANCH}")
    assert shown == "Ada Löv <ada@example.org> Make it faster"
    assert git(beside.checkout, "diff", "--name-only", f"main..{BRANCH}") == "src/model.py"
    git(beside.checkout, "fsck", "--strict")


@pytest.mark.parametrize("taken", [BRANCH, "flagstone", f"{BRANCH}/more"])
def test_a_name_that_is_taken_is_refused_and_stays_as_it_is(beside: Beside, taken: str) -> None:
    git(beside.checkout, "branch", taken)
    was = git(beside.checkout, "for-each-ref")
    commit = commit_of(beside, edited(beside, model="lr = 2\n"))
    with pytest.raises(FlagstoneError, match=f"branch {taken} exists"):
        make_branches(Checkout(beside.checkout), beside.subject.store, {BRANCH: commit})
    assert git(beside.checkout, "for-each-ref") == was


@pytest.mark.parametrize("name", ["a..b", "HEAD", "@", "-D", "refs/heads/q", "x.lock", ""])
def test_a_name_that_git_does_not_take_is_refused(beside: Beside, name: str) -> None:
    with pytest.raises(FlagstoneError, match="no name for a branch"):
        refuse_taken_branches(Checkout(beside.checkout), {name: ""})


def test_of_several_branches_all_are_made_or_none(beside: Beside) -> None:
    commit = commit_of(beside, edited(beside, model="lr = 2\n"))
    blocked = beside.checkout / ".git/refs/heads/flagstone/faster-2.lock"
    blocked.parent.mkdir(parents=True)
    blocked.touch()
    branches = {f"{BRANCH}-1": commit, f"{BRANCH}-2": commit}
    with pytest.raises(FlagstoneError, match="did not make the branch"):
        make_branches(Checkout(beside.checkout), beside.subject.store, branches)
    assert "flagstone" not in git(beside.checkout, "branch", "--list")
    os.unlink(blocked)
    make_branches(Checkout(beside.checkout), beside.subject.store, branches)
    assert git(beside.checkout, "branch", "--list", "flagstone/*").split() == list(branches)
