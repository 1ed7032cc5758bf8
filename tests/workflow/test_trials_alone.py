"""Trials of a project that has no run: the same rules, in the folder of the trial."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from planned_trials import TRAIN, trial_value
from workbench import CHECKOUT, PROGRAMS, Said, environment

from flagstone.trials import read_story


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a program, and a trial that is set up."""
    folder = tmp_path / "project" / ".flagstone" / "trials" / "fast"
    folder.mkdir(parents=True)
    (tmp_path / "project" / "train.py").write_text(TRAIN)
    (folder / "trial.yaml").write_text(yaml.safe_dump(trial_value(root=".")))
    return tmp_path / "project"


def snakemake(project: Path, *words: str, **variables: str) -> Said:
    folder = project / ".flagstone" / "trials" / "fast"
    snakefile = CHECKOUT / "workflow" / "trials.smk"
    argv = [PROGRAMS / "snakemake", "--cores", "2", "--snakefile", snakefile, "--directory", folder, *words]
    done = subprocess.run(
        argv, cwd=project, env={**environment(), **variables}, capture_output=True, text=True, timeout=300, check=False
    )
    return Said(done.returncode, done.stdout + done.stderr)


def test_a_trial_runs_alone_in_any_project_and_leaves_its_files_alone(project: Path) -> None:
    before = sorted(path.name for path in project.iterdir())
    said = snakemake(project)
    assert said.code == 0, said.text
    story = read_story(project / ".flagstone" / "trials" / "fast" / "ledger.jsonl")
    assert story.verdict and story.verdict.outcome == "SUPPORTED"
    assert sorted(path.name for path in project.iterdir()) == before
    assert "Nothing to be done" in snakemake(project).text


def test_no_shell_is_started_for_the_jobs_of_a_trial(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bash").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "bash").chmod(0o755)
    said = snakemake(project, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert said.code == 0, said.text


def test_without_the_process_that_has_everything_loaded_each_job_is_a_command(project: Path) -> None:
    said = snakemake(project, FLAGSTONE_WARM_BLOCKS="/nowhere word")
    assert said.code == 0, said.text
    assert read_story(project / ".flagstone" / "trials" / "fast" / "ledger.jsonl").verdict


def test_a_job_that_fails_says_why_and_shows_no_traceback(project: Path) -> None:
    (project / "train.py").write_text("raise SystemExit(3)\n")
    said = snakemake(project)
    assert said.code == 1 and "the baseline of trial fast does not run" in said.text
    assert "exit code 3: look" in said.text and "Traceback" not in said.text


def test_the_scheduler_rests_while_runs_wait_for_a_core(project: Path) -> None:
    said = snakemake(project, "--max-jobs-per-timespan", "1000000/0s", "--verbose")
    assert said.code == 0, said.text
    jobs, selections = said.text.count("\nFinished jobid: "), said.text.count("Resources before job selection")
    assert 0 < selections <= 2 * jobs, (selections, jobs)


def test_more_compute_on_any_seed_makes_a_run_invalid(project: Path) -> None:
    """The first seed, on which the checks are made, is even."""
    tokens = 'print("tokens:", 2000 if "--fast" in sys.argv and int(os.environ["SEED"]) % 2 else 1000)\n'
    (project / "train.py").write_text(TRAIN + tokens)
    plan = project / ".flagstone" / "trials" / "fast" / "trial.yaml"
    plan.write_text(yaml.safe_dump(trial_value(root=".") | {"scale": ["tokens"]}))
    said = snakemake(project)
    assert said.code == 0, said.text
    story = read_story(plan.with_name("ledger.jsonl"))
    assert story.verdict is not None
    (idea,) = story.verdict.ideas
    assert all(check.is_passed for check in idea.checks)
    assert (idea.outcome, "more compute: tokens" in idea.reason) == ("DROPPED AT SCREEN", True), idea
