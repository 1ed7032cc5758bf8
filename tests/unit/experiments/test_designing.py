"""The agent designs the next experiment: what it is asked, what is made of its answer, and what that may cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from actor import Actor, ended, nothing
from laboratory import ROOT, Edits, Laboratory, set_x

from flagstone.agents.protocol import AgentResult, CallOutcome, Mode
from flagstone.errors import Interrupted, WorkFailed
from flagstone.experiments.engine.chain import NextExperiment, begin_child, child_of
from flagstone.experiments.engine.designer import TRIES, Designer, spent_limit
from flagstone.experiments.ledger.ledger import History
from flagstone.experiments.proposers.agent import AgentProposer

ANSWER = {"name": "two", "goal": "lower", "rationale": "r0002 moved it", "scope": ["the rate"]}
DESIGNED = ended(structured=ANSWER)


@pytest.fixture
def parent(laboratory: Laboratory) -> Laboratory:
    laboratory.make(stopping={"max_runs": 2, "cost_usd": 4.0, "wall_h": 2.0})
    laboratory.run(Edits({2: set_x(2.0)}))
    return laboratory


def design(
    parent: Laboratory, *results: AgentResult, names: tuple[str, ...] = ("one",)
) -> tuple[NextExperiment, Actor, list[float]]:
    actor, waited = Actor([(nothing, result) for result in results]), list[float]()
    proposer = AgentProposer(actor, ROOT / "prompts", sleep=waited.append)
    designer = Designer(proposer, parent.open(), History.read(parent.home).progress)
    return designer.design("# what was tried\n\nr0002 helped", list(names)), actor, waited


def test_the_agent_reads_the_report_and_may_change_nothing(parent: Laboratory) -> None:
    wanted, actor, _ = design(parent, DESIGNED)
    assert (wanted.name, wanted.goal, wanted.rationale, wanted.scope) == (
        "two",
        "lower",
        "r0002 moved it",
        ("the rate",),
    )
    (call,) = actor.calls
    assert "r0002 helped" in call.prompt and call.mode is Mode.JUDGE and call.writable == ()
    assert (call.record_dir / "prompt.md").is_file() and call.record_dir.is_relative_to(parent.home.root)


def test_what_is_left_of_money_and_hours_is_what_the_child_may_take(parent: Laboratory) -> None:
    wanted, actor, _ = design(parent, DESIGNED)
    used_h = History.read(parent.home).progress.wall_s / 3600
    assert wanted.budget == {"cost_usd": 3.75, "wall_h": pytest.approx(2.0 - used_h)}
    assert actor.calls[0].limits.cost_usd is not None and actor.calls[0].limits.cost_usd <= 4.0


def test_a_limit_that_is_used_up_ends_the_chain(parent: Laboratory) -> None:
    progress = History.read(parent.home).progress
    assert spent_limit(parent.open(), progress) == ""
    assert spent_limit(parent.open(), replace(progress, cost_usd=4.0)) == "cost_usd"


def test_a_name_that_is_taken_gets_a_number(parent: Laboratory) -> None:
    wanted, _, _ = design(parent, DESIGNED, names=("one", "two", "two-2"))
    assert wanted.name == "two-3"


def test_an_answer_without_form_is_asked_for_once_more(parent: Laboratory) -> None:
    wanted, actor, _ = design(parent, ended(CallOutcome.SCHEMA), DESIGNED)
    assert wanted.name == "two" and len(actor.calls) == 2
    assert actor.calls[0].record_dir != actor.calls[1].record_dir


def test_a_busy_service_is_waited_for(parent: Laboratory) -> None:
    _, _, waited = design(parent, ended(CallOutcome.RETRYABLE, retry_after_s=7.0), DESIGNED)
    assert waited == [7.0]


def test_an_agent_that_designs_nothing_is_not_asked_for_ever(parent: Laboratory) -> None:
    with pytest.raises(WorkFailed, match="the agent designed no experiment after one") as raised:
        design(parent, ended(CallOutcome.SCHEMA))
    assert "experiment chain one NEXT" in raised.value.hint
    assert len(list((parent.home.root / "design").iterdir())) == TRIES
    assert child_of(parent.home) is None


def test_a_stop_is_a_stop(parent: Laboratory) -> None:
    with pytest.raises(Interrupted):
        design(parent, ended(CallOutcome.INTERRUPTED))


def test_an_unknown_cost_of_the_design_counts_as_all_it_was_allowed(parent: Laboratory) -> None:
    parent.make(stopping={"max_runs": 2, "cost_usd": 4.0}, agent={"cost_usd": 1.5})
    wanted, _, _ = design(parent, replace(DESIGNED, cost_usd=None))
    assert wanted.budget == {"cost_usd": 2.5}
    parent.make(stopping={"max_runs": 2, "cost_usd": 4.0})
    with pytest.raises(WorkFailed, match="may be used up"):
        design(parent, replace(DESIGNED, cost_usd=None))


def test_a_call_that_designed_nothing_is_paid_for_as_well(parent: Laboratory) -> None:
    wanted, _, _ = design(parent, ended(CallOutcome.SCHEMA, cost_usd=1.0), DESIGNED)
    assert wanted.budget is not None and wanted.budget["cost_usd"] == 2.75


def test_another_metric_has_the_direction_that_its_name_says(parent: Laboratory) -> None:
    for metric, direction in (("accuracy", "max"), ("val_error", "min")):
        wanted, _, _ = design(parent, ended(structured={**ANSWER, "name": metric, "metric": metric}))
        best = History.read(parent.home).progress.best
        child = begin_child(parent.open(), best, "# report", wanted, ROOT / "schemas")
        assert child.spec.metric.direction == direction
