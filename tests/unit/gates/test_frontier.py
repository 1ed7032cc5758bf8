"""How far a call of Snakemake may build: up to each first closed gate, and never past it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moments import TABLE, approved, built, moment, unbuilt

from flagstone.errors import FlagstoneError
from flagstone.gates.frontier import Call, Frontier
from flagstone.gates.judge import judge_gates
from flagstone.gates.moment import Moment, StageFiles
from flagstone.layout import Run
from flagstone.stages import Stage


@dataclass
class Looking(Frontier):
    """A frontier of a call that changes nothing (`-n`), which sees one given moment."""

    given: Moment = field(default_factory=moment)

    def look(self) -> Moment:
        self.verdicts = judge_gates(self.given)
        return self.given


def frontier(*files: StageFiles, **call: Any) -> Looking:
    settings = SimpleNamespace(approver=lambda nr: "person")
    opened: Any = SimpleNamespace(run=Run(Path("runs/t")), table=TABLE, settings=settings)
    given = {"executing": lambda: False, "forced": lambda stage: False, "here": Path(), **call}
    return Looking(opened, Call(**given), given=moment(*files))


def wanted(found: Frontier) -> list[str]:
    return [path.name[:2] for path in found.targets(lambda stage: None)]


def test_stages_are_built_up_to_the_first_closed_gate() -> None:
    assert wanted(frontier(unbuilt("01"))) == ["01"]
    assert wanted(frontier(approved("01"), built("02"))) == ["01", "02"]
    waiting = frontier(approved("01"), replace(approved("02"), flag=None), approved("03"))
    assert wanted(waiting) == ["01", "02"]
    assert waiting.closing_line.endswith("touch runs/t/approved/02.flag") and not waiting.is_done


def test_the_last_approval_ends_the_run() -> None:
    found = frontier(approved("01"), approved("02"), approved("03"))
    assert wanted(found) == ["01", "02", "03"]
    assert found.is_done and "every stage is approved" in found.closing_line


def test_a_person_may_ask_for_less() -> None:
    found = frontier(approved("01"), approved("02"), approved("03"), upto="02")
    assert wanted(found) == ["01", "02"] and found.is_done
    assert "reached stage 02" in found.closing_line


def test_a_stage_gets_the_documents_and_flags_that_it_rests_on() -> None:
    documents, flags = frontier(approved("01"), approved("02")).inputs(TABLE.stage("03"), lambda stage: None)
    assert [path.name for path in (*documents, *flags)] == ["02_stage_02.md", "02.flag"]


@pytest.mark.parametrize("closed", [built("01"), replace(approved("01"), flag=None), replace(approved("01"), redo=1)])
def test_a_stage_that_is_asked_for_behind_a_closed_gate_is_refused(closed: StageFiles) -> None:
    with pytest.raises(FlagstoneError, match="stage 03 stage_03 is behind a closed gate") as refusal:
        frontier(closed, approved("02")).inputs(TABLE.stage("03"), lambda stage: None)
    assert "stage 01" in refusal.value.hint


def test_nothing_is_asked_about_a_stage_before_those_it_rests_on_are_up_to_date() -> None:
    seen: list[str] = []

    def bring_up_to_date(stage: Stage) -> None:
        seen.append(stage.nr)
        if stage.nr == "02":
            raise LookupError("Snakemake builds it first")

    with pytest.raises(LookupError):
        frontier(approved("01"), approved("02"), approved("03")).targets(bring_up_to_date)
    assert seen == ["01", "02"]


@pytest.mark.parametrize(
    ("files", "is_approved"),
    [
        (built("01"), True),
        (replace(approved("01"), flag=None), False),
        (replace(approved("01"), settings={"model": "opus"}), False),
    ],
)
def test_yes_approves_new_work_and_nothing_that_is_a_persons_to_decide(
    files: StageFiles, is_approved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided: list[str] = []
    monkeypatch.setattr(
        "flagstone.gates.frontier.approve", lambda run, verdict, decision: decided.append(decision.policy)
    )
    found = frontier(files, executing=lambda: True, approve_all="yes")
    found.look()
    found.settle(found.verdicts["01"])
    assert decided == (["yes"] if is_approved else [])


def test_a_graph_phase_reads_listed_files_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    module, reads, clock = "flagstone.gates.frontier", list[int](), [10.0]
    monkeypatch.setattr(f"{module}.marks_of", lambda opened: None)
    monkeypatch.setattr(f"{module}.read_moment", lambda opened: reads.append(1) or moment(unbuilt("01")))
    monkeypatch.setattr(f"{module}.time.monotonic", lambda: clock[0])
    settings = SimpleNamespace(approver=lambda nr: "person")
    opened: Any = SimpleNamespace(run=Run(Path("runs/t")), table=TABLE, settings=settings)
    found = Frontier(opened, Call(executing=lambda: False, forced=lambda stage: False, here=Path()))
    for at, count in ((10.0, 1), (10.1, 1), (11.0, 2)):
        clock[0] = at
        assert wanted(found) == ["01"] and len(reads) == count
