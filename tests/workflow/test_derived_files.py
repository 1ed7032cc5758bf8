"""memory.md, handoff/ and manifest.json say what holds now, whoever decided or built it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workbench import STAGES, Place, Study


def manifest(study: Study) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(study.files.manifest.read_text())
    return found


def states(study: Study) -> list[str]:
    return [row["state"] for row in manifest(study)["stages"]]


def remembered(study: Study) -> list[str]:
    """The stages that memory.md and handoff/ tell of; they must be the same."""
    memory = study.files.memory.read_text()
    found = [nr for nr in study.built() if study.summary(nr).read_text() in memory]
    assert found == [nr for nr in STAGES if study.files.handoff(nr).is_file()]
    return found


def test_a_run_that_was_approved_by_yes_is_done_in_its_manifest(whole: Study) -> None:
    assert manifest(whole)["state"] == "done" and set(states(whole)) == {"done"}
    assert remembered(whole) == list(STAGES)


def test_a_flag_that_is_removed_takes_back_everything_that_rests_on_it(place: Place, whole: Study) -> None:
    whole.files.flag("03").unlink()
    assert place.snakemake().code == 0
    assert remembered(whole) == ["01", "02"]
    assert states(whole) == ["done", "done", "waits for you", *["held"] * 5]

    whole.touch("03")
    assert place.snakemake().code == 0
    assert remembered(whole) == list(STAGES) and manifest(whole)["state"] == "done"


def test_a_touch_is_remembered_before_and_after_the_next_stage_is_built(place: Place, third: Study) -> None:
    third.touch("03")
    assert place.snakemake().code == 0
    assert remembered(third) == ["01", "02", "03"]
    assert states(third)[2:4] == ["done", "waits for you"]


def test_a_policy_of_the_run_is_in_the_manifest(place: Place, third: Study) -> None:
    third.set(approval={"default": "person", "03": "auto"})
    assert place.snakemake().code == 0
    assert remembered(third) == ["01", "02", "03"]
    row = manifest(third)["stages"][2]
    assert (row["state"], row["decisions"][-1]["how"]) == ("done", "policy")


@pytest.mark.parametrize("words", [("approve", "03"), ("rollback", "02"), ("refine", "02", "shorter"), ("redo", "01")])
def test_a_command_leaves_nothing_behind_that_is_not_so(place: Place, third: Study, words: tuple[str, ...]) -> None:
    assert place.flagstone(*words).code == 0
    expected = {"approve": ["01", "02", "03"], "rollback": ["01"], "refine": ["01"], "redo": []}[words[0]]
    assert remembered(third) == expected
    assert states(third)[: len(expected)] == ["done"] * len(expected)
    assert "done" not in states(third)[len(expected) :]


def test_a_run_that_is_stopped_by_hand_is_stopped_in_its_manifest(place: Place, third: Study) -> None:
    (third.root / "aborted").write_text("superseded\n")
    assert place.snakemake().code == 0
    assert manifest(third)["state"] == "aborted"
    assert place.flagstone("resume", "t").code == 0
    assert manifest(third)["state"] == "waits for you"


def test_what_is_derived_comes_back_when_it_was_deleted_or_edited(place: Place, third: Study) -> None:
    before = third.files.memory.read_text()
    third.files.manifest.unlink()
    third.append("memory.md")
    assert place.snakemake().code == 0
    assert third.files.memory.read_text() == before and manifest(third)["state"] == "waits for you"


def test_a_dry_run_derives_nothing(place: Place, third: Study) -> None:
    third.files.flag("02").unlink()
    before = third.tree()
    assert place.snakemake("-n").code == 0
    assert third.tree() == before


def test_the_goal_is_the_one_in_the_brief(place: Place, third: Study) -> None:
    assert "goal:" not in third.files.settings.read_text()
    third.files.brief.write_text(third.files.brief.read_text().replace("Does it work?", "Does it hold?"))
    assert place.flagstone("status", "t").text.startswith("t: Does it hold?")


def test_a_goal_in_a_run_yaml_of_an_earlier_version_is_accepted_and_named_once(place: Place, third: Study) -> None:
    third.set(goal="Does it work as it did?")
    said = place.snakemake()
    assert said.code == 0 and "run.yaml sets goal, which" in said.text
    assert "run.yaml sets goal, which" not in place.snakemake().text
    assert place.flagstone("status", "t").text.startswith("t: Does it work?")
