"""A registry that cannot be asked is no fault of the agent: the draft waits, and nobody is called again for it."""

from __future__ import annotations

import json

import pytest
from answering_desk import Desk

from flagstone.artifacts import RuleCheck
from flagstone.drafting import inspection
from flagstone.errors import Paused
from flagstone.gates.runs.run_config import open_run
from flagstone.layout import Project
from flagstone.records import write_record
from flagstone.setup.new_run import NewRun, create
from flagstone.status import run_status


class Paper:
    """Builds of a paper, as the registries answer: how often they are away, and what else is wrong."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.builds, self.away, self.others = desk, 0, 0, list[RuleCheck]()
        monkeypatch.setattr(inspection, "built_paper", lambda *_: self.build())

    def build(self) -> list[RuleCheck]:
        self.builds += 1
        is_away = self.builds <= self.away
        record = {"waits_for": ["fisher1935design"] if is_away else []}
        write_record(self.desk.run.paper / "citation_verification.json", record)
        status = "failed" if is_away else "passed"
        return [RuleCheck("citation-verification", status, "fisher1935design is UNREACHABLE"), *self.others]


@pytest.fixture
def desk(project: Project) -> Desk:
    sets = {"agent": "claude", "limits": {"retry_s": 3, "outage_s": 100}}
    return Desk(open_run(project, create(project, NewRun("attn", "Does it help?", sets=sets))))


@pytest.fixture
def paper(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Paper:
    return Paper(desk, monkeypatch)


def test_the_draft_waits_until_the_registries_answer(desk: Desk, paper: Paper) -> None:
    paper.away = 4
    desk.build()
    assert (len(desk.calls), desk.waits) == (1, [3.0, 6.0, 12.0, 24.0])
    assert any("waiting for the registries that know fisher1935design" in line for line in desk.said)
    assert desk.summary()


def test_registries_that_stay_away_pause_the_stage_with_the_cures(desk: Desk, paper: Paper) -> None:
    paper.away = 1000
    with pytest.raises(Paused, match="is paused: no registry of works could be asked about fisher1935design") as paused:
        desk.build()
    assert len(desk.calls) == 1 and 100 <= sum(desk.waits) < 200
    assert "no attempt was used up" in paused.value.hint
    assert "flagstone paper cite waive fisher1935design --run attn" in paused.value.hint
    assert run_status(desk.opened, desk.run.root).stages[0].state == "paused"


def test_the_next_run_judges_the_same_draft_and_calls_nobody(desk: Desk, paper: Paper) -> None:
    paper.away = 1000
    with pytest.raises(Paused):
        desk.build()
    paper.away = 0
    desk.build()
    assert len(desk.calls) == 1 and desk.summary()
    checks = json.loads((desk.run.drafts("01") / "001" / "checks.json").read_text())["checks"]
    assert all(check["status"] != "failed" for check in checks)


def test_a_fault_that_the_agent_can_cure_is_not_waited_for(desk: Desk, paper: Paper) -> None:
    paper.away, paper.others = 1, [RuleCheck("paper-lint", "failed", "a typed number")]
    desk.answers *= 2
    with pytest.raises(Exception, match="paper-lint"):
        desk.build()
    assert desk.waits == [] and len(desk.calls) == 3
