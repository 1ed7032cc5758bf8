"""What all runs of a trial have in common may not change on the way: the run that finds a change is named."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from lone_trials import LoneProject

from flagstone.cli.main import flagstone
from flagstone.errors import FlagstoneError
from flagstone.trials.running import measuring

THREADS = "OMP_NUM_THREADS"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> LoneProject:
    project = LoneProject(tmp_path_factory.mktemp("sealed") / "project")
    project.root.mkdir()
    (project.root / "data.csv").write_text("1\n")
    project.write(data=["*.csv"])
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(THREADS, raising=False)
        project.go_on(3)
    assert ("treated", "a2") in project.wanted() and project.story.prereg
    return project


@pytest.fixture
def sealed(prepared: LoneProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoneProject:
    """A trial with data whose screen comes next."""
    monkeypatch.delenv(THREADS, raising=False)
    shutil.copytree(prepared.root, tmp_path / "project", symlinks=True)
    return LoneProject(tmp_path / "project")


def test_a_run_that_finds_another_environment_is_refused_by_its_name(
    sealed: LoneProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(THREADS, "7")
    with pytest.raises(FlagstoneError, match=f"treated-a2 cannot run: {THREADS} 7, was not there, when control-a1 ran"):
        sealed.measure("treated", "a2")
    assert ("treated", "a2") not in sealed.story.runs
    monkeypatch.delenv(THREADS)
    assert sealed.go_on().verdict


@pytest.mark.parametrize("change", ["edited", "removed", "another file"])
def test_a_run_that_finds_other_data_is_refused_by_its_name(sealed: LoneProject, change: str) -> None:
    file = sealed.root / ("more.csv" if change == "another file" else "data.csv")
    before = file.read_text() if file.exists() else None
    if change == "removed":
        file.rename(file.with_suffix(".old"))
    else:
        file.write_text("2\n")
    with pytest.raises(FlagstoneError, match=rf"(cannot run: |data: ).*{file.name if change != 'removed' else 'csv'}"):
        sealed.measure("treated", "a2")
    assert ("treated", "a2") not in sealed.story.runs
    file.write_text(before) if before else file.unlink()
    sealed.measure("treated", "a2")
    assert ("treated", "a2") in sealed.story.runs


def test_a_verdict_says_nothing_of_other_data(sealed: LoneProject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sealed.go_on().verdict
    monkeypatch.chdir(sealed.root)
    assert "has changed since" not in CliRunner().invoke(flagstone, ["trials", "status", "fast"]).output
    (sealed.root / "more.csv").write_text("2\n")
    assert "has changed since then, or its data" in CliRunner().invoke(flagstone, ["trials", "status", "fast"]).output
    (sealed.root / "more.csv").unlink()
    sealed.write(data=["*.csv"], minimum_effect=0.1)
    assert "or its data or plan" in CliRunner().invoke(flagstone, ["trials", "status", "fast"]).output


def test_data_that_changes_before_anything_is_sealed_begins_the_trial_anew(project: LoneProject) -> None:
    project.root.mkdir(exist_ok=True)
    (project.root / "data.csv").write_text("1\n")
    project.write(data=["*.csv"])
    project.take(0)
    project.measure("control", "a1")
    before = project.story.runs["control", "a1"].basis
    (project.root / "data.csv").write_text("2\n")
    with pytest.raises(FlagstoneError, match=r"control-a2 cannot run: data\.csv") as refused:
        project.measure("control", "a2")
    assert "nothing is sealed yet" in refused.value.hint
    assert project.go_on(2).runs["control", "a1"].basis != before


def test_runs_on_machines_that_are_set_up_in_different_ways_are_not_compared(
    project: LoneProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    project.take(0)
    for number, (arm, slot) in enumerate(project.wanted()):
        with monkeypatch.context() as machine:
            machine.setattr(measuring, "first_run", lambda _: None)  # all began before the first had ended
            if number == 3:
                machine.setenv(THREADS, "7")
            project.measure(arm, slot)
    with pytest.raises(
        FlagstoneError, match=f"control-a4 ran in another environment than control-a1: {THREADS} 7, was"
    ):
        project.take(1)


def test_the_way_on_after_a_change_is_a_command_that_works(
    sealed: LoneProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sealed.root / "data.csv").write_text("2\n")
    with pytest.raises(FlagstoneError) as refused:
        sealed.go_on()
    found = re.search(r"flagstone (trials new fast-2 --from \S+)", refused.value.hint)
    assert found and "half the α" in refused.value.hint
    monkeypatch.chdir(sealed.root)
    done = CliRunner().invoke(flagstone, [*found[1].split(), "--no-check"])
    assert done.exit_code == 0, done.output
    planned = CliRunner().invoke(flagstone, ["trials", "plan", "fast-2"])
    assert "0.0075" in planned.output  # half of the first look's 0.015
