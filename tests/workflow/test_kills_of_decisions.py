"""A decision that is killed before any of its writes: a good version can be read and approved; the next call is true.

The decision runs in a fork that kills itself with SIGKILL before its n-th change of a file, for every n.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from workbench import Place, Study, copy_run, make_place

from flagstone.cli.jobs.stage import build_one
from flagstone.drafting import restore_version
from flagstone.gates import (
    State,
    approve_stage,
    command_decision,
    history,
    judge_gates,
    kept_versions,
    read_moment,
    requests,
)
from flagstone.records import Ledger
from flagstone.status import refresh_derived

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.utime", "os.truncate")
EVERY = 6  # each so many steps is killed in the suite; `-m slow` kills before every single one


def kill_before(step: int) -> None:
    """Kills this process before it changes files for the n-th time."""
    done = 0

    def count(event: str, words: tuple[Any, ...]) -> None:
        nonlocal done
        if event in CHANGES or (event == "open" and isinstance(words[2], int) and words[2] & WRITES):
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def is_killed(step: int, decide: Callable[[], object]) -> bool:
    """Whether the decision was still going on at this step."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        kill_before(step)
        try:
            decide()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def stage_of(study: Study, nr: str = "01") -> Any:
    return study.opened.table.stage(nr)


DECISIONS: dict[str, Callable[[Study], object]] = {
    "restore": lambda run: restore_version(run.opened, stage_of(run), "1"),
    "approve": lambda run: approve_stage(run.opened, stage_of(run), command_decision()),
    "refine": lambda run: requests.refine(run.opened, stage_of(run), "Again."),
    "redo": lambda run: requests.redo(run.opened, stage_of(run)),
    "rollback": lambda run: requests.rollback(run.opened, stage_of(run), ""),
    "build": lambda run: build_one(run.files, "01", lambda line: None),
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Two versions of stage 01, the first one approved; then a redo that fails and spoils a listed file."""
    script = {"01": {1: "instant", 2: "instant", "*": "crash"}, "*": {"*": "instant"}}
    place = make_place(tmp_path_factory.mktemp("asked") / "project")
    study = place.new("t", "limits.attempts=1", script=script)
    place.snakemake()
    study.touch("01")
    place.snakemake()
    study.ask("01", "Shorter.\n")
    place.snakemake()
    study.files.redo("01").touch()
    assert "failed" in place.snakemake().text
    listed = json.loads(study.files.offer(study.key("01")).read_bytes())["artifacts"][0]["path"]
    (study.root / listed).write_text("half done")
    return study


def assert_good(study: Study) -> None:
    """A version that was once published is there, whole, and nothing was approved by nobody."""
    assert Ledger(study.files.seals).problems() == []
    for path in study.root.rglob("*.json"):
        if ".snakemake" not in path.parts and path.name != "call.json":
            json.loads(path.read_bytes())
    opened = study.opened
    known = {version.digest: version for version in kept_versions(study.files, "01")}
    verdict = judge_gates(read_moment(opened))["01"]
    assert study.summary("01").is_file(), "there is nothing to read"
    if verdict.state is State.APPROVED:
        assert verdict.files.digest in {seal["digest"] for seal in study.seals("01")}
    approve_stage(opened, stage_of(study), command_decision())
    verdict = judge_gates(read_moment(study.opened))["01"]
    assert verdict.is_open and verdict.content is not None and not verdict.content.missing_files
    assert verdict.content.digest in known, "what was approved was never published"
    assert study.seals("01")[-1]["digest"] == verdict.content.digest


@pytest.mark.parametrize("program", [pytest.param("all", marks=pytest.mark.slow), "some"])
@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_that_is_killed_loses_nothing(place: Place, asked: Study, decision: str, program: str) -> None:
    first, step = copy_run(asked, place), 1
    digests = {version.digest for version in kept_versions(first.files, "01")}
    assert len(digests) == 2
    while True:
        study = place.study(f"k{step}")
        shutil.copytree(first.root, study.root, symlinks=True)
        if not is_killed(step, partial(DECISIONS[decision], study)):
            break
        if step % (4 * EVERY) == 1:
            said = place.snakemake(run=study.root.name)
            assert not said.has_traceback and said.last.strip(), said.text
        assert_good(study)
        refresh_derived(study.opened)
        shutil.rmtree(study.root)
        step += 1 if program == "all" else EVERY
    assert step > 1, "nothing was killed"


def test_a_restore_that_is_killed_is_told_and_undone(place: Place, asked: Study) -> None:
    first, step = copy_run(asked, place), 1
    second = first.summary("01").read_bytes()
    while not history.restoring_file(first.files, "01").exists():
        assert is_killed(step, partial(DECISIONS["restore"], first)), "no restore was half done"
        step += 1
    assert "restoring stage 01 was cut short; the next call undoes it" in place.flagstone("status", "t").text
    said = place.snakemake()
    (note,) = [line for line in said.lines if line.startswith("note: restoring version 0001")]
    (restored,) = [each.name for each in first.files.history("01").iterdir() if each.name.startswith("0001-")]
    assert note.endswith(f"is undone now; to restore it: flagstone restore 01 {restored}"), said.text
    assert first.summary("01").read_bytes() == second and not history.restoring_file(first.files, "01").exists()
    assert "restored version" not in first.files.report.read_text(), "what was undone is no decision"
    assert place.flagstone("restore", "01", "1").code == 0
    assert first.summary("01").read_bytes() != second
