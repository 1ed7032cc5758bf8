"""What the guard refused is given back: a run of its own from the refused files, judged on number and guard."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from actor import Actor, ended, writes
from laboratory import ROOT, TRAIN, Edits, Laboratory, killed_at, set_x

from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.engine.session import SessionLimits
from flagstone.experiments.proposers.agent import AgentProposer
from flagstone.records import Ledger

GUARD = {
    "argv": [sys.executable, "-c", "import sys; t=open('train.py').read(); sys.exit('BAD' in t and 'no BAD here')"]
}
BAD = {"guard": GUARD, "rework": 2}


def bad(x: float) -> str:
    return TRAIN.replace("X = 1.0", f"X = {x}") + "BAD = 1\n"


def put(source: str):  # type: ignore[no-untyped-def]
    def edit(draft: Path) -> str:
        (draft / "train.py").write_text(source)
        return source.splitlines()[2]

    return edit


def without_bad(draft: Path) -> str:
    path = draft / "train.py"
    path.write_text(path.read_text().replace("BAD = 1\n", "GOOD = 1\n"))
    return "the fix"


EDITS = {2: put(bad(2.0)), 3: without_bad, 4: set_x(0.0)}


def test_a_refused_win_is_edited_from_its_own_files_and_the_kept_one_is_what_was_measured(
    laboratory: Laboratory,
) -> None:
    laboratory.make(**BAD)
    laboratory.run(Edits(EDITS), limit=4)
    _, refused, rework, worse = laboratory.entries()
    assert (refused.verdict, refused.refused_by, refused.valid) == ("revert", "guard", False)
    assert (rework.verdict, rework.parent_run, rework.value) == ("advance", "r0002", 1.5)
    assert (rework.proposal["fixes"], rework.proposal["rework"], rework.base_run) == ("r0002", 1, "r0001")
    assert "X = 2.0" in (laboratory.home.best / "source" / "train.py").read_text()
    assert "GOOD" in (laboratory.home.working / "train.py").read_text()
    assert (worse.parent_run, "fixes" in worse.proposal) == ("r0003", False)


def test_a_rework_is_given_at_most_so_often_and_then_the_best_is_edited_again(laboratory: Laboratory) -> None:
    laboratory.make(**BAD)
    laboratory.run(Edits({number: put(bad(2.0 + number / 100)) for number in range(2, 9)}), limit=6)
    parents = [(each.parent_run, each.reworks) for each in laboratory.entries()]
    assert parents == [("", 0), ("r0001", 0), ("r0002", 1), ("r0003", 2), ("r0001", 0), ("r0005", 1)]


def test_without_the_key_nothing_is_given_back(laboratory: Laboratory) -> None:
    laboratory.make(guard=GUARD)
    laboratory.run(Edits(EDITS), limit=3)
    assert [each.parent_run for each in laboratory.entries()] == ["", "r0001", "r0001"]


def test_what_the_hidden_check_refused_is_not_given_back(laboratory: Laboratory) -> None:
    laboratory.make(hidden=GUARD, rework=2)
    laboratory.run(Edits(EDITS), limit=3)
    _, refused, after = laboratory.entries()
    assert (refused.refused_by, after.parent_run, after.reworks) == ("hidden", "r0001", 0)


def test_a_rework_that_passes_the_guard_and_is_no_better_is_not_kept(laboratory: Laboratory) -> None:
    laboratory.make(**BAD)
    laboratory.run(Edits({2: put(bad(2.0)), 3: put(TRAIN + "GOOD = 1\n")}), limit=3)
    last = laboratory.entries()[-1]
    assert (last.reworks, last.verdict, last.best_run) == (1, "revert", "r0001")


def test_a_comment_is_no_rework(laboratory: Laboratory) -> None:
    laboratory.make(**BAD)
    laboratory.run(Edits({2: put(bad(2.0)), 3: put(bad(2.0) + "# another try\n")}), limit=3)
    assert laboratory.entries()[-1].reason.startswith("nothing but comments")


def test_reworks_are_no_experiments_and_no_further_failures(laboratory: Laboratory) -> None:
    laboratory.make(**BAD, stopping={"max_experiments": 2})
    edits = Edits({number: put(bad(2.0 + number / 100)) for number in range(2, 30)})
    assert laboratory.run(edits) == "max_experiments(2)"
    assert [each.reworks for each in laboratory.entries()] == [0, 0, 1, 2, 0, 1, 2]
    assert [view.failures for view in edits.views] == [0, 1, 1, 1, 2, 2]


def test_the_last_experiment_has_its_reworks_too(laboratory: Laboratory) -> None:
    laboratory.make(**BAD, stopping={"max_experiments": 1})
    assert laboratory.run(Edits(EDITS)) == "max_experiments(1)"
    assert laboratory.words()[-1] == ("r0003", "ok", "advance")


@pytest.mark.parametrize("lag", [2, 3])
def test_every_refused_run_is_reworked_once_if_runs_are_proposed_ahead(laboratory: Laboratory, lag: int) -> None:
    laboratory.make(**BAD, lag=lag)
    laboratory.run(Edits({number: put(bad(2.0 + number / 100)) for number in range(2, 20)}), limit=2 + 2 * lag)
    fixed = [(each.proposal["fixes"], each.number) for each in laboratory.entries() if each.reworks == 1]
    assert fixed[0] == ("r0002", 2 + lag)
    assert len({name for name, _ in fixed}) == len(fixed)


def test_a_rework_is_found_again_after_a_kill_at_any_change(laboratory: Laboratory) -> None:
    laboratory.make(**BAD)
    laboratory.open()
    laboratory.run(Edits(EDITS), limit=2)
    for moment in range(1, 400, 11):
        there = laboratory.copy(f"moment-{moment}")
        was_killed = killed_at(moment, lambda here=there: here.run(Edits(EDITS), limit=1))  # type: ignore[misc]
        there.run(Edits(EDITS), limit=3 - len(there.entries()))
        rework = there.entries()[2]
        assert len(there.entries()) == 3
        assert (rework.verdict, rework.parent_run, rework.reworks) == ("advance", "r0002", 1), moment
        assert not Ledger(there.home.ledger).problems()
        if not was_killed:
            return
    pytest.fail("the work never came to its end")


def test_the_prompt_of_a_rework_says_what_the_guard_printed_and_all_its_rules(laboratory: Laboratory) -> None:
    actor = Actor([(writes(bad(2.0)), ended(text="Two.")), (lambda draft: without_bad(draft) and None, ended())])
    laboratory.make(**BAD, stopping={"max_runs": 3})
    with engine_of(laboratory.open(), AgentProposer(actor, ROOT / "prompts"), laboratory.said.append) as engine:
        engine.run()
    prompt = actor.calls[1].prompt
    for words in ("no BAD here", "+BAD = 1", "the version of r0002", "files that may change", "## Rules", "val_loss"):
        assert words in prompt
    assert laboratory.entries()[-1].verdict == "advance"


@pytest.mark.parametrize(
    ("limits", "word"),
    [(SessionLimits(usd=0.5), "session_usd"), (SessionLimits(tokens=230), "session_tokens")],
)
def test_a_session_ends_before_the_run_that_would_begin_after_its_limit(
    laboratory: Laboratory, limits: SessionLimits, word: str
) -> None:
    actor = Actor([(writes(bad(2.0)), ended()), (writes(bad(2.1)), ended())])  # 0.25 USD and 115 tokens each
    laboratory.make(**BAD)
    with engine_of(laboratory.open(), AgentProposer(actor, ROOT / "prompts"), laboratory.said.append) as engine:
        assert engine.run(10, limits) == word
    assert len(laboratory.entries()) == 1 + 2
    assert laboratory.entries()[-1].terminated_by == ""


def test_no_run_begins_in_a_session_without_time(laboratory: Laboratory) -> None:
    laboratory.make()
    with engine_of(laboratory.open(), Edits({}), laboratory.said.append) as engine:
        assert engine.run(10, SessionLimits(wall_s=0)) == "session_wall"
    assert laboratory.words() == []
