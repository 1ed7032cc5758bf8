"""Tests that the paper of a bundle is made again: its facts, its appendix, the digits of its PDF."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from flagstone.bundle import BundleLine, pack_bundle, verify_bundle
from flagstone.bundle.archive import SUMS, write_archive
from flagstone.gates import open_run
from flagstone.records import digest_file
from flagstone.seals import Decision, record

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "paper" / "building"))
from papers import new_paper

pytestmark = pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
SENTENCE = "The loss is \\val{loss} after training."


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a paper of one measured number, packed."""
    paper = new_paper(tmp_path_factory.mktemp("paper"))
    results = paper.run.workspace / "results"
    with (results / "loss.csv").open("w") as stream:
        csv.writer(stream).writerows([["seed", "loss"], [1, 0.25], [2, 0.75]])
    paper.write("facts.yaml", 'loss: {from: "workspace/results/loss.csv#loss", reduce: mean, format: ".2f"}\n')
    paper.write("sections/results.tex", f"\\section{{Results}}\nWords come first. {SENTENCE}\n")
    offer = '{"stage": "05", "artifacts": [{"path": "workspace/results/loss.csv", "digest": "%s"}]}'
    (paper.run.root / "stages").mkdir(exist_ok=True)
    paper.run.offer("05_experimentation").write_text(offer % digest_file(results / "loss.csv"))
    record(paper.run, "approved", "05", Decision(by="person", who="zaphod", at="2026-01-01T10:00:00.000Z"))
    assert paper.failures().keys() <= {"paper-audit"}
    paper.run.offer("07_writing").write_text('{"stage": "07", "artifacts": [], "built_at": "2026-01-01T11:00:00.000Z"}')
    record(paper.run, "approved", "05", Decision(by="person", at="2026-01-01T12:00:00.000Z", comment="again"))
    opened = open_run(paper.project, paper.run, validate=False)
    return pack_bundle(opened, tmp_path_factory.mktemp("bundle") / "t.zip").path


def changed(bundle: Path, folder: Path, path: str, old: bytes, new: bytes) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != SUMS}
    assert old in files[path]
    files[path] = files[path].replace(old, new, 1)
    write_archive(folder / "changed.zip", sorted(files.items()))
    return folder / "changed.zip"


def lines(bundle: Path) -> dict[str, BundleLine]:
    return {line.name: line for line in verify_bundle(bundle)}


def test_facts_appendix_and_pdf_are_made_again(bundle: Path) -> None:
    """One more approval came after the paper was built, which its appendix cannot have."""
    found = lines(bundle)
    assert found["facts"].held and found["appendix"].held
    assert found["facts"].text == "1 fact computed again, byte by byte"
    with zipfile.ZipFile(bundle) as archive:
        stored = json.loads(archive.read("paper/audit.json"))["report"]
    assert found["paper"].held is not bool(stored["strays"] or stored["faults"])
    assert all(stray["context"] in found["paper"].text for stray in stored["strays"][:3])


def test_one_digit_of_a_result_names_the_fact_and_the_sentence_that_rest_on_it(bundle: Path, tmp_path: Path) -> None:
    found = lines(changed(bundle, tmp_path, "workspace/results/loss.csv", b"0.75", b"0.65"))
    assert found["facts"].held is False
    assert found["facts"].rests == (
        "1 fact rests on it: loss",
        "workspace/writing/sections/results.tex:2 “The loss is \\val{loss} after training.”",
    )


def test_a_decision_that_was_taken_out_of_the_ledger_is_missed_in_the_appendix(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        first, decision, *_ = archive.read("approved/seals.jsonl").splitlines(keepends=True)
    found = lines(changed(bundle, tmp_path, "approved/seals.jsonl", decision, b""))
    assert first and found["appendix"].text == "paper/appendix.tex is not what the ledgers of this bundle give"


def test_a_pdf_that_is_not_the_one_people_read_is_found(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != SUMS}
    files["workspace/artifacts/paper.pdf"] = files["paper/paper.pdf"]
    write_archive(tmp_path / "same.zip", sorted(files.items()))
    assert "people read" not in lines(tmp_path / "same.zip")["paper"].text
    files["paper/paper.pdf"] += b"% another paper"
    write_archive(tmp_path / "other.zip", sorted(files.items()))
    assert "paper/paper.pdf is not workspace/artifacts/paper.pdf" in lines(tmp_path / "other.zip")["paper"].text
