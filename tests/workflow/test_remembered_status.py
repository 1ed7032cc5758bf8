"""`flagstone status` of many runs: remembered in the user's cache folder, true all the same, and nothing in a run."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from workbench import Place, Study

from flagstone.layout import Run
from flagstone.records import write_record


@pytest.fixture
def settled(place: Place, whole: Study, cache: Path) -> Study:
    """A finished run beside another one; what `status` says of both is remembered."""
    write_record(place.new("u").files.last_profile, {"words": []})
    time.sleep(0.1)  # what has only just changed is not remembered
    states(place)
    (rows,) = cache.glob("status-*.json")
    assert set(json.loads(rows.read_bytes())) == {"t", "u"}
    return whole


def states(place: Place) -> list[str]:
    """The states of the stages of run `t`, as the table of all runs tells them."""
    said = place.flagstone("status", "--json")
    assert said.code == 0, said.text
    found = {row["name"]: row for row in json.loads(said.text)}
    return [found["t"]["state"], *(row["state"] for row in found["t"]["stages"])]


def edit_in_place(path: Path) -> None:
    """As an editor does that keeps the file; its size and its time stay the same."""
    before = path.stat()
    words = path.read_bytes()
    path.write_bytes(words.swapcase())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def keep_elsewhere(folder: Path) -> None:
    """Moves a folder out of the run, and leaves a link: its files keep every mark, and are no longer the run's."""
    elsewhere = folder.rename(folder.parents[3] / "elsewhere")
    folder.symlink_to(elsewhere)


CHANGES: dict[str, Callable[[Study], object]] = {
    "an artifact": lambda run: edit_in_place(run.root / "workspace" / "literature" / "notes.md"),
    "a summary": lambda run: edit_in_place(run.summary("03")),
    "a flag": lambda run: run.files.flag("05").unlink(),
    "feedback": lambda run: run.ask("02", "shorter\n"),
    "a redo mark": lambda run: run.files.redo("04").touch(),
    "settings": lambda run: run.set(model="opus"),
    "a prompt": lambda run: edit_in_place(run.files.pinned / "prompts" / "03_study_design.md.j2"),
    "a new part of every prompt": lambda run: (run.files.pinned / "prompts/_partials/own.md.j2").write_text("more\n"),
    "a folder that is kept elsewhere": lambda run: keep_elsewhere(run.root / "workspace" / "literature"),
    "the brief": lambda run: edit_in_place(run.files.brief),
    "an abort": lambda run: (run.root / "aborted").touch(),
    "a lost document": lambda run: run.summary("08").unlink(),
    "the profile of the last call": lambda run: write_record(
        Run(run.root.with_name("u")).last_profile, {"words": ["--workflow-profile", "profiles/slurm"]}
    ),
    "a flag under another name": lambda run: (run.files.approved / "1.flag").touch(),
    "a plan": lambda run: (run.files.plans.mkdir(), (run.files.plans / "tune.yaml").write_text("goal: x\n")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_once(place: Place, settled: Study, cache: Path, change: str) -> None:
    CHANGES[change](settled)
    seen = json.loads(place.flagstone("status", "--json").text)
    for path in cache.rglob("*.json"):
        path.unlink()
    assert seen == json.loads(place.flagstone("status", "--json").text), "losing the cache changes nothing"
    if change not in ("a plan", "a flag under another name", "the profile of the last call"):
        assert states(place) != ["done"] * 9


def test_nothing_is_written_into_a_run_and_a_cache_that_cannot_be_had_costs_time_only(
    place: Place, whole: Study, cache: Path
) -> None:
    place.new("u")
    before = whole.tree(), sorted((whole.root / ".snakemake").rglob("*"))
    assert states(place) == ["done"] * 9
    assert (whole.tree(), sorted((whole.root / ".snakemake").rglob("*"))) == before
    for path in cache.rglob("*.json"):
        path.write_text("{not json")
    assert states(place) == ["done"] * 9
    cache.rename(cache.with_name("away"))
    cache.write_text("no folder")
    assert states(place) == ["done"] * 9


def test_what_is_going_on_is_not_remembered(place: Place, settled: Study) -> None:
    settled.ask("08", "shorter\n")
    before = states(place)
    time.sleep(0.1)
    assert states(place) == before != ["done"] * 9
    assert place.snakemake().code == 0
    assert states(place)[-1] == "stale"
