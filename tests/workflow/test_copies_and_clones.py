"""A run that was moved, copied or cloned: nothing reruns, no approval is lost, none is invented."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from workbench import Place, Study, make_place, walk

TIMELESS = {"copy_function": shutil.copyfile, "symlinks": True}


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def commit(place: Place) -> None:
    """Puts the project and its runs under git, as far as git takes them."""
    (place.root / ".gitignore").write_text("runs/*\n.snakemake/\n__pycache__/\n")
    git(place.root, "init", "-q", ".")
    git(place.root, "add", ".")
    git(place.root, "add", "-f", "runs")
    git(place.root, "commit", "-qm", "a run")


def clone(place: Place, folder: Path) -> Place:
    """A fresh clone without Snakemake's folder, every file with a time of its own."""
    git(place.root.parent, "clone", "-q", str(place.root), str(folder))
    chance = random.Random(7)
    for path in walk(folder):
        if ".git" not in path.parts and not path.is_symlink():
            moment = chance.uniform(1_000_000_000, 1_750_000_000)
            os.utime(path, (moment, moment))
    for snakemake in folder.glob("runs/*/.snakemake"):
        shutil.rmtree(snakemake)
    return Place(folder)


def test_a_fresh_clone_with_random_times_reruns_nothing_and_keeps_every_approval(
    place: Place, whole: Study, tmp_path: Path
) -> None:
    commit(place)
    there = clone(place, tmp_path / "clone")
    said = there.snakemake()
    assert said.code == 0 and "is done" in said.last and "Nothing to be done" in said.text
    assert there.study().counts() == whole.counts()
    assert {nr: len(there.study().seals(nr)) for nr in ("01", "08")} == {"01": 1, "08": 1}
    assert "Nothing to be done" in there.snakemake().text


def test_a_fresh_clone_waits_at_the_same_gate(place: Place, third: Study, tmp_path: Path) -> None:
    commit(place)
    there = clone(place, tmp_path / "clone")
    study = there.study()
    said = there.snakemake()
    assert "stage 03 study_design waits for you" in said.last and study.counts() == third.counts()
    study.touch("03")
    assert "stage 04 implementation waits for you" in there.snakemake().last
    assert study.counts() == {**third.counts(), "04": 1}


def test_a_stale_flag_does_not_become_an_approval_through_a_clone(place: Place, third: Study, tmp_path: Path) -> None:
    third.append(third.summary("02"))
    assert "is stale" in place.snakemake().last
    commit(place)
    there = clone(place, tmp_path / "clone")
    for _ in range(2):
        said = there.snakemake()
        assert "stage 02 hypothesis_generation is stale" in said.last
    assert len(there.study().seals("02")) == 1
    there.study().touch("02")
    there.snakemake()
    assert len(there.study().seals("02")) == 2


def test_a_stale_flag_stays_stale_in_a_copy_whose_flags_were_written_last(
    place: Place, third: Study, tmp_path: Path
) -> None:
    third.append(third.summary("02"))
    there = make_place(tmp_path / "other")
    for part in sorted(third.root.iterdir(), key=lambda path: path.name == "approved"):
        copy = there.study().root / part.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if part.is_dir() else shutil.copy)(part, copy, **TIMELESS if part.is_dir() else {})
    for _ in range(2):
        assert "stage 02 hypothesis_generation is stale" in there.snakemake().last
    assert len(there.study().seals("02")) == 1


def test_a_touch_in_a_copy_before_its_first_call_is_an_approval(place: Place, third: Study, tmp_path: Path) -> None:
    commit(place)
    there = clone(place, tmp_path / "clone")
    soon = time.time() + 1.5  # a person does not decide within a second of the copy
    there.study().touch("03")
    os.utime(there.study().files.flag("03"), (soon, soon))
    assert "stage 04 implementation waits for you" in there.snakemake().last


def test_a_flag_that_was_no_approval_is_none_in_a_clone(place: Place, fresh: Study, tmp_path: Path) -> None:
    fresh.touch("01")
    assert "not an approval" in place.snakemake().last
    commit(place)
    there = clone(place, tmp_path / "clone")
    said = there.snakemake()
    assert there.study().built() == ["01"] and not there.study().seals("01")
    assert said.last.endswith("touch runs/t/approved/01.flag")


def test_feedback_that_waits_is_taken_up_in_a_clone(place: Place, third: Study, tmp_path: Path) -> None:
    third.ask("03", "one more thing\n")
    commit(place)
    there = clone(place, tmp_path / "clone")
    there.snakemake()
    assert len(there.study().calls("03")) == 2 and "one more thing" in there.study().prompt("03", 2)


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_a_run_that_was_moved_or_copied_reruns_nothing(place: Place, third: Study, tmp_path: Path, how: str) -> None:
    other = make_place(tmp_path / "other place")
    (other.root / "runs").mkdir()
    before = third.counts()
    (shutil.move if how == "moved" else shutil.copytree)(third.root, other.root / "runs" / "attn")
    said = other.snakemake(run="attn")
    study = other.study("attn")
    assert "stage 03 study_design waits for you" in said.last and study.counts() == before
    study.touch("03")
    assert "stage 04 implementation waits for you" in other.snakemake(run="attn").last


def test_two_runs_of_one_project_do_not_share_anything(place: Place, third: Study, prepared_third: Study) -> None:
    shutil.copytree(prepared_third.root, place.root / "runs" / "u")
    third.touch("03")
    place.snakemake(run="t")
    assert place.study("u").built() == ["01", "02", "03"] and "04" in third.built()


def test_everything_works_below_a_path_with_a_space_and_an_umlaut(tmp_path: Path) -> None:
    place = make_place(tmp_path / "my füße and $HOME" / "pro'ject")
    study = place.new()
    assert "waits for you" in place.snakemake().last
    study.touch("01")
    assert "stage 02" in place.snakemake().last
    assert place.flagstone("run", "t", "--yes", "--to", "03").code == 0
    assert study.built() == ["01", "02", "03"]


def test_without_snakemakes_own_folder_nothing_reruns_and_requests_are_still_seen(place: Place, third: Study) -> None:
    shutil.rmtree(third.root / ".snakemake")
    assert "stage 03 study_design waits for you" in place.snakemake().last and third.counts()["03"] == 1
    shutil.rmtree(third.root / ".snakemake")
    third.ask("03", "shorter\n")
    place.snakemake()
    assert third.counts() == {**third.counts(), "01": 1, "02": 1, "03": 2}
