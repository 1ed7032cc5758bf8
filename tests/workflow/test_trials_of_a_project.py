"""`flagstone trials` in somebody's own project: real command lines from a plan to its verdict, and what stops one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from planned_trials import TRAIN
from workbench import PROGRAMS, Said, environment, run_command, wait_until

from flagstone.trials import read_story

NEW = ("--metric", "val_loss", "--seconds", "60", "--no-check", "--switch", "--fast")
SLOW = TRAIN + "import time; time.sleep(0.7)\n"
NO_NUMBER = "print('val_loss: nan')\n"
NO_SEED = "import sys\nprint('val_loss:', 1.0 - 0.2 * ('--fast' in sys.argv))\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    return folder


def trials(project: Path, *words: str, code: int = 0) -> str:
    done = run_command("flagstone", "trials", *words, cwd=project, env=environment())
    said = Said(done.returncode, done.stdout + done.stderr)
    assert said.code == code and not said.has_traceback, said.text
    return said.text


def new(project: Path, *words: str, effect: str = "0.05") -> None:
    trials(project, "new", "fast", *NEW, "--minimum-effect", effect, *words, "--", "python", "train.py")


def folder_of(project: Path) -> Path:
    return project / ".flagstone" / "trials" / "fast"


def times(project: Path) -> dict[str, float]:
    """How long each run took that has an outcome: another run would have taken another time."""
    records = (folder_of(project) / "records").glob("*.json")
    return {path.name: json.loads(path.read_text())["wall_s"] for path in records}


def test_a_trial_from_its_plan_to_its_verdict(project: Path) -> None:
    new(project)
    assert "step 1, baseline; 0 of its 6 runs are done\nnext: flagstone trials plan fast" in trials(project, "status")
    said = trials(project, "run", "--no-check")
    assert "fast: " in said and "SUPPORTED after 18 runs" in said and "next: flagstone trials report fast" in said
    assert "# Trial fast" in trials(project, "report") and "agree" in trials(project, "verify")
    assert json.loads(trials(project, "report", "--json"))["confirm"]["n"] == 4
    found = json.loads(trials(project, "status", "--json"))
    assert (found["outcome"], found["step"]["what"], found["runs"]) == ("SUPPORTED", "done", 18)
    forecast = json.loads(trials(project, "plan", "--json"))
    fewest, most = forecast["amounts"]["runs"]
    sealed = json.loads((folder_of(project) / "prereg.json").read_text())
    assert fewest <= found["runs"] <= most and forecast["minimum_effect_sd"]
    assert [look["alpha"] for look in forecast["looks"]] == [look["alpha"] for look in sealed["looks"]]
    assert sorted(path.name for path in project.iterdir()) == [".flagstone", "train.py"]
    assert "has changed since then" not in trials(project, "status")
    (project / "train.py").write_text(NO_SEED)
    assert "the project has changed since then" in trials(project, "status")


def test_a_report_is_derived_from_the_ledger_whatever_its_file_says(project: Path) -> None:
    new(project)
    trials(project, "run", "--no-check")
    report = folder_of(project) / "report.md"
    report.write_text(report.read_text().replace("SUPPORTED", "HARMFUL"))
    assert "HARMFUL" not in trials(project, "report")
    assert "report.md" in trials(project, "verify", code=2)


def test_a_trial_that_would_miss_its_effect_ends_after_the_baseline_until_a_person_accepts_that(project: Path) -> None:
    new(project, effect="0.0001")
    said = trials(project, "run", "--no-check", code=2)
    assert "with a probability of" in said and "`underpowered: accept`" in said
    assert "its last job failed" in trials(project, "status")
    with open(folder_of(project) / "trial.yaml", "a") as plan:
        plan.write("underpowered: accept\n")
    said = trials(project, "run", "--no-check")
    assert "SUPPORTED" in said and "control-a2" not in said, "the runs of the baseline are used again"
    assert "underpowered: accept" in trials(project, "report")


def test_a_baseline_without_a_number_is_failed_work_and_no_interruption(project: Path) -> None:
    (project / "train.py").write_text(NO_NUMBER)
    new(project)
    said = trials(project, "run", "--no-check", code=3)
    assert "the baseline of trial fast does not run" in said and "interrupted" not in said


def test_a_program_that_ignores_its_seed_ends_without_a_verdict(project: Path) -> None:
    (project / "train.py").write_text(NO_SEED)
    new(project)
    assert "INCONCLUSIVE. the seed does not reach the code" in trials(project, "run", "--no-check")
    assert "every seed gives the baseline one value" in trials(project, "plan")


def test_a_second_version_of_the_files_is_compared_with_the_project(project: Path) -> None:
    other = project.parent / "rewrite"
    other.mkdir()
    (other / "train.py").write_text(TRAIN.replace('("--fast" in sys.argv)', "True"))
    words = ("--metric", "val_loss", "--minimum-effect", "0.05", "--treated", "../rewrite", "--no-check")
    trials(project, "new", "fast", *words, "--", "python", "train.py")
    assert "SUPPORTED after 17 runs" in trials(project, "run", "--no-check")


def test_after_an_interruption_the_same_command_continues_and_makes_no_run_twice(project: Path) -> None:
    (project / "train.py").write_text(SLOW)
    new(project)
    argv = [PROGRAMS / "flagstone", "trials", "run", "--no-check"]
    process = subprocess.Popen(argv, cwd=project, env=environment(), stderr=subprocess.PIPE, start_new_session=True)
    wait_until(lambda: (folder_of(project) / "records" / "control-a2.json").exists(), "the first record")
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=300) and process.returncode == 130
    before = times(project)
    assert "SUPPORTED" in trials(project, "run", "--no-check")
    assert before and times(project).items() >= before.items()
    assert len(read_story(folder_of(project) / "ledger.jsonl").runs) == 18
