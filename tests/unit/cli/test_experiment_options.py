"""What the options of `flagstone experiment` may be, and what is said where they make no sense together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from flagstone.cli.experiment import command
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError

SETS_UP = ("--metric", "val_loss", "--mutable", "train.py")
RUNS = ("--", "python", "train.py")
PLAN: dict[str, Any] = {
    "goal": "less",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"], "seconds": 30},
    "metric": {"name": "val_loss", "direction": "min"},
    "noise": "off",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("X = 1.0\nprint('val_loss: 1')\n")
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    return tmp_path


def asked(project: Path, *words: str) -> Result:
    return CliRunner().invoke(command, list(words), obj=Location(project))


def complaint(project: Path, *words: str) -> str:
    """What a person is told, by click or by us; a traceback is neither."""
    said = asked(project, *words)
    if isinstance(said.exception, FlagstoneError):
        return f"{said.exception.problem}; {said.exception.hint}"
    assert isinstance(said.exception, SystemExit) and said.exit_code == 2, (said.exception, said.output)
    return said.output


def spec(project: Path, name: str = "one") -> dict[str, Any]:
    found = yaml.safe_load((project / ".flagstone" / "experiments" / name / "experiment.yaml").read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "words",
    [
        (*SETS_UP, "--noise", "off", "--alpha", "0.1", *RUNS),
        (*SETS_UP, "--noise", "off", "--baseline-repeats", "3", *RUNS),
        ("--from", "plan.yaml", "--alpha", "0.1"),
    ],
)
def test_numbers_for_noise_mean_nothing_where_it_is_off(
    project: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    said = complaint(project, "new", "one", *words)
    assert "noise is off" in said and "--noise on" in said
    assert not (project / ".flagstone" / "experiments" / "one").exists()


def test_noise_that_a_plan_switched_off_is_switched_on_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert asked(project, "new", "one", "--from", "plan.yaml", "--noise", "on").exit_code == 0
    assert "noise" not in spec(project)
    assert asked(project, "new", "two", "--from", "plan.yaml", "--noise", "on", "--alpha", "0.1").exit_code == 0
    assert spec(project, "two")["noise"] == {"alpha": 0.1}


@pytest.mark.parametrize("number", ["0", "-3", "nan", "inf", "soon"])
@pytest.mark.parametrize("verb", ["run", "resume", "step"])
def test_seconds_are_a_number_above_nothing(project: Path, verb: str, number: str) -> None:
    assert "is not a number above 0" in complaint(project, verb, "one", "--seconds", number)


@pytest.mark.parametrize(
    "words", [("run", "--runs", "-1"), ("resume", "--runs", "0"), ("tail", "--lines", "-2"), ("status", "--last", "-1")]
)
def test_counts_are_at_least_one(project: Path, words: tuple[str, ...]) -> None:
    assert "is not in the range x>=1" in complaint(project, *words)


def test_two_ways_to_begin_are_one_too_many(project: Path) -> None:
    asked(project, "new", "one", *SETS_UP, *RUNS)
    assert "exclude each other" in complaint(project, "run", "one", "--fresh", "--continue")
    assert not (project / ".flagstone" / "experiments" / "one" / "history").exists()


def test_an_experiment_that_does_not_begin_from_its_parent_has_none(project: Path) -> None:
    (project / "plan.yaml").write_text(yaml.safe_dump({**PLAN, "parent": "nope"}))
    said = complaint(project, "new", "one", "--from", str(project / "plan.yaml"))
    assert "was not started from its parent nope" in said
    assert "experiment chain nope" in said
