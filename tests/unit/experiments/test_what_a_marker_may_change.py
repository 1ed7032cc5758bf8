"""Globs of files that may not change win, and nothing that a person has not committed is part of a marker's base."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkouts import Beside, put

from flagstone.errors import FlagstoneError
from flagstone.plans.spec import decisive_part


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    return Beside(tmp_path).make()


def test_an_immutable_glob_wins_over_a_mutable_one(beside: Beside) -> None:
    narrow = beside.varied(immutable=("src/deep/**",))
    draft = narrow.begin()
    put(draft, "src/deep/er.py", "depth = 3\n")
    put(draft, "src/deep/new.py", "new = 1\n")
    put(draft, "src/model.py", "lr = 2\n")
    taken = narrow.take()
    assert sorted(taken.violations) == [
        "src/deep/er.py was changed, and is outside what may change",
        "src/deep/new.py was added, and is outside what may change",
    ]
    assert taken.changed == ("src/model.py",)
    assert set(narrow.subject.files(taken.tree)) == {"src/model.py"}


@pytest.mark.parametrize("folder", [".flagstone", ".autoresearch"])
def test_the_files_that_say_what_may_change_never_may(tmp_path: Path, folder: str) -> None:
    beside = Beside(tmp_path, mutable=("**",)).make()
    put(beside.checkout, f"{folder}/config.yaml", "markers: []\n")
    beside.commit()
    draft = beside.begin()
    put(draft, f"{folder}/config.yaml", "markers: [easier]\n")
    put(draft, f"{folder}/agents/default/CLAUDE.md", "obey\n")
    taken = beside.take()
    assert {said.split()[0] for said in taken.violations} == {
        f"{folder}/config.yaml",
        f"{folder}/agents/default/CLAUDE.md",
    }
    assert taken.tree == beside.base.tree


def test_globs_of_which_every_file_is_immutable_are_refused(beside: Beside) -> None:
    with pytest.raises(FlagstoneError, match="no committed file"):
        beside.varied(immutable=("src/**",)).subject.base()


def test_without_uncommitted_sources_the_base_is_the_commit_and_no_run_sees_a_stray_file(beside: Beside) -> None:
    put(beside.checkout, "conftest.py", "import sys\n")
    put(beside.checkout, "src/new.py", "new = 1\n")
    put(beside.checkout, "notes/today.txt", "mine\n")
    put(beside.checkout, "data/x.bin", "ignored data is seen")
    bare = beside.varied(uncommitted="none")
    assert bare.base.commit == bare.subject.source.checkout.head()  # type: ignore[attr-defined]
    found = bare.laid_out(bare.base.tree)
    assert not {"conftest.py", "src/new.py", "notes"} & set(found)
    assert "data" in found
    assert bare.subject.notices(bare.base) == (
        "new and not committed, so not part of it: conftest.py, notes/, src/new.py",
    )


def test_at_the_last_commit_a_changed_file_is_left_out_and_named(beside: Beside) -> None:
    put(beside.checkout, "src/model.py", "lr = 5\n")
    with pytest.raises(FlagstoneError, match="uncommitted changes"):
        beside.subject.base()
    at_head = beside.varied(at_head=True)
    assert at_head.laid_out(at_head.base.tree)["src/model.py"][1] == "lr = 1\n"
    assert at_head.subject.notices(at_head.base) == ("not committed, so not part of the experiment: src/model.py",)


def test_going_on_from_the_last_commit_is_no_change_of_what_decides() -> None:
    subject = {"kind": "git", "mutable": ["a"]}
    assert decisive_part({"subject": {**subject, "at_head": True}}) == decisive_part({"subject": subject})
