"""Experiments that stages 03 and 04 planned, run by Snakemake before stage 05."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import workbench
from planned_experiments import TRAIN, ledger, plan
from workbench import Place, Study, copy_run, ended, pids_in, prepared_once, wait_until

DONE = [("r0001", "advance"), ("r0002", "advance"), ("r0003", "revert"), ("r0004", "advance")]


@pytest.fixture(scope="session")
def prepared_measured(workshop: Path, prepared_planned: Study) -> Study:
    def build(place: Place) -> None:
        copy_run(prepared_planned, place)
        assert place.snakemake().code == 0

    return prepared_once(workshop / "measured", build)


@pytest.fixture
def measured(place: Place, prepared_measured: Study) -> Study:
    """A run whose planned experiment has ended; stage 05 waits for a person."""
    return copy_run(prepared_measured, place)


def test_snakemake_runs_the_planned_runs_one_a_job_and_then_the_stage(place: Place, planned: Study) -> None:
    said = place.snakemake()
    assert said.code == 0 and "waits for you" in said.last
    assert ledger(planned) == DONE
    assert len(list((planned.files.experiments / "tune" / "blocks").glob("*.json"))) == 4
    assert said.text.count("r0003 revert") == 1
    assert planned.counts()["05"] == 1
    again = place.snakemake()
    assert "Nothing to be done" in again.text and ledger(planned) == DONE


def test_a_finished_experiment_is_drawn_and_is_part_of_the_report(place: Place, measured: Study) -> None:
    picture = measured.files.experiments / "tune" / "progress.svg"
    assert "tune: less loss" in picture.read_text()
    report = place.root / "report.html"
    said = place.snakemake("--report", str(report))
    assert said.code == 0, said.text
    assert "experiments/tune/progress.svg" in report.read_text()
    picture.unlink()
    assert place.snakemake().code == 0 and picture.is_file()
    assert ledger(measured) == DONE


def test_a_block_holds_as_many_runs_as_the_plan_says(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan(study, block=3)
    assert place.flagstone("run", "t", "--yes", "--to", "05").code == 0
    assert ledger(study) == DONE
    assert len(list((study.files.experiments / "tune" / "blocks").glob("*.json"))) == 2


def test_nothing_is_run_before_the_plan_is_approved(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan(study)
    assert place.flagstone("run", "t", "--yes", "--to", "03").code == 0
    assert place.snakemake().code == 0
    assert ledger(study) == []


def test_a_plan_that_is_changed_after_approval_closes_the_gate(place: Place, planned: Study) -> None:
    plan(planned, stopping={"max_runs": 2})
    said = place.snakemake()
    assert "workspace/experiments/tune.yaml changed" in said.text
    assert ledger(planned) == []


def test_a_plan_that_is_approved_again_begins_a_new_experiment_and_keeps_the_old_one(
    place: Place, measured: Study
) -> None:
    changed = plan(measured, stopping={"max_runs": 2})
    place.snakemake()
    owner = next(
        nr for nr in ("01", "02", "03", "04") if str(changed.relative_to(measured.root)) in offered(measured, nr)
    )
    measured.touch(owner)
    for _ in range(4):
        place.snakemake()
        measured.touch("02", "03", "04")
    assert ledger(measured) == DONE[:2]
    old = list((measured.files.experiments / "tune" / "history").glob("*/ledger.jsonl"))
    assert len(old) == 1 and len(old[0].read_text().splitlines()) == 4


def offered(study: Study, nr: str) -> list[str]:
    record = json.loads(study.files.offer(study.key(nr)).read_text())
    return [row["path"] for row in record["artifacts"]]


def test_a_stage_is_approved_together_with_the_ledgers_it_used(place: Place, measured: Study) -> None:
    assert "experiments/tune/ledger.jsonl" in offered(measured, "05")
    measured.touch("05")
    assert place.flagstone("run", "t", "--to", "05").code == 0
    path = measured.files.experiments / "tune" / "ledger.jsonl"
    path.write_text(path.read_text().replace('"advance"', '"revert"', 1))
    assert "experiments/tune/ledger.jsonl changed" in place.snakemake().text


def test_results_are_indexed(measured: Study) -> None:
    index = json.loads(measured.files.index("results").read_text())
    rows = {row["path"]: row for row in index["entries"]}
    assert rows["workspace/results/tune/experiment.json"]["made_by"]["experiments"] == ["tune"]
    table = (measured.files.workspace / "results" / "tune" / "iterations.csv").read_text()
    assert table.count("\n") == 5


@pytest.mark.parametrize("after", [1, 3])
def test_kill_9_in_a_block_loses_no_run_and_repeats_none(place: Place, planned: Study, after: int) -> None:
    process = place.start_snakemake()
    wait_until(lambda: len(ledger(planned)) >= after, f"{after} runs")
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)
    subprocess.run(["pkill", "-9", "-f", str(planned.root)], check=False)
    assert place.snakemake().code == 0
    assert ledger(planned) == DONE


def test_nothing_outlives_a_killed_snakemake_and_no_run_is_lost(place: Place, planned: Study) -> None:
    process = place.start_snakemake()
    wait_until(lambda: len(ledger(planned)) >= 2, "two runs")
    process.kill()
    process.wait()
    wait_until(lambda: not pids_in(process.pid), "the process that blocks are forked from to end")
    assert place.snakemake().code == 0
    assert [run for run, verdict in ledger(planned) if verdict != "interrupted"][:2] == ["r0001", "r0002"]
    assert len(ledger(planned)) == len(set(ledger(planned))) == 4


def test_a_plan_with_an_unknown_key_is_sent_back_before_anyone_is_asked(place: Place) -> None:
    study = place.new("t", "sandbox=off", "limits.attempts=1")
    plan(study, metrik="loss")
    said = place.flagstone("run", "t", "--yes", "--to", "01")
    assert said.code == 3
    assert "experiment-plans" in said.text and "metrik" in said.text


MEETING = """import os, pathlib, time
here = pathlib.Path(os.environ["MEETING"])
(here / os.environ["CUDA_VISIBLE_DEVICES"]).touch()
end = time.monotonic() + float(os.environ["PATIENCE"])
while len(list(here.iterdir())) < 2 and time.monotonic() < end:
    time.sleep(0.02)
