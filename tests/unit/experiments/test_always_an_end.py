"""An experiment ends by itself: also one whose proposer goes on without a proposal."""

from __future__ import annotations

from pathlib import Path

from actor import Actor, ended, nothing, writes
from laboratory import ROOT, TRAIN, Edits, Laboratory, set_x

from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.ledger.ledger import History
from flagstone.experiments.ledger.lines import verdict_line
from flagstone.experiments.proposers.agent import AgentProposer
from flagstone.experiments.reporting.status import last_text, position_of, status_text
from flagstone.experiments.reporting.summary import kind_of


def unchanged(draft: Path) -> str:
    return "looked around"


def test_ten_runs_in_a_row_without_a_proposal_end_the_loop_and_a_restart_does_not_begin_to_count_anew(
    laboratory: Laboratory,
) -> None:
    laboratory.make(stopping={"max_runs": 100})
    edits = Edits({2: unchanged, 3: set_x(2.0), **dict.fromkeys(range(4, 40), unchanged)})
    assert laboratory.run(edits, limit=8) == ""
    opened = laboratory.open()
    assert "proposals 5/10" in status_text(position_of(opened.home, opened.spec))
    assert laboratory.run(edits) == "proposals(10)"
    last = laboratory.entries()[-1]
    assert (last.number, last.should_terminate, last.terminated_by) == (13, True, "proposals(10)")
    assert laboratory.run(edits) == "proposals(10)"
    assert len(laboratory.entries()) == 13
    assert "ended by proposals(10)" in status_text(position_of(opened.home, opened.spec))


def test_what_is_remembered_of_a_ledger_counts_as_the_ledger_does(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 100})
    edits = Edits(dict.fromkeys(range(2, 40), unchanged))
    laboratory.run(edits, limit=7)
    with engine_of(laboratory.open(), edits, laboratory.said.append) as engine:
        engine.history.remember()
    assert History.read(laboratory.home).progress.idle == 6
    assert laboratory.run(edits) == "proposals(10)"
    assert len(laboratory.entries()) == 11


def test_a_resume_counts_for_the_calls_after_it_too(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"proposals": 2})
    edits = Edits(dict.fromkeys(range(2, 40), unchanged))
    assert laboratory.run(edits) == "proposals(2)"
    with engine_of(laboratory.open(), edits, laboratory.said.append) as engine:
        engine.history.count_anew()
        assert engine.run(1) == ""
    assert laboratory.run(edits) == "proposals(2)"
    assert len(laboratory.entries()) == 1 + 2 + 2


def test_an_agent_that_changes_nothing_ends_the_loop_with_the_same_words(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 20, "proposals": 3})
    idle = AgentProposer(Actor([(nothing, ended())]), ROOT / "prompts")
    with engine_of(laboratory.open(), idle, laboratory.said.append) as engine:
        assert engine.run() == "proposals(3)"
    assert laboratory.entries()[-1].reason == "no proposal: nothing was changed"


def test_a_person_who_raises_the_limit_continues(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 20, "proposals": 2})
    assert laboratory.run(Edits({2: unchanged, 3: unchanged})) == "proposals(2)"
    laboratory.make(stopping={"max_runs": 4, "proposals": 3})
    better = AgentProposer(Actor([(writes(TRAIN.replace("1.0", "3.0")), ended())]), ROOT / "prompts")
    with engine_of(laboratory.open(), better, laboratory.said.append) as engine:
        assert engine.run() == "max_runs(4)"
    assert laboratory.words()[-1] == ("r0004", "ok", "advance")


def test_a_run_without_a_proposal_is_called_so_wherever_it_is_shown(laboratory: Laboratory) -> None:
    laboratory.make(stopping={"max_runs": 2})
    laboratory.run(Edits({2: unchanged}))
    entry, spec = laboratory.entries()[-1], laboratory.open().spec
    assert verdict_line(entry, spec).startswith("r0002 no proposal: nothing was changed")
    position = status_text(position_of(laboratory.home, spec))
    assert "2 total (1 advance / 0 revert / 0 crash / 1 no proposal)" in position
    assert "last: r0002 no proposal" in position
    assert "invalid  no proposal" in last_text([entry])
    assert kind_of(entry) == "no proposal: nothing was changed"
