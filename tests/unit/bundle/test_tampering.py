"""Tests that a bundle which was changed, and packed again with digests that fit, is found and named."""

from __future__ import annotations

import json
from pathlib import Path

from changed_bundles import BUNDLES, Files, failures, repacked, replace, replace_in

from flagstone.bundle import verify_bundle
from flagstone.records import digest_bytes

TRIAL = "trials/campaign-1-confirm"
RESULT = "workspace/results/campaign-1-confirm/runs.csv"


def test_bundles_that_were_packed_earlier_hold() -> None:
    for name in ("campaign.zip", "demo.zip"):
        assert failures(BUNDLES / name) == {}


def test_a_deleted_run_is_missed(tmp_path: Path) -> None:
    def delete(files: Files) -> None:
        for path in [path for path in files if path.startswith("experiments/tuning/runs/r0005/")]:
            del files[path]

    found = failures(repacked("demo.zip", tmp_path, delete))
    assert found == {"experiments": "experiments/tuning/runs/r0005 is missing; its line in the ledger says ok, revert"}


def test_a_deleted_run_of_a_trial_is_missed(tmp_path: Path) -> None:
    def delete(files: Files) -> None:
        for path in [path for path in files if path.startswith(f"{TRIAL}/runs/control-b2/")]:
            del files[path]

    assert "control-b2" in failures(repacked("campaign.zip", tmp_path, delete))["verdicts"]


def test_one_digit_in_the_log_of_a_run_is_found(tmp_path: Path) -> None:
    path = "experiments/tuning/runs/r0001/run.log"
    found = failures(repacked("demo.zip", tmp_path, lambda files: replace(files, path, b"26", b"25")))
    assert found == {"experiments": f"{path} does not say 26.0, as the ledger does"}


def test_one_digit_in_the_record_of_a_run_is_found(tmp_path: Path) -> None:
    path = "experiments/tuning/runs/r0004/result.json"
    found = failures(repacked("demo.zip", tmp_path, lambda files: replace(files, path, b"22.5333", b"21.5333")))
    assert found == {"experiments": f"{path} says another metrics than its line in the ledger"}


def test_one_digit_of_a_result_is_found(tmp_path: Path) -> None:
    found = failures(repacked("campaign.zip", tmp_path, lambda files: replace(files, RESULT, b"0", b"1")))
    assert found["seals"] == f"{RESULT} is not what the seal of stage 02 names"


def test_a_result_that_is_said_to_be_too_large_for_the_bundle_is_named(tmp_path: Path) -> None:
    def leave_out(files: Files) -> None:
        del files[RESULT]
        notes = json.loads(files["bundle.json"])
        notes.setdefault("left_out", {})[RESULT] = "100000001 bytes"
        files["bundle.json"] = json.dumps(notes).encode()

    lines = {line.name: line for line in verify_bundle(repacked("campaign.zip", tmp_path, leave_out))}
    assert f"not in this bundle: {RESULT}" in lines["seals"].text


def test_a_line_of_a_ledger_that_was_made_anew_is_found(tmp_path: Path) -> None:
    path = f"{TRIAL}/ledger.jsonl"
    found = failures(
        repacked("campaign.zip", tmp_path, lambda files: replace(files, path, b'"value":17.75', b'"value":16.75'))
    )
    assert "does not follow from the line before" in found["chains"]
    assert found["seals"] == f"{path} is not what the seal of stage 02 names"


def test_a_seal_that_was_made_anew_is_found(tmp_path: Path) -> None:
    """The new seal fits the new result, and the line after it still names the old seal."""

    def forge(files: Files) -> None:
        old = digest_bytes(files[RESULT])
        replace(files, RESULT, b"0", b"1")
        replace(files, "approved/seals.jsonl", old.encode(), digest_bytes(files[RESULT]).encode())

    found = failures(repacked("campaign.zip", tmp_path, forge))
    assert "seals.jsonl does not follow from the line before" in found["chains"]


def test_a_pre_registration_that_was_edited_is_found(tmp_path: Path) -> None:
    path = f"{TRIAL}/prereg.json"
    edit = b'"minimum_effect":2.5', b'"minimum_effect":0.1'
    found = failures(repacked("campaign.zip", tmp_path, lambda files: replace(files, path, *edit)))
    assert found["preregistration"] == "trial campaign-1-confirm: prereg.json was edited after it was sealed"


def test_seeds_that_were_not_sealed_are_found(tmp_path: Path) -> None:
    def reseed(files: Files) -> None:
        path = f"{TRIAL}/ledger.jsonl"
        line = files[path].splitlines()[-1]
        seeds = json.loads(line)["seeds"]
        files[path] = files[path].replace(str(seeds["b1"]).encode(), b"7")

    found = failures(repacked("campaign.zip", tmp_path, reseed))
    assert found["seeds"] == "trial campaign-1-confirm: its seeds are not those whose digest the pre-registration has"


def test_whoever_makes_every_chain_and_digest_anew_is_told_by_the_digest_alone(tmp_path: Path) -> None:
    """The bundle is not signed; the page for strangers says so."""

    def forge(files: Files) -> None:
        path = "approved/seals.jsonl"
        *before, last = files[path].splitlines()
        forged = replace_in(last, b'"policy":"auto"', b'"policy":"none"')
        files[path] = b"\n".join([*before, forged]) + b"\n"

    forged = repacked("campaign.zip", tmp_path, forge)
    assert failures(forged) == {}
    published = next(iter(verify_bundle(BUNDLES / "campaign.zip"))).text.split()[-1]
    assert failures(forged, published)["digests"].endswith(f"not {published}, which was published")
