"""Anything approved that changes closes its gate again; what changes back, or is taken back, costs no rerun."""

from __future__ import annotations

import json
import os
import time

import pytest
from workbench import Place, Study

from flagstone.records import Ledger


def seal_by_touch(place: Place, study: Study, *nrs: str) -> None:
    """Opens gates one after the other, as a person does."""
    for nr in nrs:
        study.touch(nr)
        assert place.snakemake().code == 0


@pytest.mark.parametrize(
    "path",
    ["stages/02_hypothesis_generation.md", "workspace/notes/stage_02.md"],
    ids=["document", "artifact"],
)
def test_an_approved_file_edited_by_hand_closes_the_gate_and_the_message_names_it(
    place: Place, third: Study, path: str
) -> None:
    before = third.counts()
    third.append(path)
    said = place.snakemake()
    assert said.code == 0 and third.counts() == before
    assert "stage 02 hypothesis_generation is stale" in said.last and f"{path} changed" in said.last
    assert said.last.endswith("touch runs/t/approved/02.flag")
    assert "stage 03" not in said.last and len(third.seals("02")) == 1


def test_an_approved_index_row_edited_by_hand_closes_the_gate(place: Place, whole: Study) -> None:
    index = whole.files.index("data")
    record = json.loads(index.read_bytes())
    row = next(row for row in record["entries"] if row["producer"]["stage"] == "03")
    row["rows"] = 999_999
    index.write_text(json.dumps(record))
    before = whole.counts()
    said = place.snakemake()
    assert "stage 03 study_design is stale" in said.last and "index/data.json" in said.last
    assert whole.counts() == before


def test_an_edit_whose_mtime_is_set_back_is_still_seen(place: Place, third: Study) -> None:
    path = third.root / "workspace/notes/stage_02.md"
    stat = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[:-3] + b"!!\n")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "stage_02.md changed" in place.snakemake().last


def test_a_deleted_artifact_closes_the_gate(place: Place, third: Study) -> None:
    (third.root / "workspace/notes/stage_02.md").unlink()
    said = place.snakemake()
    assert "is stale" in said.last and "workspace/notes/stage_02.md is gone" in said.last
    assert ": bring back runs/t/workspace/notes/stage_02.md: flagstone restore 02 0001 --run t" in said.last
    third.touch("02")
    assert "older than" not in place.snakemake().last, "a file that is gone has no age"
    assert third.counts()["02"] == 1


def test_a_deleted_document_is_put_back_from_history_without_a_call_and_its_approval_holds(
    place: Place, third: Study
) -> None:
    before = third.counts()
    approved = third.summary("02").read_bytes()
    third.summary("02").unlink()
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last
    assert third.summary("02").read_bytes() == approved and third.counts() == before


def test_an_edit_that_is_approved_again_reruns_what_rests_on_it_and_is_kept(place: Place, third: Study) -> None:
    third.append(third.summary("02"))
    place.snakemake()
    third.touch("02")
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last
    assert third.counts() == {**third.counts(), "01": 1, "02": 1, "03": 2}
    assert third.summary("02").read_text().endswith("A person was here.\n")
    assert [seal["digest"] for seal in third.seals("02")][-1] == third.digest("02")
    assert any(
        "A person was here." in (each / "stages" / third.summary("02").name).read_text()
        for each in third.versions("02")
    )


def test_an_edit_that_is_undone_opens_the_gate_without_an_approval_and_without_reruns(
    place: Place, third: Study
) -> None:
    before = third.counts()
    content = third.summary("02").read_bytes()
    third.append(third.summary("02"))
    assert "is stale" in place.snakemake().last
    third.summary("02").write_bytes(content)
    assert "stage 03 study_design waits for you" in place.snakemake().last
    assert third.counts() == before and len(third.seals("02")) == 1


def test_a_stage_edited_before_its_approval_is_approved_as_it_lies_there(place: Place, first: Study) -> None:
    first.append(first.summary("01"))
    first.touch("01")
    said = place.snakemake()
    assert "stage 02" in said.last
    (seal,) = first.seals("01")
    assert seal["digest"] == first.digest("01")
    assert "A person was here." in first.prompt("02", 1), "the next stage reads what was approved"


def test_a_stage_edited_after_the_touch_but_before_the_call_is_not_approved(place: Place, first: Study) -> None:
    first.touch("01")
    time.sleep(0.02)  # the clock of the file system ticks every few milliseconds
    first.append(first.summary("01"))
    said = place.snakemake()
    assert first.built() == ["01"] and not first.seals("01")
    assert "approved/01.flag is older than runs/t/stages/01_literature_survey.md" in said.last


def test_a_flag_removed_holds_what_rests_on_it_and_deletes_nothing(place: Place, whole: Study) -> None:
    before, files = whole.counts(), set(whole.tree())
    flag = whole.files.flag("03")
    flag.unlink()
    said = place.snakemake()
    assert said.code == 0 and "stage 03 study_design was approved, and the approval was taken back" in said.last
    assert whole.counts() == before
    # what is handed over is derived from what is approved; all else stays
    handed_over = {f"handoff/{nr}.md" for nr in ("03", "04", "05", "06", "07", "08")}
    assert files - set(whole.tree()) == {"approved/03.flag"} | handed_over

    whole.touch("03")
    said = place.snakemake()
    assert "is done" in said.last and whole.counts() == before


def test_a_flag_removed_and_touched_before_the_next_call_costs_nothing(place: Place, whole: Study) -> None:
    before = whole.counts()
    whole.files.flag("02").unlink()
    whole.touch("02")
    assert "is done" in place.snakemake().last and whole.counts() == before


def test_a_revoked_stage_that_was_edited_meanwhile_needs_the_touch_after_the_edit(place: Place, third: Study) -> None:
    third.files.flag("02").unlink()
    place.snakemake()
    third.append(third.summary("02"))
    said = place.snakemake()
    assert "taken back" in said.last
    third.touch("02")
    place.snakemake()
    assert third.seals("02")[-1]["digest"] == third.digest("02") and third.counts()["03"] == 2


def test_approved_again_with_the_same_content_reruns_nothing(place: Place, whole: Study) -> None:
    before = whole.counts()
    content = whole.summary("04").read_bytes()
    whole.append(whole.summary("04"))
    assert "stage 04 implementation is stale" in place.snakemake().last
    whole.summary("04").write_bytes(content)
    whole.touch("04")
    assert "is done" in place.snakemake().last and whole.counts() == before


def test_every_decision_stays_in_an_unbroken_ledger(place: Place, first: Study) -> None:
    seal_by_touch(place, first, "01", "02")
    first.append(first.summary("01"))
    seal_by_touch(place, first, "01", "02")
    events = [entry["event"] for entry in Ledger(first.files.seals).entries() if entry["stage"]]
    assert events.count("approved") >= 3
    assert Ledger(first.files.seals).problems() == []
