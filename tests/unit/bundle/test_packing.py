"""Tests how a run becomes a bundle, and what a changed bundle is told by."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from finished_run import finished_run
from rocrate.rocrate import ROCrate

from flagstone.bundle import pack_bundle, packing, verify_bundle
from flagstone.bundle.scanning import unpacked_parts
from flagstone.bundle.verification.opening import opened_bundle
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.paper.citations import CitationRequest, waive, waivers_of
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
    with opened_bundle(made.path) as folder:
        assert ROCrate(folder).mainEntity.id == "workflow/Snakefile"  # its own library can read it
    profiles = [each["@id"] for each in entities["./"]["conformsTo"]]
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    assert entities["#run"]["instrument"] == {"@id": "workflow/Snakefile"}
    assert names == {name for name in names if entities[name]["license"]}


def test_a_bundle_begins_with_the_goal_of_the_run(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    opened.run.brief.write_text("# Brief\n\n## Goal\n\nWhich trick\nhelps most?\n\n## Notes\n\nNone.\n")
    made = pack_bundle(opened, tmp_path / "out.zip")
    with zipfile.ZipFile(made.path) as archive:
        assert archive.read("README.md").decode().startswith("# finished\n\nWhich trick helps most?\n\n## Verify it")
        graph = json.loads(archive.read("ro-crate-metadata.json"))["@graph"]
    assert "# Brief" not in json.dumps(graph)


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


KILLED = """
import os, sys
from pathlib import Path
from finished_run import open_finished
from flagstone.bundle import pack_bundle
from flagstone.bundle import archive
archive.os.replace = lambda *_: os.kill(os.getpid(), 9)  # just before the bundle gets its name
pack_bundle(open_finished(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def test_a_kill_leaves_the_bundle_before_or_none(tmp_path: Path) -> None:
    opened, target = finished_run(tmp_path / "runs"), tmp_path / "bundle" / "out.zip"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    words = [sys.executable, "-c", KILLED, str(tmp_path / "runs"), str(target)]
    assert subprocess.run(words, env=environment, timeout=120).returncode == -signal.SIGKILL
    assert not target.exists()
    before = pack_bundle(opened, target).path.read_bytes()
    assert subprocess.run(words, env=environment, timeout=120).returncode == -signal.SIGKILL
    assert target.read_bytes() == before
    pack_bundle(opened, target)
    assert os.listdir(target.parent) == ["out.zip"]


def test_a_file_that_is_too_large_is_left_out_with_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = finished_run(tmp_path / "runs")
    (opened.run.workspace / "data" / "huge.csv").write_bytes(b"1,2\n" * 500_000)
    monkeypatch.setattr(packing, "LARGEST_BYTES", 1_000_000)
    made = pack_bundle(opened, tmp_path / "out.zip")
    assert made.notes.left_out["workspace/data/huge.csv"].startswith("2000000 bytes; its digest is ")
    assert failed_rows(made.path) == []


@pytest.mark.parametrize("pack", ["gzip", "zip", "git"])
def test_a_path_inside_of_a_compressed_file_is_found(tmp_path: Path, pack: str) -> None:
    opened = finished_run(tmp_path / "runs")
    packs: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zip": zipped, "git": as_git_object}
    content = packs[pack](b"values " * 1000 + b"/scratch/" + b"ann/data.csv " + b"more " * 1000)
    path = "experiments/x/candidates.git/objects/ab/cd" if pack == "git" else "workspace/data/values.bin"
    (opened.run.root / path).parent.mkdir(parents=True, exist_ok=True)
    (opened.run.root / path).write_bytes(content)
    with pytest.raises(FlagstoneError, match=f"{path}:1: a path of a machine, /scratch/ann"):
        pack_bundle(opened, tmp_path / "out.zip")


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values", content)
    return stream.getvalue()


def as_git_object(content: bytes) -> bytes:
    return zlib.compress(b"blob %d\0" % len(content) + content)


def test_what_a_person_lets_be_published_is_packed_as_it_is(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    (opened.run.workspace / "notes" / "machine.md").write_text("it ran in /scratch/" + "ann/run\n")
    with pytest.raises(FlagstoneError, match=r"allow: \[workspace/notes/machine\.md\]"):
        pack_bundle(opened, tmp_path / "out.zip")
    merged = {**opened.settings.merged, "bundle": {"allow": ["workspace/notes/*.md"]}}
    allowed = replace(opened, settings=replace(opened.settings, merged=merged))
    with zipfile.ZipFile(pack_bundle(allowed, tmp_path / "out.zip").path) as archive:
        assert archive.read("workspace/notes/machine.md") == b"it ran in /scratch/ann/run\n"


def test_texts_of_transcripts_are_packed_on_request_alone(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    without, with_texts = (
        pack_bundle(opened, tmp_path / f"{wanted}.zip", with_transcripts=wanted) for wanted in (False, True)
    )
    path = next(name for name in without.notes.transcripts if name.endswith("transcript.jsonl"))
    assert path not in zipfile.ZipFile(without.path).namelist() and path in zipfile.ZipFile(with_texts.path).namelist()


def test_sealed_seeds_of_a_trial_without_a_verdict_stay_secret(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    seeds = opened.run.root / "trials" / "clip" / "sealed" / "seeds.json"
    seeds.parent.mkdir(parents=True)
    seeds.write_text('{"seeds": {"b1": 7}, "salt": "s"}')
    names = zipfile.ZipFile(pack_bundle(opened, tmp_path / "out.zip").path).namelist()
    assert "trials/clip/sealed/seeds.json" not in names


def test_a_waiver_still_has_its_seal_and_its_name_is_hidden_where_the_paper_is_anonymous(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    request = CitationRequest("zhang2018", doi="10.5555/1")
    waive(opened.run, request, "NOT_FOUND", Decision(by="person", who="zaphod", comment="read on paper"))
    made = pack_bundle(opened, tmp_path / "out.zip")
    with opened_bundle(made.path) as folder:
        found, problems = waivers_of(Run(folder))
    assert problems == [] and found[request.digest].who == "person-2"


def test_a_name_that_the_paper_prints_is_kept(tmp_path: Path) -> None:
    opened = finished_run(tmp_path / "runs")
    waive(opened.run, CitationRequest("zhang2018"), "NOT_FOUND", Decision(by="person", who="zaphod", comment="read"))
    opened = replace(opened, settings=replace(opened.settings, venue="neutral"))
    with opened_bundle(pack_bundle(opened, tmp_path / "out.zip").path) as folder:
        assert [waiver.who for waiver in waivers_of(Run(folder))[0].values()] == ["zaphod"]


@pytest.mark.parametrize("name", ["aborted", "experiment-half-done", "failed", "killed-in-flight", "rolled-back"])
def test_a_run_of_an_earlier_version_in_any_state_can_be_packed_and_holds(tmp_path: Path, name: str) -> None:
    made = pack_bundle(finished_run(tmp_path / "runs", name), tmp_path / "out.zip")
    assert failed_rows(made.path) == []
    with zipfile.ZipFile(made.path) as archive:
        page = archive.read("README.md").decode()
    assert "is not approved" in page and ("the run was aborted" in page) is (name == "aborted")


def test_a_run_that_is_stale_does_not_hold_and_says_which_stage(tmp_path: Path) -> None:
    made = pack_bundle(finished_run(tmp_path / "runs", "stale"), tmp_path / "out.zip")
    assert failed_rows(made.path) == ["seals: stages/01_literature_survey.md is not what the seal of stage 01 names"]


def test_each_stream_of_a_pdf_is_looked_through_once() -> None:
    """With a copy of the rest of the file for each, this would take minutes."""
    stream = b"stream\n" + zlib.compress(os.urandom(2000)) + b"endstream\n"
    assert sum(len(part) for part in unpacked_parts("a.pdf", b"%PDF-1.5\n" + stream * 8000)) == 8000 * 2000
