"""The run's own settings for a stage, and the project's: which changes rerun a stage, and which close its gate."""

from __future__ import annotations

import pytest
import yaml
from workbench import CHECKOUT, Place, Study


def change_prompt(study: Study, nr: str) -> None:
    study.append(study.files.pinned / "prompts" / f"{study.key(nr)}.md.j2", "\nOne more sentence.\n")


CHANGES = {
    "model": (lambda study: study.set(stages={"02": {"model": "opus"}}), "model"),
    "prompt": (lambda study: change_prompt(study, "02"), "the prompt changed"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_setting_of_an_approved_stage_is_reported_and_reruns_nothing(
    place: Place, third: Study, what: str
) -> None:
    change, words = CHANGES[what]
    before = third.counts()
    change(third)
    said = place.snakemake()
    assert said.code == 0 and third.counts() == before
    assert "stage 02 hypothesis_generation is stale" in said.last and words in said.last

    third.touch("02")  # accepted as it is, without a rerun
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last and third.counts() == before
    assert "Nothing to be done" in place.snakemake().text


def test_limits_budgets_and_approval_close_no_gate_and_rerun_nothing(place: Place, third: Study) -> None:
    before = third.counts()
    third.set(limits={"turns": 7, "attempts": 9, "wall_s": 99}, budget={"usd": 900}, approval={"default": "person"})
    assert "stage 03 study_design waits for you" in place.snakemake().last
    assert third.counts() == before
    assert third.opened.settings.for_stage("03").limits.turns == 7


@pytest.mark.parametrize("ask", ["redo", "--forcerun"])
def test_a_changed_setting_of_an_approved_stage_reruns_it_on_request(place: Place, third: Study, ask: str) -> None:
    third.set(stages={"02": {"model": "opus"}})
    place.snakemake()
    if ask == "redo":
        third.files.redo("02").touch()
        place.snakemake()
    else:
        place.snakemake("--forcerun", "hypothesis_generation")
    assert third.counts() == {**third.counts(), "01": 1, "02": 2, "03": 1}
    assert "Nothing to be done" in place.snakemake().text


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_setting_of_a_stage_that_is_not_approved_yet_reruns_it(place: Place, third: Study, what: str) -> None:
    third.files.flag("02").unlink()
    if what == "prompt":
        change_prompt(third, "03")
    else:
        third.set(stages={"03": {"model": "opus"}})
    third.touch("02")
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last
    assert third.counts() == {**third.counts(), "01": 1, "02": 1, "03": 2}


def test_a_changed_brief_closes_approved_gates_and_says_so(place: Place, third: Study) -> None:
    before = third.counts()
    third.append("brief.md", "\nAnd be quick.\n")
    said = place.snakemake()
    assert "stage 01 literature_survey is stale" in said.last and "the brief changed" in said.last
    assert third.counts() == before
    third.touch("01", "02")
    place.snakemake()
    assert third.counts() == {**before, "03": 2}, "what is not approved yet is built from the new brief"


def test_a_setting_given_for_one_call_counts_for_that_call(place: Place, third: Study) -> None:
    before = third.counts()
    said = place.snakemake("--config", "model=opus", "run=t", run=None)
    assert "stage 01 literature_survey is stale" in said.last and "model the default → opus" in said.last
    assert "stage 03 study_design waits for you" in place.snakemake().last
    assert third.counts() == before


def test_a_git_pull_of_prompts_schemas_and_defaults_changes_nothing(place: Place, third: Study) -> None:
    before = third.counts()
    for path in place.root.joinpath("prompts").rglob("*.j2"):
        path.write_text(path.read_text() + "\nNewer.\n")
    for path in place.root.joinpath("schemas").glob("*.yaml"):
        path.write_text(path.read_text().replace("default: 400", "default: 402") + "# newer\n")
    config = place.root / "config" / "config.yaml"
    config.write_text(config.read_text() + "limits: {wall_s: 7200}\n")
    for path in (place.root / "workflow").rglob("*"):
        if path.suffix in (".py", ".smk"):
            path.write_text(path.read_text() + "# newer\n")
    rules = place.root / "workflow" / "rules" / "stages.smk"
    rules.write_text(rules.read_text().replace("--log {log:q}", "--log  {log:q}"))
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last
    assert "Nothing to be done" in said.text and third.counts() == before


def test_repin_takes_the_newer_prompts_on_request(place: Place, third: Study) -> None:
    before = third.counts()
    prompt = place.root / "prompts" / "02_hypothesis_generation.md.j2"
    prompt.write_text(prompt.read_text() + "\nNewer.\n")
    assert "took" not in place.flagstone("repin", "1").text
    said = place.flagstone("repin", "2")
    assert said.code == 0 and "02_hypothesis_generation" in said.text
    said = place.snakemake()
    assert "stage 02 hypothesis_generation is stale" in said.last and "the prompt changed" in said.last
    assert third.counts() == before


def test_repin_takes_everything(place: Place, fresh: Study) -> None:
    partial = place.root / "prompts" / "_partials" / "house_rules.md.j2"
    partial.write_text(partial.read_text() + "\nBe kind.\n")
    config = place.root / "config" / "config.yaml"
    config.write_text(config.read_text() + "limits: {turns: 401}\n")
    assert place.flagstone("repin").code == 0
    assert fresh.opened.settings.for_stage("01").limits.turns == 401
    place.snakemake()
    assert "Be kind." in fresh.prompt("01", 1)


def test_the_run_pins_what_the_project_had_when_it_was_made(fresh: Study) -> None:
    for name in ("config.yaml", "stages.yaml", "venues.yaml"):
        pinned = yaml.safe_load((fresh.files.pinned / name).read_text())
        assert pinned == yaml.safe_load((CHECKOUT / "config" / name).read_text())
