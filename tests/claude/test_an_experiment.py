"""An experiment whose edits the real Claude Code proposes: what it may change is measured, all else is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from desk import IMPATIENT, MODEL, Desk
from messages_api import MessagesApi, Says, use

from flagstone.agents.accounts.calls import lines_of, records_of
from flagstone.experiments.engine.designer import Designer
from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.engine.opening import open_experiment
from flagstone.experiments.ledger.ledger import History, entries_of
from flagstone.experiments.proposers.agent import AgentProposer
from flagstone.experiments.proposers.protocol import AgentSetup
from flagstone.plans.folder import Home

ROOT = Path(__file__).resolve().parents[2]
TRAIN = "import prepare\nX = 1.0\nprint('val_loss:', (X - 3) ** 2 + prepare.OFFSET)\n"


@pytest.fixture
def home(desk: Desk) -> Home:
    """A project with an evaluator beside what may change, and an experiment in it."""
    project = desk.folder / "project"
    home = Home(project / ".flagstone" / "experiments" / "one", project)
    home.root.mkdir(parents=True)
    (project / "train.py").write_text(TRAIN)
    (project / "prepare.py").write_text("OFFSET = 0.5\n")
    spec = {
        "goal": "less loss",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": [sys.executable, "train.py"], "seconds": 60},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "agent": {"model": MODEL, "options": IMPATIENT},
    }
    home.spec.write_text(yaml.safe_dump(spec))
    return home


def test_its_edits_are_measured_and_its_reach_for_the_evaluator_is_refused(
    desk: Desk, api: MessagesApi, home: Home
) -> None:
    first, second = (home.run(name).draft for name in ("r0002", "r0003"))
    api.plays(
        use("Read", file_path=str(first / "train.py")),
        use("Edit", file_path=str(first / "train.py"), old_string="X = 1.0", new_string="X = 2.0"),
        Says("X 1.0 to 2.0"),
        use("Read", file_path=str(second / "prepare.py")),
        use("Edit", file_path=str(second / "prepare.py"), old_string="OFFSET = 0.5", new_string="OFFSET = -9"),
        use("Write", file_path=str(home.ledger), content="forged"),
        Says("a better evaluator"),
    )
    opened = open_experiment(home, ROOT / "schemas")
    said: list[str] = []
    with engine_of(opened, AgentProposer(desk.agent, ROOT / "prompts", AgentSetup(IMPATIENT)), said.append) as engine:
        engine.run(3)
    entries = list(entries_of(home.ledger))
    assert [(each.run_id, each.verdict, each.value) for each in entries] == [
        ("r0001", "advance", 4.5),
        ("r0002", "advance", 1.5),
        ("r0003", "revert", None),
    ]
    assert entries[1].note == "X 1.0 to 2.0"
    assert entries[1].cost_usd is not None and entries[1].cost_usd > 0
    assert entries[2].status in ("invalid", "violation")
    assert (home.base / "prepare.py").read_text() == "OFFSET = 0.5\n"
    assert [line.experiment for line in lines_of(home.log)] == ["one", "one"]


def test_it_designs_the_next_experiment_with_no_tool_in_its_hands(desk: Desk, api: MessagesApi, home: Home) -> None:
    opened = open_experiment(home, ROOT / "schemas")
    proposer = AgentProposer(desk.agent, ROOT / "prompts", AgentSetup(IMPATIENT))
    with engine_of(opened, proposer, lambda _: None) as engine:
        engine.run(1)
    api.plays(
        use("Write", file_path=str(home.ledger), content="forged"),
        use("StructuredOutput", name="two", goal="lower still", rationale="r0001 is only the baseline"),
    )
    wanted = Designer(proposer, opened, History.read(home).progress).design("r0001 is the best", ["one"])
    assert (wanted.name, wanted.rationale) == ("two", "r0001 is only the baseline")
    assert [each.run_id for each in entries_of(home.ledger)] == ["r0001"]
    assert [line["mode"] for line in records_of(home.log)] == ["judge"]
