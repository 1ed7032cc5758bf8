"""`approval: {"05": verdict}`: the verdict of a trial seals the stage that it was run for, or says why it does not."""

from __future__ import annotations

import json

import pytest
from workbench import Place, Study, copy_run, make_place


@pytest.fixture(scope="module")
def prepared_verdict(tmp_path_factory: pytest.TempPathFactory, prepared_trial: Study) -> Study:
    """A run whose trial has ended; stage 05 waits for a person."""
    place = make_place(tmp_path_factory.mktemp("verdict") / "project")
    study = copy_run(prepared_trial, place)
    assert place.snakemake().code == 0
    return study


@pytest.fixture
def ended(place: Place, prepared_verdict: Study) -> Study:
    return copy_run(prepared_verdict, place)


def test_a_supported_verdict_seals_the_stage_and_the_next_one_is_built(place: Place, ended: Study) -> None:
    ended.set(approval={"default": "person", "05": "verdict"})
    assert "stage 05 experimentation would be approved by policy (verdict)" in place.snakemake("-n").text
    assert not ended.seals("05")
    said = place.snakemake()
    assert "stage 06 analysis waits for you" in said.last, said.text
    assert "stage 05 experimentation: approved by policy (approval: verdict, " in said.text
    (seal,) = ended.seals("05")
    assert (seal["by"], seal["policy"]) == ("policy", "verdict")
    assert "<li>fast: SUPPORTED, n = 4, val_loss better by 0.2" in ended.files.report.read_text()
    evidence = {f"trials/fast/{name}" for name in ("trial.yaml", "ledger.jsonl", "prereg.json", "verdict.json")}
    assert evidence <= set(seal["files"])
    made = {row["path"]: row["producer"] for row in json.loads(ended.files.index("results").read_text())["entries"]}
    assert {name: made[f"workspace/results/fast/{name}"]["trial"] for name in ("verdict.json", "runs.csv")} == {
        "verdict.json": "fast",
        "runs.csv": "fast",
    }


@pytest.mark.parametrize("file", ["ledger.jsonl", "prereg.json", "verdict.json"])
def test_evidence_that_changes_closes_the_gate_and_no_verdict_opens_it_again(
    place: Place, ended: Study, file: str
) -> None:
    ended.set(approval={"default": "person", "05": "verdict"})
    assert place.snakemake().code == 0 and len(ended.seals("05")) == 1
    path = ended.root / "trials" / "fast" / file
    path.write_text(path.read_text().replace("SUPPORTED", "SUPPORTeD") + "\n{}\n")
    said = place.snakemake()
    assert "stage 05 experimentation is stale" in said.last and f"trials/fast/{file}" in said.last
    assert "not approved by verdict: trial fast " in said.last and len(ended.seals("05")) == 1


def test_an_edited_verdict_is_never_sealed_and_status_says_why(place: Place, ended: Study) -> None:
    ended.set(approval={"default": "person", "05": "verdict"})
    path = ended.root / "trials" / "fast" / "verdict.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "minimum_effect": 0.0001}))
    said = place.snakemake()
    why = "not approved by verdict: trial fast is not as it was recorded: verdict.json is not what the ledger says"
    assert why in said.last and not ended.seals("05")
    shown = place.flagstone("status", "t").text
    assert why in shown and "    trial fast: SUPPORTED, n = 4, val_loss better by 0.2" in shown
