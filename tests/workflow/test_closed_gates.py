"""No option of Snakemake passes a closed gate, and looking changes nothing."""

from __future__ import annotations

import shutil

import pytest
from workbench import Place, Study, tree

LOOKING = {
    "-n": ["-n"],
    "-n of a later stage": ["-n", "--until", "writing"],
    "--summary": ["--summary"],
    "--dag": ["--dag"],
    "--rulegraph": ["--rulegraph"],
    "--lint": ["--lint"],
    "--list-rules": ["--list-rules"],
    "--list-input-changes": ["--list-input-changes"],
    "--touch": ["--touch"],
    "-n -F": ["-n", "-F"],
    "-n --forcerun": ["-n", "--forcerun", "study_design"],
}


@pytest.mark.parametrize("how", LOOKING)
def test_looking_changes_nothing_on_disk_and_seals_nothing(place: Place, third: Study, how: str) -> None:
    third.touch("03")  # an approval that the next real call will seal
    third.ask("02", "a request that the next real call will take up\n")
    before = tree(place.root)
    said = place.snakemake(*LOOKING[how])
    assert not said.has_traceback
    after = tree(place.root)
    if how == "--touch":  # its purpose is to change times, and only those
        before, after = ({path: state.split()[-1] for path, state in each.items()} for each in (before, after))
    assert after == before


def test_a_report_shows_what_is_there_and_seals_nothing(place: Place, third: Study) -> None:
    third.touch("03")
    seals = third.files.seals.read_bytes()
    said = place.snakemake("--report", "by-snakemake.html")
    assert said.code == 0, said.text
    assert third.files.seals.read_bytes() == seals and third.built() == ["01", "02", "03"]
    (report,) = [*place.root.glob("by-snakemake.html"), *third.root.glob("by-snakemake.html")]
    assert "Study Design" in report.read_text()


BUILDING = {
    "--keep-going": ["--keep-going"],
    "--rerun-incomplete": ["--rerun-incomplete"],
    "--rerun-triggers mtime": ["--rerun-triggers", "mtime"],
    "--rerun-triggers all": ["--rerun-triggers", "mtime", "params", "input", "code", "software-env"],
    "--until": ["--until", "writing"],
    "--drop-metadata": ["--drop-metadata"],
    "--ignore-incomplete": ["--ignore-incomplete"],
    "--nolock": ["--nolock"],
    "--omit-from": ["--omit-from", "dissemination"],
}


@pytest.mark.parametrize("how", BUILDING)
def test_no_option_builds_behind_a_closed_gate(place: Place, third: Study, how: str) -> None:
    before = third.counts()
    said = place.snakemake(*BUILDING[how])
    assert not said.has_traceback
    assert third.built() == ["01", "02", "03"] and third.counts() == before
    assert not third.seals("03")
    assert "stage 03 study_design waits for you" in said.last


def test_forceall_redoes_what_may_be_done_and_stops_at_the_first_gate_that_closes(place: Place, third: Study) -> None:
    said = place.snakemake("-F")
    assert not said.has_traceback
    assert third.counts() == {**third.counts(), "01": 2, "02": 1, "03": 1, "04": 0}
    assert "stage 01 literature_survey is stale" in said.last
    assert third.built() == ["01", "02", "03"]


def test_forcerun_behind_a_closed_gate_builds_nothing(place: Place, third: Study) -> None:
    before = third.counts()
    said = place.snakemake("--forcerun", "writing")
    assert third.counts() == before and third.built() == ["01", "02", "03"]
    assert "stage 03 study_design waits for you" in said.text and not said.has_traceback


@pytest.mark.parametrize("target", ["stages/07_writing.md", "stages/04_implementation.json", "writing"])
def test_a_direct_target_behind_a_closed_gate_fails_with_two_clear_lines(
    place: Place, third: Study, target: str
) -> None:
    before = third.counts()
    said = place.snakemake(target)
    assert said.code == 1 and not said.has_traceback
    assert third.counts() == before and third.built() == ["01", "02", "03"]
    problem, cure = said.lines[-2:]
    assert "03" not in said.lines[-3] and "is behind a closed gate" in problem
    assert "stage 03 study_design waits for you" in cure and cure.endswith("touch runs/t/approved/03.flag")
    assert "InputFunctionException" not in said.text and "Error in rule" not in said.text


def test_a_direct_target_before_the_frontier_is_simply_there(place: Place, third: Study) -> None:
    said = place.snakemake("stages/02_hypothesis_generation.md")
    assert said.code == 0 and third.counts()["02"] == 1


def test_a_direct_target_whose_gates_are_open_is_built(place: Place, third: Study) -> None:
    third.touch("03")
    said = place.snakemake("stages/04_implementation.md")
    assert said.code == 0 and "04" in third.built() and third.seals("03")


def test_until_a_stage_that_may_be_built_builds_it(place: Place, third: Study) -> None:
    third.touch("03")
    said = place.snakemake("--until", "implementation")
    assert said.code == 0 and "04" in third.built()


def test_a_dry_run_shows_exactly_the_next_stage(place: Place, third: Study) -> None:
    third.touch("03")
    said = place.snakemake("-n")
    assert said.code == 0
    assert "Stage 04" in said.text and "Stage 05" not in said.text


def test_a_request_is_seen_whatever_triggers_are_asked_for(place: Place, third: Study) -> None:
    third.ask("03", "shorter\n")
    place.snakemake("--rerun-triggers", "mtime")
    assert third.counts()["03"] == 2
    third.ask("03", "longer\n")
    shutil.rmtree(third.root / ".snakemake" / "metadata", ignore_errors=True)
    place.snakemake("--drop-metadata")
    assert third.counts()["03"] == 3


def test_lint_is_clean(place: Place) -> None:
    said = place.snakemake("--lint", run=None)
    assert said.code == 0 and "Congratulations" in said.text, said.text


def test_a_gate_cannot_be_opened_by_an_agent_that_forges_it(place: Place) -> None:
    study = place.new(script={"01": {"*": ["instant", "forge"]}, "*": {"*": "instant"}})
    place.snakemake()
    said = place.snakemake()
    assert study.built() == ["01"]
    assert not [seal for seal in study.seals("01") if seal.get("digest")]
    assert said.last.endswith("touch runs/t/approved/01.flag")
