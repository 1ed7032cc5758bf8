"""Proposers in the real loop: what they propose is run, judged and written down."""

from __future__ import annotations

from pathlib import Path

from actor import Actor, ended, nothing, writes
from laboratory import ROOT, TRAIN, Laboratory

from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.proposers.agent import AgentProposer
from flagstone.experiments.proposers.protocol import Proposer
from flagstone.experiments.proposers.registry import proposer_for


def run(laboratory: Laboratory, limit: int | None = None, proposer: Proposer | None = None) -> str:
    opened = laboratory.open()
    chosen = proposer or proposer_for(opened.spec, ROOT / "prompts")
    with engine_of(opened, chosen, laboratory.said.append) as engine:
        return engine.run(limit)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_an_experiment_of_a_script_ends_when_the_script_does(laboratory: Laboratory) -> None:
    laboratory.make(proposer="scripted", script="edits")
    for number, x in ((2, 2.0), (3, 3.0)):
        source = laboratory.files["train.py"].replace("X = 1.0", f"X = {x}")
        write(laboratory.project / "edits" / f"{number:04d}" / "train.py", source)
    assert run(laboratory) == "proposals"
    assert [verdict for _, _, verdict in laboratory.words()] == ["advance"] * 3


def test_a_search_comes_nearer_and_the_same_seed_gives_the_same_runs(tmp_path: Path) -> None:
    told = {"proposer": "search", "search": {"parameters": {"X": {"low": -10, "high": 10}}}, "seed": 1}
    runs = []
    for name in ("one", "two"):
        here = Laboratory(tmp_path / name).make(**told, stopping={"max_runs": 15})
        assert run(here) == "max_runs(15)"
        runs.append([(each.verdict, each.tree, each.value, each.note, each.proposal) for each in here.entries()])
    assert runs[0] == runs[1]
    first, *_, last = here.entries()
    assert first.value
    assert last.best_value
    assert last.best_value < first.value


def test_a_crash_is_mended_by_an_agent_that_is_shown_its_edit_and_its_log(laboratory: Laboratory) -> None:
    broken = TRAIN.replace("X = 1.0", "X = 3.0 / 0")
    mended = 'RUN_NOTE = "three, without the division"\n' + TRAIN.replace("X = 1.0", "X = 3.0")
    plays = [(writes(broken), ended(text="Try three.")), (writes(mended), ended()), (nothing, ended(text="Done."))]
    actor = Actor(plays)
    laboratory.make(stopping={"max_runs": 4})
    run(laboratory, proposer=AgentProposer(actor, ROOT / "prompts"))
    first, crash, fix, idle = laboratory.entries()
    assert [each.status for each in (first, crash, fix, idle)] == ["ok", "crash", "ok", "invalid"]
    assert (crash.note, fix.note, fix.proposal["fixes"]) == ("Try three.", "three, without the division", "r0002")
    assert (fix.verdict, fix.cost_usd) == ("advance", 0.25)
    asked = actor.calls[1].prompt
    assert "+X = 3.0 / 0" in asked
    assert "ZeroDivisionError" in asked
    assert actor.calls[1].task.run_root == laboratory.home.run("r0003").draft
    assert "one more chance" not in actor.calls[2].prompt
    assert "three, without the division" in actor.calls[2].prompt
    assert idle.reason == "no proposal: nothing was changed (Done.)"


def test_an_agent_that_touches_what_is_not_its_own_makes_a_violation(laboratory: Laboratory) -> None:
    def act(draft: Path) -> None:
        (draft / "train.py").write_text(TRAIN.replace("1.0", "3.0"))
        (draft / "conftest.py").write_text("")

    laboratory.make(stopping={"max_runs": 2})
    run(laboratory, proposer=AgentProposer(Actor([(act, ended())]), ROOT / "prompts"))
    assert laboratory.words()[1] == ("r0002", "violation", "invalid")
