"""The loop: propose, run, measure, keep or leave."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from laboratory import TRAIN, Edits, Laboratory, set_x, whole

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.candidates.candidate import kept_candidate
from flagstone.experiments.candidates.git.store import Store
from flagstone.experiments.engine.engine import engine_of


def test_a_better_number_is_kept_and_a_worse_one_left(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 4})
    assert laboratory.run(Edits({2: set_x(2.0), 3: set_x(0.0), 4: set_x(2.5)})) == "max_runs(4)"
    assert [(each.verdict, each.value) for each in laboratory.entries()] == [
        ("advance", 4.5),
        ("advance", 1.5),
        ("revert", 9.5),
        ("advance", 0.75),
    ]
    last = laboratory.entries()[-1]
    assert last.should_terminate and last.terminated_by == "max_runs(4)"


def test_the_working_files_stand_at_the_best_after_every_verdict(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(9.0)}), limit=3)
    assert "X = 2.0" in (laboratory.home.working / "train.py").read_text()
    assert (laboratory.project / "train.py").read_text() == TRAIN


@pytest.mark.parametrize(
    ("source", "status", "verdict"),
    [
        ("raise SystemExit(3)\n", "crash", "crash"),
        ("import os; os.kill(os.getpid(), 9)\n", "crash", "crash"),
        ("print('nothing to see')\n", "invalid", "revert"),
        ("print('val_loss: nan')\n", "invalid", "revert"),
        ("print('val_loss: -inf')\n", "invalid", "revert"),
        ("print('val_loss: 0.1')\nprint('val_loss: nan')\n", "invalid", "revert"),
        ("import time\ntime.sleep(60)\n", "timeout", "timeout"),
    ],
)
def test_what_came_to_no_number_is_never_best(laboratory: Laboratory, source: str, status: str, verdict: str) -> None:
    laboratory.make(harness={"argv": [sys.executable, "train.py"], "seconds": 2})
    laboratory.run(Edits({2: whole(source)}), limit=2)
    assert laboratory.words()[-1] == ("r0002", status, verdict)
    assert laboratory.entries()[-1].best_run == "r0001"
    assert (laboratory.home.working / "train.py").read_text() == TRAIN


def test_a_missing_metric_names_the_nearest_keys_seen(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: whole("print('validation/loss: 0.1')\nprint('lr: 3')\n")}), limit=2)
    assert "validation/loss" in laboratory.entries()[-1].reason


@pytest.mark.parametrize("where", ["evil.py", "sub/evil.py", "conftest.py", "sitecustomize.py"])
def test_a_file_outside_the_mutable_set_never_reaches_the_harness(laboratory: Laboratory, where: str) -> None:
    def edit(draft: Path) -> str:
        (draft / where).parent.mkdir(exist_ok=True)
        (draft / where).write_text("print('val_loss: 0.0001')\n")
        return set_x(3.0)(draft) or ""

    laboratory.make()
    laboratory.run(Edits({2: edit}), limit=2)
    assert laboratory.words()[-1] == ("r0002", "violation", "invalid")
    assert where in laboratory.entries()[-1].reason
    assert laboratory.entries()[-1].measurements == ()


def swapped_for_a_link(draft: Path) -> str:
    (draft / "train.py").unlink()
    (draft / "train.py").symlink_to(draft / "prepare.py")
    return "link"


def another_name(draft: Path) -> str:
    os.link(draft / "train.py", draft.parent / "second-name.py")
    return "hard link"


def made_a_program(draft: Path) -> str:
    set_x(3.0)(draft)
    (draft / "train.py").chmod(0o755)
    return "mode"


def evaluator_replaced(draft: Path) -> str:
    (draft / "prepare.py").unlink()
    (draft / "prepare.py").write_text("OFFSET = -100\n")
    return "evaluator"


def evaluator_pointed_elsewhere(draft: Path) -> str:
    (draft / "prepare.py").unlink()
    (draft.parent / "own.py").write_text("OFFSET = -100\n")
    (draft / "prepare.py").symlink_to(draft.parent / "own.py")
    return "evaluator"


@pytest.mark.parametrize(
    "edit", [swapped_for_a_link, another_name, made_a_program, evaluator_replaced, evaluator_pointed_elsewhere]
)
def test_links_modes_and_the_evaluator_are_no_edits(laboratory: Laboratory, edit: object) -> None:
    laboratory.make()
    laboratory.run(Edits({2: edit}), limit=2)  # type: ignore[dict-item]
    assert laboratory.words()[-1] == ("r0002", "violation", "invalid")
    assert (laboratory.project / "prepare.py").read_text() == "OFFSET = 0.5\n"


def test_what_is_run_is_the_stored_tree_and_not_the_folder_the_agent_worked_in(laboratory: Laboratory) -> None:
    laboratory.make()
    edits = Edits({2: set_x(2.0)})
    laboratory.run(edits, limit=2)
    draft = laboratory.home.root / "trees" / "draft-0"
    assert not (draft / "train.py").samefile(laboratory.home.root / "trees" / "0" / "train.py")
    (draft / "train.py").write_text("print('val_loss: -1')\n")
    candidate = kept_candidate(laboratory.home.run("r0002"))
    assert candidate is not None
    store = Store(laboratory.home.candidates)
    found = {row.path: row.sha for row in store.rows(candidate.snapshot.tree)}
    assert b"X = 2.0" in store.content(found["train.py"])


def test_a_changed_byte_of_the_contract_stops_the_loop_with_both_digests(laboratory: Laboratory) -> None:
    laboratory.make()
    evil = f"open({str(laboratory.project / 'prepare.py')!r}, 'w').write('OFFSET = -9')\nprint('val_loss: 0.1')\n"
    with pytest.raises(WorkFailed, match="tampered") as halted:
        laboratory.run(Edits({2: whole(evil)}), limit=3)
    assert laboratory.words()[-1] == ("r0002", "invalid", "revert")
    assert "prepare.py was" in str(halted.value)
    with pytest.raises(FlagstoneError, match="has changed since"):
        laboratory.run(Edits({3: set_x(2.0)}), limit=1)


def test_a_stopping_rule_may_be_raised_while_what_decides_may_not(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 2})
    assert laboratory.run(Edits({2: set_x(2.0)})) == "max_runs(2)"
    laboratory.make(stopping={"max_runs": 3})
    assert laboratory.run(Edits({3: set_x(2.5)})) == "max_runs(3)"
    laboratory.make(metric={"name": "val_loss", "direction": "max", "backend": "log"})
    with pytest.raises(FlagstoneError, match="has changed since"):
        laboratory.run(Edits({}))


@pytest.mark.parametrize(
    ("stopping", "ended", "count"),
    [
        ({"plateau": 2}, "plateau(2)", 4),
        ({"max_runs": 3}, "max_runs(3)", 3),
        ({"threshold": 1.5}, "primary_threshold", 2),
        ({"wall_h": 1e-9}, "wall_h", 1),
    ],
)
def test_each_condition_fires_at_exactly_its_run(
    laboratory: Laboratory, stopping: dict[str, float], ended: str, count: int
) -> None:
    laboratory.make(stopping=stopping)
    edits = {2: set_x(2.0), **{number: set_x(9.0 + number) for number in range(3, 9)}}
    assert laboratory.run(Edits(edits)) == ended
    assert len(laboratory.entries()) == count
    assert laboratory.run(Edits(edits)) == ended  # and stays so


def test_a_plateau_is_counted_on_over_a_restart(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"plateau": 3})
    edits = {number: set_x(9.0 + number) for number in range(2, 9)}
    for _ in range(8):
        if laboratory.run(Edits(edits), limit=1):
            break
    assert len(laboratory.entries()) == 4


def test_failures_count_towards_runs_but_not_towards_a_plateau(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"plateau": 2, "max_runs": 6})
    crash = whole("raise SystemExit(1)\n")
    edits = {2: crash, 3: set_x(9.0), 4: crash, 5: crash, 6: set_x(8.0)}
    assert laboratory.run(Edits(edits)) == "max_runs(6)"
    assert laboratory.entries()[-1].terminated_by == "max_runs(6)"


def test_a_broken_constraint_is_never_kept_and_says_its_value(laboratory: Laboratory) -> None:
    laboratory.make(constraints=["params <= 10", "wall_seconds <= 60"])
    source = "print('val_loss: {}')\nprint('params: {}')\n"
    laboratory.files = {**laboratory.files, "train.py": source.format(4.5, 5)}
    laboratory.make(constraints=["params <= 10", "wall_seconds <= 60"])
    laboratory.run(Edits({2: whole(source.format(0.1, 11)), 3: whole(source.format(0.2, 10))}), limit=3)
    assert [each.verdict for each in laboratory.entries()] == ["advance", "revert", "advance"]
    assert laboratory.entries()[1].reason == "params <= 10 does not hold: it is 11"
    assert not laboratory.entries()[1].valid


def test_a_guard_must_pass_before_anything_is_kept(laboratory: Laboratory) -> None:
    guard = [sys.executable, "-c", "import sys; sys.exit('X = 2.0' in open('train.py').read())"]
    laboratory.make(guard={"argv": guard})
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(2.5)}), limit=3)
    assert [each.verdict for each in laboratory.entries()] == ["advance", "revert", "advance"]
    assert "guard" in laboratory.entries()[1].reason


def test_unedited_files_that_do_not_run_end_the_loop_with_the_reason(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": "raise ValueError('no data here')\n"}
    with pytest.raises(WorkFailed, match="the unedited files do not run") as halted:
        laboratory.make().run(Edits({}))
    assert "no data here" in str(halted.value)


def test_step_evaluates_what_stands_in_the_working_files(laboratory: Laboratory) -> None:
    laboratory.make(proposer="none")
    laboratory.open()
    set_x(2.0)(laboratory.home.working)
    entry = laboratory.step("by hand")
    assert (entry.run_id, entry.verdict, entry.note) == ("r0002", "advance", "by hand")
    set_x(7.0)(laboratory.home.working)
    assert laboratory.step().verdict == "revert"
    assert "X = 2.0" in (laboratory.home.working / "train.py").read_text()


def test_an_edit_by_hand_is_set_aside_before_the_loop_puts_the_best_back(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)

    def while_the_agent_works(draft: Path) -> str:
        set_x(5.5)(laboratory.home.working)
        return set_x(2.5)(draft) or ""

    laboratory.run(Edits({3: while_the_agent_works}), limit=1)
    kept = list(laboratory.home.aside.rglob("train.py"))
    assert len(kept) == 1 and "X = 5.5" in kept[0].read_text()


def test_every_candidate_can_be_compared_and_is_a_git_commit_with_its_parent(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(9.0)}), limit=3)
    opened, entries = laboratory.open(), laboratory.entries()
    assert "+X = 9.0" in opened.subject.diff(entries[1].tree, entries[2].tree)
    commit = Store(laboratory.home.candidates).content(entries[2].commit)
    assert b"parent " + entries[1].commit.encode() in commit


def test_no_second_engine_works_on_an_experiment(laboratory: Laboratory) -> None:
    laboratory.make()

    def meanwhile(draft: Path) -> str:
        with pytest.raises(FlagstoneError, match="in use by process"):
            laboratory.run(Edits({}))
        return set_x(2.0)(draft) or ""

    laboratory.run(Edits({2: meanwhile}), limit=2)
    assert laboratory.words()[-1] == ("r0002", "ok", "advance")


def test_proposals_see_the_verdict_of_n_minus_lag_and_no_later_one(laboratory: Laboratory) -> None:
    laboratory.make(lag=3)
    edits = Edits({number: set_x(1.0 + number / 10) for number in range(2, 10)})
    laboratory.run(edits, limit=9)
    seen = {view.number: len(view.entries) for view in edits.views}
    assert seen == {number: max(number - 3, 1) for number in range(2, 10)}


def test_the_ledger_is_the_same_whatever_finishes_first(laboratory: Laboratory) -> None:
    slow = TRAIN + "import time\ntime.sleep({})\n"
    ledgers = []
    for naps in ((0.3, 0, 0.2, 0), (0, 0.3, 0, 0.2)):
        there = Laboratory(laboratory.folder / str(naps[0])).make(lag=4)
        sources = [slow.replace("({})", f"({nap})").replace("X = 1.0", f"X = {n}") for n, nap in enumerate(naps)]
        there.run(Edits({number + 2: whole(source) for number, source in enumerate(sources)}), limit=5)
        ledgers.append([(each.run_id, each.value, each.verdict, each.parent_run) for each in there.entries()])
    assert ledgers[0] == ledgers[1]


def test_with_rebase_an_old_edit_is_put_onto_the_best_and_measured_again(laboratory: Laboratory) -> None:
    train = "A = 1.0\n" + "# apart\n" * 8 + "B = 1.0\nprint(f'val_loss: {(A - 3) ** 2 + (B - 3) ** 2}')\n"
    laboratory.files = {"train.py": train}

    def edit(name: str, value: float) -> object:
        def change(draft: Path) -> str:
            path = draft / "train.py"
            path.write_text(path.read_text().replace(f"{name} = 1.0", f"{name} = {value}"))
            return f"{name} {value}"

        return change

    edits = {2: edit("A", 2.0), 3: edit("B", 2.0)}
    laboratory.make(lag=2, rebase=True)
    laboratory.run(Edits(edits), limit=3)  # type: ignore[arg-type]
    last = laboratory.entries()[-1]
    assert last.value == 2.0
    assert last.proposal["rebased_from"] == "r0001" and last.parent_run == "r0002"


def test_a_note_in_the_file_counts_once_whatever_stands_behind_it(laboratory: Laboratory) -> None:
    laboratory.files = {**laboratory.files, "train.py": 'RUN_NOTE = "start"\n' + TRAIN}
    laboratory.make(proposer="none")
    laboratory.open()
    path = laboratory.home.working / "train.py"
    path.write_text(path.read_text().replace('"start"', '"X\\t2 🎉"  # as planned').replace("X = 1.0", "X = 2.0"))
    assert laboratory.step().note == "X\t2 🎉"
    path.write_text(path.read_text().replace("X = 2.0", "X = 7.0"))
    assert laboratory.step().note == ""


def test_verdicts_are_told_in_the_words_that_were_asked_for(laboratory: Laboratory) -> None:
    laboratory.make()
    with engine_of(laboratory.open(), Edits({}), laboratory.said.append) as engine:
        replace(engine, lines=lambda home, entry, spec: (f"told of {entry.run_id}",)).run(1)
    assert laboratory.said == ["told of r0001"]
