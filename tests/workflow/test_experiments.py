"""Experiments that stages 03 and 04 planned, run by Snakemake before stage 05."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import workbench
import yaml
from workbench import Place, Study, ended, pids_in, wait_until

from flagstone.gates.holder import holder_of

TRAIN = """import os
X = 1.0
with open(os.environ["COUNT"], "a") as count:
    count.write("x")
print(f"val_loss: {(X - 3) ** 2}")
"""


def plan(study: Study, name: str = "tune", **changes: object) -> Path:
    """A plan as stages 03 and 04 leave it, with its edits beside it."""
    study.set(sandbox="off")  # by a person: the code of these plans counts its runs outside of the run
    code = study.files.workspace / "code" / "tune"
    code.mkdir(parents=True, exist_ok=True)
    (code / "train.py").write_text(TRAIN)
    edits = study.files.workspace / "notes" / "edits"
    for number, value in ((2, 2.0), (3, 9.0), (4, 2.5)):
        (edits / f"{number:04d}").mkdir(parents=True, exist_ok=True)
        (edits / f"{number:04d}" / "train.py").write_text(TRAIN.replace("1.0", str(value)))
    value = {
        "goal": "less loss",
        "subject": {"root": "workspace/code/tune", "mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"], "seconds": 60, "env": {"COUNT": str(study.root / "count")}},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "proposer": "scripted",
        "script": "workspace/notes/edits",
        "stopping": {"max_runs": 4},
        **changes,
    }
    path = study.files.plans / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False))
    return path


@pytest.fixture
def planned(place: Place) -> Study:
    """A run whose stages 01 to 04 are approved, with one plan among what was approved."""
    study = place.new()
    plan(study)
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    return study


def ledger(study: Study, name: str = "tune") -> list[tuple[str, str]]:
    path = study.files.experiments / name / "ledger.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [(line["run_id"], line["verdict"]) for line in map(json.loads, lines)]


DONE = [("r0001", "advance"), ("r0002", "advance"), ("r0003", "revert"), ("r0004", "advance")]


def test_snakemake_runs_the_planned_runs_one_a_job_and_then_the_stage(place: Place, planned: Study) -> None:
    said = place.snakemake()
    assert said.code == 0 and "waits for you" in said.last
    assert ledger(planned) == DONE
    assert len(list((planned.files.experiments / "tune" / "blocks").glob("*.json"))) == 4
    assert said.text.count("r0003 revert") == 1
    assert planned.counts()["05"] == 1
    again = place.snakemake()
    assert "Nothing to be done" in again.text and ledger(planned) == DONE


def test_a_finished_experiment_is_drawn_and_is_part_of_the_report(place: Place, planned: Study) -> None:
    assert place.snakemake().code == 0
    picture = planned.files.experiments / "tune" / "progress.svg"
    assert "tune: less loss" in picture.read_text()
    report = place.root / "report.html"
    said = place.snakemake("--report", str(report))
    assert said.code == 0, said.text
    assert "experiments/tune/progress.svg" in report.read_text()
    picture.unlink()
    assert place.snakemake().code == 0 and picture.is_file()
    assert ledger(planned) == DONE


def test_a_block_holds_as_many_runs_as_the_plan_says(place: Place) -> None:
    study = place.new()
    plan(study, block=3)
    assert place.flagstone("run", "t", "--yes", "--to", "05").code == 0
    assert ledger(study) == DONE
    assert len(list((study.files.experiments / "tune" / "blocks").glob("*.json"))) == 2


def test_nothing_is_run_before_the_plan_is_approved(place: Place) -> None:
    study = place.new()
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
    place: Place, planned: Study
) -> None:
    assert place.snakemake().code == 0
    changed = plan(planned, stopping={"max_runs": 2})
    place.snakemake()
    owner = next(
        nr for nr in ("01", "02", "03", "04") if str(changed.relative_to(planned.root)) in offered(planned, nr)
    )
    planned.touch(owner)
    for _ in range(4):
        place.snakemake()
        planned.touch("02", "03", "04")
    assert ledger(planned) == DONE[:2]
    old = list((planned.files.experiments / "tune" / "history").glob("*/ledger.jsonl"))
    assert len(old) == 1 and len(old[0].read_text().splitlines()) == 4


def offered(study: Study, nr: str) -> list[str]:
    record = json.loads(study.files.offer(study.key(nr)).read_text())
    return [row["path"] for row in record["artifacts"]]


def test_a_stage_is_approved_together_with_the_ledgers_it_used(place: Place, planned: Study) -> None:
    place.snakemake()
    assert "experiments/tune/ledger.jsonl" in offered(planned, "05")
    planned.touch("05")
    assert place.flagstone("run", "t", "--to", "05").code == 0
    path = planned.files.experiments / "tune" / "ledger.jsonl"
    path.write_text(path.read_text().replace('"advance"', '"revert"', 1))
    assert "experiments/tune/ledger.jsonl changed" in place.snakemake().text


def test_results_are_indexed_and_an_agent_cannot_rewrite_them(place: Place) -> None:
    study = place.new(script={"*": {"*": "instant"}})
    plan(study)
    assert place.flagstone("run", "t", "--yes", "--to", "05").code == 0
    index = json.loads(study.files.index("results").read_text())
    rows = {row["path"]: row for row in index["entries"]}
    assert rows["workspace/results/tune/experiment.json"]["made_by"]["experiments"] == ["tune"]
    table = (study.files.workspace / "results" / "tune" / "iterations.csv").read_text()
    assert table.count("\n") == 5


@pytest.mark.parametrize("after", [1, 2, 3])
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


def test_an_experiment_that_fails_says_why_in_the_last_lines(place: Place) -> None:
    study = place.new()
    path = plan(study)
    (study.files.workspace / "code" / "tune" / "train.py").write_text("raise ValueError('no data here')\n")
    assert path.is_file()
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    said = place.snakemake()
    assert said.code == 1
    assert "experiment tune: the unedited files do not run" in said.text
    assert "no data here" in said.text


def test_a_plan_with_an_unknown_key_is_sent_back_before_anyone_is_asked(place: Place) -> None:
    study = place.new("t", "limits.attempts=1")
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
    study = place.new()
    meeting = study.root / "meeting"
    meeting.mkdir()
    env = {"MEETING": str(meeting), "PATIENCE": "60" if together else "0.5"}
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


def test_runs_that_a_person_adds_after_the_end_reach_the_results(place: Place, planned: Study) -> None:
    assert place.snakemake().code == 0
    edits, spec = planned.files.workspace / "notes" / "edits", planned.files.experiments / "tune" / "experiment.yaml"
    (edits / "0005").mkdir()
    (edits / "0005" / "train.py").write_text(TRAIN.replace("1.0", "3.0"))
    approved = spec.read_text()
    spec.write_text(approved.replace("max_runs: 4", "max_runs: 5"))
    assert place.flagstone("experiment", "run", "tune", "--run", "t").code == 0
    assert place.snakemake().code == 0
    results = planned.files.workspace / "results" / "tune"
    assert json.loads((results / "experiment.json").read_text())["best"]["run"] == "r0005"
    assert (results / "iterations.csv").read_text().count("\n") == 6
    assert ledger(planned) == [*DONE, ("r0005", "advance")]
    assert spec.read_text() == approved
    assert place.snakemake().code == 0 and (planned.files.experiments / "tune" / "progress.svg").is_file()
    assert "Nothing to be done" in place.snakemake().text


def test_status_tells_of_experiments_that_have_not_ended(place: Place, planned: Study) -> None:
    assert "experiment tune: 0/4 runs, planned" in place.flagstone("status", "t").text
    assert place.snakemake("experiments/tune/blocks/0001.json").code == 0
    assert "experiment tune: 1/4 runs, best val_loss 4 in r0001, under way" in place.flagstone("status", "t").text
    (planned.files.experiments / "tune" / "stop").touch()
    assert "next: flagstone experiment resume tune --run t" in place.flagstone("status", "t").text
    (planned.files.experiments / "tune" / "stop").unlink()
    assert place.snakemake().code == 0
    assert "experiment tune" not in place.flagstone("status", "t").text


def test_status_says_why_an_experiment_failed(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan(study)
    (study.files.workspace / "code" / "tune" / "train.py").write_text("raise ValueError('no data here')\n")
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    assert place.snakemake().code == 1
    said = place.flagstone("status", "t").text
    assert "experiment tune: 1/4 runs, failed: the unedited files do not run" in said
    (row,) = json.loads(place.flagstone("status", "t", "--json").text)[0]["experiments"]
    assert (row["state"], row["runs"], row["max_runs"], row["best_value"]) == ("failed", 1, 4, None)
    assert row["reason"].startswith("the unedited files do not run")


@pytest.mark.parametrize(
    ("stopped", "words"),
    [
        ("job", "experiment tune: its job was killed or stopped in block 0001"),
        ("snakemake", "experiment tune has not ended; the same command goes on after its block 0001"),
    ],
)
def test_the_last_words_say_that_a_call_was_cut_off(place: Place, stopped: str, words: str) -> None:
    study = place.new("t", "sandbox=off")
    plan(study)
    code = study.files.workspace / "code" / "tune" / "train.py"
    code.write_text(f"import time\ntime.sleep(4)\n{TRAIN}")
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    process, lock = place.start_snakemake(), study.files.experiments / "tune" / "lock"
    wait_until(lambda: (study.files.experiments / "tune" / "state" / "block.json").is_file(), "the block")
    if stopped == "job":
        os.kill(int((holder_of(lock) or {})["pid"]), signal.SIGKILL)
    else:
        process.terminate()
    said = ended(process)
    assert words in said.last, said.text


def test_a_program_that_is_not_there_is_said_once(place: Place) -> None:
    study = place.new("t", "sandbox=off")
    plan(study, harness={"argv": ["no-such-program"], "seconds": 60})
    assert place.flagstone("run", "t", "--yes", "--to", "04").code == 0
    said = place.snakemake()
    assert "the unedited files do not run: cannot start no-such-program" in said.text
    assert "there is no log" not in said.text
