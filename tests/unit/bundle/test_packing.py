"""Tests how a run becomes a bundle, and what a changed bundle is told by."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from finished_run import finished_run

from flagstone.bundle import pack_bundle, verify_bundle
from flagstone.errors import FlagstoneError
from flagstone.seals import Decision, record


def failed_rows(bundle: Path) -> list[str]:
    return [f"{row.name}: {row.text}" for row in verify_bundle(bundle) if row.held is False]


def test_a_bundle_holds_right_after_it_was_packed(tmp_path: Path) -> None:
    made = pack_bundle(finished_run(tmp_path / "runs"), tmp_path / "out.zip")
    assert failed_rows(made.path) == []


def test_the_same_run_gives_the_same_bytes_on_another_path(tmp_path: Path) -> None:
    first = pack_bundle(finished_run(tmp_path / "a"), tmp_path / "a.zip")
    second = pack_bundle(finished_run(tmp_path / "b" / "deeper"), tmp_path / "b.zip")
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_bundle_is_a_workflow_run_crate_that_names_each_file(tmp_path: Path) -> None:
    made = pack_bundle(finished_run(tmp_path / "runs"), tmp_path / "out.zip")
    with zipfile.ZipFile(made.path) as archive:
        graph = json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
        names = set(archive.namelist()) - {"SHA256SUMS", "ro-crate-metadata.json"}
    entities = {entity["@id"]: entity for entity in graph}
    profiles = [each["@id"] for each in entities["./"]["conformsTo"]]
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    assert entities["#run"]["instrument"] == {"@id": "workflow/Snakefile"}
    assert names == {name for name in names if entities[name]["license"]}


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    made = pack_bundle(finished_run(tmp_path / "runs"), tmp_path / "out.zip")
    repacked = tmp_path / "changed.zip"
    with zipfile.ZipFile(made.path) as old, zipfile.ZipFile(repacked, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"another question" if name == "brief.md" else old.read(name))
    assert failed_rows(repacked) == ["digests: brief.md was changed"]


def test_a_secret_in_any_file_stops_the_packing_and_is_not_repeated(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    (opened.run.workspace / "code" / "train.py").write_text(f"ok = 1\nkey = 'sk-ant-{'x' * 20}'\n")
    with pytest.raises(FlagstoneError, match=r"workspace/code/train\.py:2: a secret") as refused:
        pack_bundle(opened, tmp_path / "out.zip")
    assert "sk-ant" not in str(refused.value)
    assert os.listdir(tmp_path) == ["runs"]


def test_decisions_name_nobody_and_are_still_chained(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    names = {json.loads(line)["who"] for line in opened.run.seals.read_text().splitlines()}
    record(opened.run, "noted", "08", Decision(by="person", who="zaphod", comment="zaphod saw /scratch/zaphod/a.csv"))
    made = pack_bundle(opened, tmp_path / "out.zip")
    assert failed_rows(made.path) == []
    with zipfile.ZipFile(made.path) as archive:
        text = archive.read("approved/seals.jsonl").decode()
    assert "zaphod" not in text and not any(f'"who":"{name}"' in text for name in names)
    assert '"who":"person-2"' in text and "PERSON saw PATH" in text
