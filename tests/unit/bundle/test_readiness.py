"""Tests that readiness follows from the checks and the approvals, and that an agent can only take from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from finished_run import finished_run

from flagstone.bundle import begin_release, pack_bundle, release_checks, verify_bundle
from flagstone.bundle.readiness import readiness_of
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig, last_publication, offer_of

HOME = "/" + "home"
OWN = "workspace/reviews/readiness.json"


@pytest.fixture
def opened(tmp_path: Path) -> RunConfig:
    return finished_run(tmp_path / "runs")


def points(opened: RunConfig) -> dict[tuple[str, str], str]:
    found = readiness_of(opened, opened.table.find("08"))
    return {(point.stage, point.rule): point.outcome for point in found.points}


def test_each_check_of_each_stage_before_is_a_point(opened: RunConfig) -> None:
    for stage in opened.table.ancestors("08"):
        was = last_publication(opened.run, stage.nr, offer_of(opened.run, stage))
        assert was
        record = json.loads((opened.run.drafts(stage.nr) / f"{was.attempt:03d}" / "checks.json").read_text())
        assert record["checks"] and all((stage.nr, row["rule"]) in points(opened) for row in record["checks"])


def test_a_failed_check_means_not_ready_whatever_the_agent_says(opened: RunConfig) -> None:
    path = next(opened.run.drafts("05").glob("*/checks.json"))
    record = json.loads(path.read_text())
    record["checks"][0]["status"] = "failed"
    path.write_text(json.dumps(record))
    (opened.run.root / OWN).write_text(json.dumps({"decision": "ready", "checks": [{"id": "all", "outcome": "pass"}]}))
    found = readiness_of(opened, opened.table.find("08"))
    assert found.decision == "not ready" and ("08", "all") not in points(opened)


def test_what_the_agents_own_program_found_wrong_counts(opened: RunConfig) -> None:
    (opened.run.root / OWN).write_text(json.dumps({"checks": [{"id": "tests", "outcome": "fail"}, 7, {"id": "odd"}]}))
    assert points(opened)[("08", "tests")] == "fail"
    assert readiness_of(opened, opened.table.find("08")).decision == "not ready"


def test_a_stage_without_a_record_of_its_checks_is_not_called_checked(opened: RunConfig) -> None:
    for path in opened.run.drafts("03").glob("*/checks.json"):
        path.unlink()
    assert points(opened)[("03", "checks")] == "not checked"


def test_an_approval_by_a_rule_is_a_reservation(opened: RunConfig) -> None:
    outcomes = {outcome for (_, rule), outcome in points(opened).items() if rule == "approval"}
    by = {json.loads(line).get("by") for line in opened.run.seals.read_text().splitlines() if '"approved"' in line}
    assert outcomes == {"pass" if each == "person" else "not checked" for each in by}


def test_the_release_is_checked_by_packing_and_verifying(opened: RunConfig) -> None:
    stage = opened.table.find("08")
    begin_release(opened, stage)
    found = {check.rule: check for check in release_checks(opened, stage)}
    assert found["bundle"].status == "passed" and "held: digests" in found["bundle"].message
    assert (opened.run.root / "bundle" / "readiness.md").read_text().startswith("# Readiness")


def test_a_release_that_was_approved_before_may_change(opened: RunConfig) -> None:
    notes = opened.run.workspace / "artifacts" / "release_notes.md"
    notes.write_text("other notes\n")
    found = {check.rule: check for check in release_checks(opened, opened.table.find("08"))}
    assert found["bundle"].status == "passed"
    made = pack_bundle(opened, opened.run.bundle)
    assert [line.name for line in verify_bundle(made.path) if line.held is False] == ["seals"]


def test_an_approved_file_that_must_not_leave_is_told_before_the_agent_is_asked(opened: RunConfig) -> None:
    path = next(path for path in opened.run.workspace.glob("code/*") if path.is_file())
    name = opened.run.relative(path)
    path.write_text(f"data = '{HOME}/alice/data.csv'\n")
    record = opened.run.offer(opened.table.find("04").key)
    assert name in record.read_text()
    with pytest.raises(FlagstoneError, match=rf"{name}:1: a path of a machine, {HOME}/alice/data\.csv") as refused:
        begin_release(opened, opened.table.find("08"))
    assert f"allow: [{name}]" in refused.value.hint


def test_a_file_of_this_stage_that_must_not_leave_is_a_failed_check(opened: RunConfig) -> None:
    (opened.run.workspace / "notes" / "own.md").write_text(f"see {HOME}/bob/thesis\n")
    stage = opened.table.find("08")
    begin_release(opened, stage)
    found = {check.rule: check for check in release_checks(opened, stage)}
    assert found["bundle"].status == "failed" and "workspace/notes/own.md:1" in found["bundle"].message
