"""Experiments as jobs of a real SLURM: `make test-slurm`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cluster import CACHE, CannotStartError, Cluster, running
from workbench import DOUBLES, PROGRAMS, Place, Study

pytestmark = pytest.mark.slurm
TRAIN = """import os
X = 1.0
print("gpu:", os.environ.get("CUDA_VISIBLE_DEVICES"), "job:", os.environ.get("SLURM_JOB_ID"))
print(f"val_loss: {(X - 3) ** 2}")
"""
QUICK = {"slurm-init-seconds-before-status-checks": 1}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # short: munge's socket has to fit
    try:
        with running(folder) as found:
            yield found
    except CannotStartError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def planned(place: Place, cluster: Cluster) -> Study:
    return prepared(place, cluster)


def prepared(place: Place, cluster: Cluster, train: str = TRAIN, **changes: object) -> Study:
    """A run whose stages 01 to 04 are approved, with a plan of four runs on one GPU each, two a job."""
    study = place.new()
    code, edits = study.files.workspace / "code" / "tune", study.files.workspace / "notes" / "edits"
    code.mkdir(parents=True)
    (code / "train.py").write_text(train)
    for number, value in ((2, 2.0), (3, 9.0), (4, 2.5)):
        (edits / f"{number:04d}").mkdir(parents=True)
        (edits / f"{number:04d}" / "train.py").write_text(train.replace("X = 1.0", f"X = {value}"))
    plan = {
        "goal": "less loss",
        "subject": {"root": "workspace/code/tune", "mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"], "seconds": 60, "gpus": 1},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "proposer": "scripted",
        "script": "workspace/notes/edits",
        "stopping": {"max_runs": 4},
        "block": 2,
        **changes,
    }
    study.files.plans.mkdir(parents=True)
    (study.files.plans / "tune.yaml").write_text(yaml.safe_dump(plan))
    profile = place.root / "profiles" / "slurm" / "profile.yaml"
    profile.write_text(yaml.safe_dump({**yaml.safe_load(profile.read_text()), **QUICK}))
    said = call(cluster, place, "flagstone", "run", "t", "--yes", "--to", "04")
    assert said.returncode == 0, said.stdout
    return study


def call(cluster: Cluster, place: Place, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """One command of a person on the cluster."""
    process = started(cluster, place, program, *words)
    text, _ = process.communicate(timeout=300)
    return subprocess.CompletedProcess(words, process.returncode, text)


def started(cluster: Cluster, place: Place, program: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(PROGRAMS / program), *words],
        cwd=place.root,
        env={**os.environ, **cluster.variables, "PYTHONPATH": f"{CACHE}:{DOUBLES}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def on_slurm(cluster: Cluster, place: Place) -> subprocess.CompletedProcess[str]:
    return call(cluster, place, "snakemake", *WORDS)


WORDS = ("--workflow-profile", "profiles/slurm", "--config", "run=t")


def ledger(study: Study) -> list[tuple[str, str]]:
    path = study.files.experiments / "tune" / "ledger.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [(line["run_id"], line["verdict"]) for line in map(json.loads, lines)]


DONE = [("r0001", "advance"), ("r0002", "advance"), ("r0003", "revert"), ("r0004", "advance")]


def test_blocks_are_jobs_with_the_gpu_that_the_scheduler_gave_them(
    cluster: Cluster, place: Place, planned: Study
) -> None:
    said = on_slurm(cluster, place)
    assert said.returncode == 0, said.stdout
    assert "stage 05 experimentation waits for you" in said.stdout.splitlines()[-1]
    assert ledger(planned) == DONE
    logs = [path.read_text() for path in sorted((planned.files.experiments / "tune" / "runs").glob("*/run.log"))]
    jobs = [line.split("job: ")[1] for text in logs for line in text.splitlines() if line.startswith("gpu:")]
    assert all("gpu: 0" in text or "gpu: 1" in text for text in logs), logs
    assert len(jobs) == 4 and len(set(jobs)) == 2, jobs


def test_runs_of_one_job_beside_each_other_have_a_gpu_each(cluster: Cluster, place: Place) -> None:
    study = prepared(place, cluster, lag=3, block=4)
    said = on_slurm(cluster, place)
    assert said.returncode == 0, said.stdout
    logs = [path.read_text() for path in sorted((study.files.experiments / "tune" / "runs").glob("*/run.log"))]
    assert len(logs) == 4
    assert {text.split("gpu: ")[1].split()[0] for text in logs} <= {"0", "1"}, logs


def test_a_job_that_goes_on_after_snakemake_was_killed_is_not_run_twice(
    cluster: Cluster, place: Place, planned: Study
) -> None:
    first = started(cluster, place, "snakemake", *WORDS)
    until = time.monotonic() + 300
    while not ledger(planned) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(first.pid, 9)
    first.communicate()
    for _ in range(3):  # while the job of the killed call still holds the experiment, a call says so and ends
        said = on_slurm(cluster, place)
        if said.returncode == 0:
            break
    assert said.returncode == 0, said.stdout
    assert ledger(planned) == DONE


def test_a_job_that_the_scheduler_refuses_makes_the_stage_failed_until_it_is_accepted(
    cluster: Cluster, place: Place
) -> None:
    study = prepared(place, cluster, stopping={"max_runs": 1})
    said = call(cluster, place, "snakemake", *WORDS, "--set-resources", "iterate:slurm_partition=nope")
    problem, hint = said.stdout.splitlines()[-2:]
    assert said.returncode == 1 and problem.startswith("experiment tune: the scheduler refused its job: ")
    assert "invalid partition specified: nope" in problem
    again = "snakemake --workflow-profile profiles/slurm --config run=t"
    assert hint.startswith("correct partition") and hint.endswith(again)
    status = call(cluster, place, "flagstone", "status", "t").stdout
    assert "✗ 05 experimentation        failed" in status and status.splitlines()[-1] == f"next: {again}"
    assert "comes next" not in said.stdout + status
    said = on_slurm(cluster, place)
    assert said.returncode == 0 and ledger(study) == DONE[:1]
    assert "failed" not in call(cluster, place, "flagstone", "status", "t").stdout


def test_a_node_without_the_python_is_named_by_the_words_of_the_job(
    cluster: Cluster, place: Place, planned: Study
) -> None:
    wrapper = cluster.folder / "bin" / "sbatch"  # as if the environment were not there on the nodes
    old, new = f"{PROGRAMS / 'python'} -m", "/nowhere/python -m"
    replace = 'for each in "$@"; do words+=("${each//"$old"/"$new"}"); done'
    lines = ("#!/bin/bash", f"old='{old}' new='{new}'", replace, f'exec {shutil.which("sbatch")} "${{words[@]}}"', "")
    wrapper.write_text("\n".join(lines))
    wrapper.chmod(0o755)
    try:
        said = on_slurm(cluster, place)
    finally:
        wrapper.unlink()
    problem, hint = said.stdout.splitlines()[-2:]
    assert said.returncode == 1 and "/nowhere/python: not found" in problem
    assert hint.startswith("read ") and "slurm_logs" in hint
    assert "✗ 05 experimentation        failed" in call(cluster, place, "flagstone", "status", "t").stdout


def test_a_job_that_is_cancelled_has_not_failed(cluster: Cluster, place: Place) -> None:
    waiting = TRAIN + "import time\nif X == 1.0:\n    time.sleep(40)\n"
    study = prepared(place, cluster, train=waiting)
    first = started(cluster, place, "snakemake", *WORDS)
    log = study.files.experiments / "tune" / "runs" / "r0001" / "run.log"
    until = time.monotonic() + 300
    while not log.is_file() and time.monotonic() < until:
        time.sleep(0.05)
    cluster.asked("scancel", *cluster.asked("squeue", "-h", "-o", "%A").split())
    said, _ = first.communicate(timeout=300)
    assert "the same command continues where it stopped" in said.splitlines()[-1]
    assert "failed" not in call(cluster, place, "flagstone", "status", "t").stdout
