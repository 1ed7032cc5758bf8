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


def said_and_stopping(project: Path, *words: str) -> tuple[str, dict[str, Any]]:
    said = asked(project, "new", "one", *SETS_UP, *words, *RUNS)
    assert said.exit_code == 0, (said.exception, said.output)
    return said.output, spec(project).get("stopping", {})


@pytest.mark.parametrize("given", [(), ("--threshold", "0.5"), ("--gpu-h", "3")])
def test_an_experiment_without_a_certain_end_gets_one_and_says_so(
    project: Path, given: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    said, stopping = said_and_stopping(project, *given)
    assert stopping["max_runs"] == 100
    assert "it ends after 100 runs" in said
    assert "next: flagstone experiment check one" in said.splitlines()[-1]


@pytest.mark.parametrize("given", [("--max-runs", "7"), ("--plateau", "7"), ("--wall-h", "7"), ("--cost-usd", "7")])
def test_an_end_that_a_person_gave_stays_the_only_one(
    project: Path, given: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    said, stopping = said_and_stopping(project, *given)
    assert stopping == {given[0][2:].replace("-", "_"): 7}
    assert "it ends after" not in said


def test_what_limits_the_cost_of_an_agent_is_said_where_it_has_a_price(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    assert "note: nothing limits what the agent costs (--cost-usd N)" in said_and_stopping(project)[0]
    for number, words in enumerate((("--agent", "demo"), ("--proposer", "none"), ("--cost-usd", "5"))):
        assert "costs" not in asked(project, "new", f"free{number}", *SETS_UP, *words, *RUNS).output


def test_a_person_at_a_terminal_is_asked_what_the_agent_may_cost(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr("flagstone.cli.experiments.new.is_terminal", lambda: True)
    for name, answer, limit in (("one", "2.5\n", 2.5), ("two", "\n", None)):
        words = ["new", name, *SETS_UP, "--max-runs", "3", *RUNS]
        said = CliRunner().invoke(command, words, obj=Location(project), input=answer)
        assert "may cost in all" in said.output
        assert spec(project, name)["stopping"].get("cost_usd") == limit
        assert ("nothing limits" in said.output) == (limit is None)


def test_a_metric_that_is_a_time_has_the_machine_for_itself_unless_a_person_says_no(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    words = ("--mutable", "train.py", "--direction", "min", *RUNS)
    waits = "each run waits until no other run of Flagstone goes on here"
    for number, (metric, more, is_alone) in enumerate(
        [("build_s", (), True), ("val_loss", (), False), ("build_s", ("--no-exclusive",), False)]
    ):
        said = asked(project, "new", f"n{number}", "--metric", metric, *more, *words).output
        assert (waits in said) == is_alone, (metric, more)
    assert asked(project, "new", "asked", "--metric", "val_loss", "--exclusive", *words).output.count(waits) == 1
    assert spec(project, "asked")["harness"]["exclusive"] is True


def test_an_evaluator_scores_the_checkpoint_or_what_a_person_names(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    scored = ("--evaluate", "python 'my score.py' {artifact}")
    asked(project, "new", "one", *SETS_UP, *scored, "--checkpoint", "m.pt", *RUNS)
    assert spec(project)["evaluate"] == {"argv": ["python", "my score.py", "{artifact}"], "artifact": "m.pt"}
    asked(project, "new", "two", *SETS_UP, *scored, "--artifact", "a.pt", "--checkpoint", "m.pt", *RUNS)
    assert spec(project, "two")["evaluate"]["artifact"] == "a.pt"
    assert "artifact" in complaint(project, "new", "three", *SETS_UP, *scored, *RUNS)


def test_how_often_a_candidate_is_repeated_is_an_option(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    asked(project, "new", "one", *SETS_UP, "--max-repeats", "14", *RUNS)
    assert spec(project)["noise"] == {"max_repeats": 14}
    assert "12" in complaint(project, "new", "two", *SETS_UP, "--max-repeats", "3", *RUNS)
