"""The whole loop over a git work tree: keep, discard, violate, chain; and the person's checkout stands as it stood."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkouts import git, put, what_stands
from laboratory import Edits, Laboratory, set_x

from flagstone.experiments.ledger.ledger import entries_of

SUBJECT = {"kind": "git", "mutable": ["train.py"]}


@pytest.fixture
def committed(laboratory: Laboratory) -> Laboratory:
    laboratory.make(subject=SUBJECT)
    git(laboratory.project, "init", "-q", "-b", "main")
    put(laboratory.project, ".gitignore", ".flagstone/\n")
    git(laboratory.project, "add", "-A")
    git(laboratory.project, "commit", "-qm", "first")
    return laboratory


def test_gains_are_kept_losses_left_and_violations_never_run(committed: Laboratory) -> None:
    def forge(draft: Path) -> str:
        put(draft, "prepare.py", "OFFSET = -1000\n")
        return "forged"

    before = {path: told for path, told in what_stands(committed.project).items() if not path.startswith(".flagstone")}
    committed.run(Edits({2: set_x(2), 3: set_x(9), 4: forge, 5: set_x(3)}), 5)
    told = [(entry.status, entry.verdict) for entry in entries_of(committed.home.ledger)]
    assert told == [
        ("ok", "advance"),
        ("ok", "advance"),
        ("ok", "revert"),
        ("violation", "invalid"),
        ("ok", "advance"),
    ]
    assert "X = 3" in (committed.home.working / "train.py").read_text()
    assert (committed.home.working / "prepare.py").read_text() == "OFFSET = 0.5\n"
    assert (committed.home.run("r0004").draft / "prepare.py").read_text() == "OFFSET = -1000\n"
    after = {path: told for path, told in what_stands(committed.project).items() if not path.startswith(".flagstone")}
    assert after == before


def test_the_best_is_a_commit_that_descends_from_the_head_of_the_checkout(committed: Laboratory) -> None:
    committed.run(Edits({2: set_x(2), 3: set_x(2.5)}), 3)
    best = list(entries_of(committed.home.ledger))[-1]
    head = git(committed.project, "rev-parse", "HEAD")
    line = git(committed.home.candidates, "log", "--format=%H", best.commit).split()
    assert (line[0], line[-1], len(line)) == (best.commit, head, 3)


def test_a_hand_edit_of_the_working_files_is_measured_by_a_step(committed: Laboratory) -> None:
    committed.step()
    set_x(2)(committed.home.working)
    assert committed.step("by hand").verdict == "advance"


def test_three_at_a_time_give_the_ledger_of_one_at_a_time(tmp_path: Path) -> None:
    told = []
    for lag in (1, 3):
        laboratory = Laboratory(tmp_path / str(lag)).make(subject=SUBJECT, lag=lag)
        git(laboratory.project, "init", "-q")
        git(laboratory.project, "add", "train.py", "prepare.py")
        git(laboratory.project, "commit", "-qm", "first")
        laboratory.run(Edits({number: set_x(9 - number) for number in range(2, 8)}), 7)
        told.append([(each.number, each.value) for each in entries_of(laboratory.home.ledger)])
    assert told[0] == told[1]


def test_a_run_finds_a_repository_of_its_own_and_not_the_one_that_it_lies_in(committed: Laboratory) -> None:
    looks_for_it = 'test "$(git rev-parse --show-toplevel)" = "$(pwd -P)" || exit 1; git rev-parse --absolute-git-dir; '
    looks_for_it += "python train.py"
    committed.make(subject=SUBJECT, harness={"argv": ["sh", "-c", looks_for_it], "seconds": 30})
    assert committed.step().status == "ok"
    assert str(committed.home.root / "state" / "git") in committed.home.run("r0001").log.read_text()