print(f"val_loss: {len(list(here.iterdir()))}")
"""


@pytest.mark.parametrize(
    ("command", "words", "together"),
    [("flagstone", (), True), ("snakemake", (), True), ("snakemake", ("--resources", "gpu=1"), False)],
)
def test_experiments_use_as_many_gpus_as_there_are(
    place: Place, monkeypatch: pytest.MonkeyPatch, command: str, words: tuple[str, ...], together: bool
) -> None:
    study = place.new("t", "sandbox=off")
    meeting = study.root / "meeting"
    meeting.mkdir()
    env = {"MEETING": str(meeting), "PATIENCE": "300" if together else "0.5"}
    for name in ("left", "right"):
        plan(study, name, stopping={"max_runs": 1}, harness={"argv": ["python", "train.py"], "gpus": 1, "env": env})
    (study.files.workspace / "code" / "tune" / "train.py").write_text(MEETING)
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    real = workbench.environment()
    monkeypatch.setattr(
        workbench,
        "environment",
        lambda: {**real, "FLAGSTONE_GPUS": "0,1", "FLAGSTONE_LOCKS": str(place.root / "locks")},
    )
    said = place.flagstone("run", "t", "--cores", "2") if command == "flagstone" else place.snakemake(*words)
    assert said.code == 0, said.text
    lines = [json.loads((study.files.experiments / name / "ledger.jsonl").read_text()) for name in ("left", "right")]
    assert ([line["value"] for line in lines] == [2.0, 2.0]) is together


def test_runs_that_a_person_adds_after_the_end_reach_the_results(place: Place, measured: Study) -> None:
    edits, spec = measured.files.workspace / "notes" / "edits", measured.files.experiments / "tune" / "experiment.yaml"
    (edits / "0005").mkdir()
    (edits / "0005" / "train.py").write_text(TRAIN.replace("1.0", "3.0"))
    approved = spec.read_text()
    spec.write_text(approved.replace("max_runs: 4", "max_runs: 5"))
    assert place.flagstone("experiment", "run", "tune", "--run", "t").code == 0
    assert place.snakemake().code == 0
    results = measured.files.workspace / "results" / "tune"
    assert json.loads((results / "experiment.json").read_text())["best"]["run"] == "r0005"
    assert (results / "iterations.csv").read_text().count("\n") == 6
    assert ledger(measured) == [*DONE, ("r0005", "advance")]
    assert spec.read_text() == approved
    assert place.snakemake().code == 0 and (measured.files.experiments / "tune" / "progress.svg").is_file()
    assert "Nothing to be done" in place.snakemake().text
