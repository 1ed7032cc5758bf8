"""Bad input: two clear lines, the right exit code, nothing lost, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from workbench import PROGRAMS, Place, Said, Study, ended, make_place, start, tree

from flagstone.records import Ledger


def assert_refused(said: Said, *words: str, code: int = 2) -> None:
    """Two lines, and everything that must be named is named."""
    assert said.code == code, said.text
    assert not said.has_traceback, said.text
    for word in words:
        assert word in said.text, said.text
    if code != 1:
        assert len(said.lines) == 2, said.text


def test_every_problem_of_run_yaml_is_told_at_once_with_the_nearest_key(place: Place, first: Study) -> None:
    first.set(modle="opus", limits={"atempts": 3, "turns": "many"}, approval={"7": "person"})
    words = ("unknown key 'modle' (did you mean 'model'?)", "unknown key 'atempts'", "did you mean 'attempts'")
    for said, code in ((place.flagstone("run", "t"), 2), (place.snakemake(), 1), (place.snakemake("-n"), 1)):
        assert_refused(said, *words, "'many' in limits.turns should be a whole number", "'7'", code=code)
    assert first.counts()["01"] == 1


def test_problems_of_the_pinned_defaults_are_told(place: Place, first: Study) -> None:
    config = first.files.pinned / "config.yaml"
    config.write_text(config.read_text() + "agnet: demo\n")
    assert_refused(place.flagstone("run", "t"), "unknown key 'agnet'", "'agent'", "pinned/config.yaml")


def test_problems_of_config_are_told(place: Place, first: Study) -> None:
    said = place.snakemake("--config", "run=t", "modle=opus", "limits=5", run=None)
    assert_refused(said, "unknown key 'modle'", "5 in limits should be a mapping", "--config", code=1)


def test_problems_of_the_project_configuration_are_told_where_they_are(place: Place, first: Study) -> None:
    config = place.root / "config" / "config.yaml"
    config.write_text(config.read_text() + "limits: [1, 2\n")
    for said, code in ((place.flagstone("status"), 2), (place.snakemake(), 1)):
        assert_refused(said, "config/config.yaml", "not readable YAML", code=code)


@pytest.mark.parametrize("content", ["- a list\n", "\x00\x01", "a: [\n", "goal: x\n\tmodel: y\n", "\xff"])
def test_a_run_yaml_that_cannot_be_read_names_the_file(place: Place, first: Study, content: str) -> None:
    first.files.settings.write_bytes(content.encode("latin-1"))
    assert_refused(place.flagstone("run", "t"), "run.yaml")


def test_new_refuses_what_is_wrong_and_creates_nothing(place: Place, tmp_path: Path) -> None:
    secret = tmp_path / "pipe"
    os.mkfifo(secret)
    before = tree(place.root)
    new = ("new", "t", "--goal", "x")
    assert_refused(place.flagstone("new", "t"), "goal", "--goal")
    assert_refused(place.flagstone("new", "t", "--goal", "  "), "needs a goal")
    assert_refused(place.flagstone(*new, "--resource", str(tmp_path / "none.pdf")), "there is no resource")
    assert_refused(place.flagstone(*new, "--resource", str(secret)), "neither a file nor a folder")
    assert_refused(place.flagstone(*new, "--agent", "clod"), "'clod'", "claude")
    assert_refused(place.flagstone(*new, "--venue", "neurips_2052"), "neurips_2025")
    assert_refused(place.flagstone(*new, "--set", "limits.atempts=2"), "attempts")
    assert_refused(place.flagstone(*new, "--set", "limits"), "KEY=VALUE")
    assert_refused(place.flagstone(*new, "--set", "limits=2", "--set", "limits.turns=3"), "limits")
    assert_refused(place.flagstone("new", "../t", "--goal", "x"), "cannot be the name")
    assert_refused(place.flagstone("new", "latest", "--goal", "x"), "cannot be the name")
    assert_refused(place.flagstone("new", "x" * 65, "--goal", "x"), "cannot be the name")
    assert tree(place.root) == before


@pytest.mark.parametrize("name", ["config.yaml", "stages.yaml"])
def test_new_leaves_nothing_behind_where_the_project_is_set_up_wrongly(place: Place, name: str) -> None:
    path = place.root / "config" / name
    path.write_text(path.read_text() + "bogus: 1\n")
    before = tree(place.root)
    assert_refused(place.flagstone("new", "t", "--goal", "x"), f"config/{name}")
    assert tree(place.root) == before


def test_a_run_that_exists_is_not_touched(place: Place, first: Study) -> None:
    before = first.tree()
    assert_refused(place.flagstone("new", "t", "--goal", "another"), "already exists")
    assert first.tree() == before


def test_a_stage_that_does_not_exist_is_named_with_the_nearest(place: Place, first: Study) -> None:
    assert_refused(place.flagstone("approve", "writting"), "no stage 'writting'", "07_writing")
    assert_refused(place.flagstone("run", "t", "--to", "9"), "no stage '9'")


def test_what_is_not_built_cannot_be_approved(place: Place, first: Study) -> None:
    before = first.tree()
    assert_refused(place.flagstone("approve", "2"), "depends on stage 01")
    assert_refused(place.flagstone("approve", "1", "--digest", "000000"), "has changed")
    assert first.tree() == before


def test_a_stage_table_with_a_circle_is_refused_before_anything_runs(place: Place, first: Study) -> None:
    path = first.files.pinned / "stages.yaml"
    table = yaml.safe_load(path.read_text())
    table["stages"]["02"]["after"] = ["03"]
    path.write_text(yaml.safe_dump(table))
    words = ("depend on each other in a circle", "02", "03")
    assert_refused(place.flagstone("run", "t"), *words)
    assert_refused(place.snakemake(), *words, code=1)


def test_a_stage_table_that_names_strangers_or_unknown_keys_is_refused(place: Place, first: Study) -> None:
    path = first.files.pinned / "stages.yaml"
    text = path.read_text()
    path.write_text(text.replace('after: ["01"]', 'after: ["11"]'))
    assert_refused(place.flagstone("run", "t"), "stages that do not exist: 11")
    path.write_text(text.replace('after: ["01"]', 'aftr: ["01"]'))
    assert_refused(place.flagstone("run", "t"), "unknown key 'aftr'", "'after'")


BROKEN = [b"", b"[]", b'{"stage": 1}', b"[" * 100_000]


RECORDS = {
    "manifest.json": b"{",
    "drafts/02/published.json": b"\xff\xfe\x00",
    "drafts/02/turn.json": b"[]",
    "index/data.json": b"",
}


@pytest.mark.parametrize(("which", "content"), RECORDS.items(), ids=list(RECORDS))
def test_a_broken_record_is_recovered_from_the_rest(place: Place, third: Study, which: str, content: bytes) -> None:
    before = third.counts()
    (third.root / which).write_bytes(content)
    said = place.snakemake()
    assert said.code == 0 and not said.has_traceback
    assert "stage 03 study_design waits for you" in said.last, said.text
    assert third.counts() == before and len(third.seals("02")) == 1
    if "published" in which:
        assert "drafts/02/published.json" in said.text and "rebuilt" in said.text
        json.loads((third.root / which).read_bytes())
    assert place.flagstone("status", "t").code == 0
    third.ask("02", "shorter\n")
    place.snakemake()
    calls = third.calls("02")
    assert len(calls) == 2 and calls[0]["session_id"] == calls[1]["session_id"]


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: repr(content[:12]))
def test_a_broken_offer_is_restored_from_history_and_that_is_said(place: Place, third: Study, content: bytes) -> None:
    before = third.counts()
    offer = third.files.offer(third.key("02"))
    offer.write_bytes(content)
    said = place.snakemake()
    assert said.code == 0 and "stage 03 study_design waits for you" in said.last, said.text
    assert "stages/02_hypothesis_generation.json" in said.text and "restored from" in said.text
    assert third.counts() == before
    assert any(path.read_bytes() == content for path in third.files.history("02").glob("broken-*"))


def test_a_broken_line_in_the_ledger_is_passed_over_and_said(place: Place, third: Study) -> None:
    lines = third.files.seals.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if b'"stage":"01"' in line)
    lines[at] = b"\x00garbage\n"
    third.files.seals.write_bytes(b"".join(lines))
    before = third.counts()
    said = place.snakemake()
    assert (
        said.code == 0
        and not said.has_traceback
        and "line 2 of seals.jsonl cannot be read and is passed over" in said.text
    )
    assert third.counts() == before, "a lost seal costs an approval, never a rerun"
    third.touch("01")
    assert "stage 03 study_design waits for you" in place.snakemake().last
    assert len(Ledger(third.files.seals).entries()) >= 3


def test_a_ledger_that_is_gone_costs_approvals_and_never_work(place: Place, third: Study) -> None:
    before = third.counts()
    third.files.seals.unlink()
    said = place.snakemake()
    assert said.code == 0 and not said.has_traceback and third.counts() == before
    third.touch("01", "02")
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last and third.counts() == before


def test_a_script_that_says_something_unknown_is_refused_with_the_reason(place: Place) -> None:
    study = place.new(script={"*": {"*": "juggle"}})
    said = place.flagstone("run", "t")
    assert said.code == 3 and "juggle" in said.text and not said.has_traceback
    assert len(study.calls("01")) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], capture_output=True)
    if mount.returncode:
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    with open(folder / "filler", "wb", buffering=0) as stream:
        while True:
            try:
                stream.write(b"\0" * 4096)
            except OSError:
                return


def test_no_space_left_is_said_and_costs_nothing(small_disk: Path) -> None:
    place = make_place(small_disk / "project")
    study = place.new()
    place.snakemake()
    study.touch("01")
    fill(small_disk)
    said = place.flagstone("run", "t")
    assert said.code in (2, 3) and not said.has_traceback, said.text
    assert "No space left" in said.text and "free some space" in said.lines[-1]
    said = place.flagstone("new", "u", "--goal", "x")
    assert said.code in (2, 3) and "No space left" in said.text and not (place.root / "runs" / "u").exists()
    (small_disk / "filler").unlink()
    said = place.flagstone("run", "t")
    assert said.code == 0 and "stage 02 hypothesis_generation waits for you" in said.last
    assert study.counts() == {**study.counts(), "01": 1} and study.counts()["02"] <= 2
    assert Ledger(study.files.seals).problems() == []


def test_plain_snakemake_without_space_loses_nothing_either(small_disk: Path) -> None:
    place = make_place(small_disk / "project")
    study = place.new()
    place.snakemake()
    study.touch("01")
    before = study.tree()
    fill(small_disk)
    said = place.snakemake()
    assert said.code == 1 and not said.has_traceback
    assert "No space left" in said.lines[-2] and "free some space" in said.lines[-1]
    assert study.tree() == before
    (small_disk / "filler").unlink()
    assert "stage 02 hypothesis_generation waits for you" in place.snakemake().last


@pytest.mark.parametrize("program", ["snakemake", "flagstone"])
def test_a_disk_that_an_agent_fills_is_said_and_costs_nothing_published(small_disk: Path, program: str) -> None:
    place = make_place(small_disk / "project")
    study = place.new(script={"02": {1: [["huge", 20]]}, "*": {"*": "instant"}})
    place.snakemake()
    study.touch("01")
    said = place.snakemake() if program == "snakemake" else place.flagstone("run", "t")
    assert said.code == (1 if program == "snakemake" else 3) and not said.has_traceback, said.text
    assert "No space left" in said.text
    (study.files.drafts("02") / "001" / "draft.md").unlink()
    said = place.snakemake()
    assert "stage 02 hypothesis_generation waits for you" in said.last, said.text
    assert study.counts()["01"] == 1 and len(study.seals("01")) == 1
    assert Ledger(study.files.seals).problems() == []


def test_a_read_only_folder_is_said_and_costs_nothing(small_disk: Path) -> None:
    place = make_place(small_disk / "project")
    study = place.new()
    place.snakemake()
    study.touch("01")
    before = study.tree()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    plain = place.snakemake()
    assert plain.code == 1 and not plain.has_traceback and "Read-only" in plain.lines[-2]
    for said in (place.flagstone("run", "t"), place.flagstone("new", "u", "--goal", "x")):
        assert said.code in (2, 3) and not said.has_traceback, said.text
        assert "Read-only file system" in said.text
    assert place.flagstone("status").code == 0
    assert study.tree() == before
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert "stage 02 hypothesis_generation waits for you" in place.snakemake().last


@pytest.mark.parametrize("words", [("flagstone", "run", "t"), ("snakemake", "--cores", "1", "--config", "run=t")])
def test_a_folder_that_may_not_be_written_is_named_and_costs_nothing(
    place: Place, first: Study, words: tuple[str, ...]
) -> None:
    place.snakemake()
    first.ask("01", "Shorter.\n")
    before = first.tree()
    for folder in ("stages", "logs", "drafts/01", "history/01", ".snakemake"):
        path = first.root / folder
        mode = path.stat().st_mode
        path.chmod(0o555)
        said = ended(start_bound(*words, cwd=place.root))
        path.chmod(mode)
        assert said.code in (1, 3) and not said.has_traceback, said.text
        assert f"cannot write {path}: Permission denied" in said.lines[-2] and "make the folder writable" in said.last
        assert first.tree() == before, folder
    assert "waits for you" in place.snakemake().last and first.counts()["01"] == 2


def start_bound(program: str, *words: str, cwd: Path) -> subprocess.Popen[bytes]:
    """Starts a command for which the permissions of files count, even if the tests run as root."""
    without = "-dac_override,-dac_read_search"
    bounds = ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}"] if os.getuid() == 0 else ["env"]
    return start(Path(bounds[0]), *bounds[1:], str(PROGRAMS / program), *words, cwd=cwd)


def test_a_decision_counts_although_what_is_derived_cannot_be_written(place: Place, first: Study) -> None:
    first.files.memory.unlink()
    first.files.memory.mkdir()
    said = place.flagstone("approve", "01")
    assert said.code == 0 and "approved stage 01" in said.text and "note: cannot write" in said.text
    first.files.memory.rmdir()
    assert "stage 02 hypothesis_generation waits for you" in place.snakemake().last
    assert first.files.memory.is_file()


def test_a_project_that_is_none_is_said(tmp_path: Path) -> None:
    said = Place(tmp_path).flagstone("status")
    assert_refused(said, "no Flagstone project here")


def test_a_run_without_its_history_still_runs(place: Place, third: Study) -> None:
    shutil.rmtree(third.root / "history")
    said = place.snakemake()
    assert said.code == 0 and "stage 03 study_design waits for you" in said.last and not said.has_traceback
    third.touch("03")
    assert "stage 04" in place.snakemake().last


def test_status_calls_a_run_broken_whose_settings_snakemake_would_refuse(place: Place) -> None:
    study = place.new("t", script={"*": {"*": "instant"}})
    study.set(limits={"turns": "many"})
    before = study.tree()
    said = place.flagstone("status")
    assert "t  broken" in said.text and "turns" in said.text, said.text
    assert study.tree() == before
