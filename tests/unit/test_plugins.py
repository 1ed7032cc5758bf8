"""Other distributions add agents, readers of metrics and proposers; a broken one is named, not crashed on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flagstone import schemas
from flagstone.agents.registry import agent_named
from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers.registry import proposer_for
from flagstone.layout import Project, Run
from flagstone.metrics import Place, faults, read_metrics
from flagstone.settings import load_settings

CHECKOUT = Path(__file__).parents[2]
SCHEMAS = CHECKOUT / "schemas"
CODE = """
from flagstone.metrics import Reading


class Agent:
    name = "parrot"

    def __init__(self, options):
        self.options = options

    def fault(self):
        return None


def read(options, place, wanted):
    return Reading({"loss": 0.5}, "parrot")


class Proposer:
    def __init__(self, spec):
        self.spec = spec


def explode(*_):
    raise ValueError("no feathers")
"""
ENTRY_POINTS = """
[flagstone.agents]
parrot = flagstone_parrot:Agent
burst = flagstone_parrot:explode
lost = flagstone_nowhere:Agent

[flagstone.metrics]
parrot = flagstone_parrot:read

[flagstone.proposers]
parrot = flagstone_parrot:Proposer
"""


@pytest.fixture(autouse=True)
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution as pip leaves it, in a folder that Python looks into."""
    folder = tmp_path / "site"
    metadata = folder / "flagstone_parrot-2.dist-info"
    metadata.mkdir(parents=True)
    (folder / "flagstone_parrot.py").write_text(CODE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: flagstone-parrot\nVersion: 2\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(folder)


def test_an_agent_of_another_distribution_is_set_like_ours(tmp_path: Path) -> None:
    run = Run(tmp_path / "attn")
    run.root.mkdir()
    run.settings.write_text("goal: Does it help?\nagent: parrot\nparrot: {words: 3}\nstages: {'03': {agent: parrot}}\n")
    settings = load_settings(Project(CHECKOUT, tmp_path), run).for_stage("03")
    agent = agent_named(settings.agent, settings.options)
    assert (agent.name, vars(agent)) == ("parrot", {"options": {"words": 3}})


def test_the_options_of_an_unknown_agent_are_still_an_unknown_key() -> None:
    [problem] = schemas.problems(SCHEMAS, "settings", {"agent": "parrot", "parrot": {}, "kakapo": {}})
    assert problem == "unknown key 'kakapo'"


def test_a_misspelt_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    [problem] = schemas.problems(SCHEMAS, "settings", {"agent": "parot"})
    assert problem.endswith("(did you mean 'parrot'?)")
    with pytest.raises(FlagstoneError) as refused:
        agent_named("parot")
    assert "did you mean 'parrot'?" in refused.value.hint


@pytest.mark.parametrize(("name", "why"), [("burst", "ValueError: no feathers"), ("lost", "No module named")])
def test_a_broken_plugin_is_an_error_that_names_its_distribution(name: str, why: str) -> None:
    with pytest.raises(FlagstoneError) as refused:
        agent_named(name)
    assert f"the agent {name!r} of flagstone-parrot failed" in refused.value.problem
    assert why in refused.value.problem
    assert "flagstone-parrot" in refused.value.hint


def test_a_number_can_be_read_by_another_distribution(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "log", 0.0, 0.0)
    reading = read_metrics("parrot", {}, place, ["loss"])
    assert (reading.values, reading.backend) == ({"loss": 0.5}, "parrot")
    assert faults("parrot", {}) == []
    assert faults("parot", {})


def test_edits_can_be_proposed_by_another_distribution() -> None:
    spec: Any = SimpleNamespace(name="lr", proposer="parrot")
    assert vars(proposer_for(spec, CHECKOUT / "prompts")) == {"spec": spec}


def test_one_of_ours_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site" / "flagstone_parrot-2.dist-info"
    (folder / "entry_points.txt").write_text("[flagstone.agents]\ndemo = flagstone_parrot:Agent\n")
    assert type(agent_named("demo")).__module__.startswith("flagstone.")
