"""What setup asks, what answers mean, and what scripts are shown, for projects of many shapes."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.setup import look_at
from flagstone.setup.interview import (
    Settled,
    all_questions,
    checked_answers,
    default_name,
    finding_lines,
    findings_record,
    held_findings,
    open_rounds,
    proposal_of,
    script_view,
    with_defaults,
)
from flagstone.setup.interview.function_entry import entry_text
from flagstone.setup.interview.question import SetupQuestion, choices_of
from flagstone.setup.interview.record import LARGEST
from flagstone.setup.project_finding import LostCandidate, ProjectFinding

CHECKOUT = Path(__file__).parents[4]
SCHEMAS = CHECKOUT / "schemas"
SHAPES = sorted(path.parent for path in (CHECKOUT / "tests" / "projects" / "shapes").glob("*/project"))
CHOSEN = {"metric": {"name": "x", "direction": "min"}, "environment": "stop", "mutable": ["a.py"]}


def settled_by_defaults(settled: Settled) -> Settled:
    """With all defaults, and a plain answer where there is none."""
    answers = {each.id: CHOSEN[each.id] for each in all_questions(settled).values() if each.default is None}
    return with_defaults(replace(settled, answers=answers), all_questions(settled))


@pytest.fixture(scope="module", params=SHAPES, ids=lambda path: path.name)
def settled(request: pytest.FixtureRequest) -> Settled:
    return Settled(look_at(request.param / "project"))


def test_every_question_about_a_real_shape_is_one_that_the_tool_takes(settled: Settled) -> None:
    questions = all_questions(settled)
    assert len({each.text for each in questions.values()}) == len(questions) >= 13
    for each in questions.values():
        labels = [choice.label for choice in each.choices]
        assert 2 <= len(labels) <= 4 and len(set(labels)) == len(labels), each
        assert all(label and len(label.split()) <= 6 and ", " not in label for label in labels), labels
        assert len(each.header) <= 12 and all(choice.description.isprintable() for choice in each.choices)
    assert all(len(each) <= 4 for each in open_rounds(settled, "all"))


def test_the_spec_of_a_real_shape_has_the_form_of_one(settled: Settled) -> None:
    whole = settled_by_defaults(settled)
    proposal = proposal_of(whole)
    assert schemas.problems(SCHEMAS, "experiment", proposal.value) == []
    record = json.loads(findings_record(whole, all_questions(settled), proposal.notes))
    assert schemas.problems(SCHEMAS, "setup_findings", record) == []
    assert schemas.problems(SCHEMAS, "setup_answers", record["answers"]) == []
    view = script_view(whole, open_rounds(settled, "all"), proposal, "next")
    assert len(view.encode()) < LARGEST and json.loads(view)["spec"] == proposal.value


def test_every_label_means_what_its_choice_stands_for(settled: Settled) -> None:
    for question in all_questions(settled).values():
        for choice in question.choices:
            if question.id in ("entry", "mutable"):
                continue  # files that a shape does not have
            found = checked_answers({question.text: f"{choice.label} (Recommended)"}, settled, {"": question}, SCHEMAS)
            assert found[question.id] == choice.value


def many(settled: Settled, findings: list[ProjectFinding]) -> dict[str, Any]:
    look = replace(settled.look, findings={each.id: each for each in findings})
    return dict(json.loads(script_view(replace(settled, look=look), [], None, "next")))


def test_what_is_too_long_is_cut_in_a_fixed_order(tmp_path: Path) -> None:
    settled = Settled(look_at(tmp_path))
    evidence = tuple(f"src/a_rather_long_path_{number}.py:{number}" for number in range(20))

    def findings(count: int, lost: int) -> list[ProjectFinding]:
        rows = tuple(LostCandidate(f"value {number}", "another one comes first" * 3) for number in range(lost))
        return [
            ProjectFinding(f"{number}", "value", "certain" if number % 2 else "likely", evidence, rows)
            for number in range(count)
        ]

    whole = many(settled, findings(2, 1))
    assert whole["cut"] is False and "lost" in whole["findings"][0]
    no_lost = many(settled, findings(5, 40))
    assert no_lost["cut"] is True and "lost" not in no_lost["findings"][0]
    assert len(no_lost["findings"][0]["evidence"]) == 20
    one_place = many(settled, findings(40, 1))
    assert [len(row["evidence"]) for row in one_place["findings"]] == [1] * 40
    unsure = many(settled, findings(110, 1))
    assert {row["confidence"] for row in unsure["findings"]} == {"likely"}


def test_control_characters_of_a_project_reach_no_script(tmp_path: Path) -> None:
    settled = Settled(look_at(tmp_path))
    found = many(settled, [ProjectFinding("metric", {"name": "a\x1b[31mb\u202e"}, "likely", ("x\x07.py:1",))])
    assert found["findings"][0]["value"] == {"name": "ab"} and found["findings"][0]["evidence"] == ["x .py:1"]


def test_names_are_short_plain_and_dated() -> None:
    assert default_name("Training of the Ünïted data-set, faster & cheaper than before", 0.0).startswith("700101-")
    name = default_name("a very long topic " * 10, 1e9)
    assert len(name) <= 40 and name.isascii() and not name.endswith("-")
    assert default_name("目標", 1e9).endswith("-experiment")


def test_labels_that_are_cut_alike_stay_apart() -> None:
    long = [(f"python train.py --lr 0.1 --epochs {number}", number, "") for number in range(3)]
    choices = choices_of(long)
    assert len({each.label for each in choices}) == 3 and [each.value for each in choices] == [0, 1, 2]
    question = SetupQuestion("runner", "Which?", "Command", choices, "--")
    assert question.choice_named(f"{choices[1].label} (Recommended)") == choices[1]


@pytest.mark.parametrize(
    ("text", "value"),
    [("max val/acc", None), ("val/acc max", ("val/acc", "max")), ("val loss=min", ("val loss", "min"))],
)
def test_a_metric_in_words(text: str, value: tuple[str, str] | None, tmp_path: Path) -> None:
    settled = Settled(look_at(tmp_path))
    questions = all_questions(settled)
    if value is None:
        with pytest.raises(FlagstoneError, match="min or max"):
            checked_answers({questions["metric"].text: "zorp"}, settled, questions, SCHEMAS)
        return
    found = checked_answers({questions["metric"].text: text}, settled, questions, SCHEMAS)
    assert (found["metric"]["name"], found["metric"]["direction"]) == value


@pytest.mark.parametrize("name", ["main", "it's", 'a"b', "x\\y"])
def test_the_entry_of_a_function_calls_it_with_values_of_every_kind(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = entry_text({"file": "src/a_package/training.py", "function": "main"}, metric=name)
    (tmp_path / "a_package").mkdir()
    (tmp_path / "a_package" / "training.py").write_text("def main(lr, names=()):\n    return lr * len(names)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["flagstone_entry.py", json.dumps({"lr": 0.5, "names": ["a", "--b"]})])
    exec(compile(text, "flagstone_entry.py", "exec"), {})
    assert capsys.readouterr().out == f"{name}=1.0\n"
    assert len(text.splitlines()) <= 15 and yaml.safe_dump(text)
    for module in ("a_package.training", "a_package"):
        sys.modules.pop(module, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"python": None, "cures": ["stop"], "missing": ["torch"]}, "none"),
        ({"python": ".venv/bin/python", "cures": ["stop"], "missing": ["torch"]}, ".venv/bin/python"),
        ([{"argument": "out", "value": "/data", "to": "{run_dir}/out"}], "out=/data becomes {run_dir}/out"),
        ([{"constant": "train.py:3", "value": "/data"}], "train.py:3=/data"),
    ],
)
def test_a_finding_is_shown_in_words(value: Any, text: str) -> None:
    (line,) = finding_lines([ProjectFinding("environment", value, "likely")])
    assert line.split("likely", 1)[1].strip() == text


def test_what_a_person_said_is_shown_in_the_place_of_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("if __name__ == '__main__':\n    loss = 1\n")
    answers = {"metric": {"name": "val_loss", "direction": "min"}, "seconds": 60, "checkpoint": "none"}
    settled = Settled(look_at(tmp_path), answers)
    lines = {line.split()[0]: line for line in finding_lines(held_findings(settled, {"metric", "checkpoint"}))}
    assert lines["metric"].split() == ["metric", "certain", "val_loss", "min", "the", "command", "line"]
    assert lines["seconds"].split() == ["seconds", "certain", "60", "the", "answers"]
    assert lines["checkpoint"].split() == ["checkpoint", "certain", "none", "the", "command", "line"]


@pytest.mark.parametrize(
    ("answers", "topic", "shown"),
    [({}, "", "improve val_loss"), ({}, "less waste", "less waste --topic"), ({"goal": "x"}, "less waste", "x the")],
)
def test_the_goal_on_the_screen_is_the_one_that_is_written(
    tmp_path: Path, answers: dict[str, Any], topic: str, shown: str
) -> None:
    (tmp_path / "train.py").write_text("print('val_loss: 0.5')\n")
    settled = Settled(look_at(tmp_path), answers, topic)
    (line,) = (line for line in finding_lines(held_findings(settled, answers)) if line.startswith("goal"))
    assert " ".join(line.split()[2:]).startswith(shown)
    assert proposal_of(settled).value["goal"] in line


@pytest.mark.parametrize(
    ("names", "flag"),
    [
        (["val_loss", "val acc"], "--metric val_loss|'val acc'"),
        (["val_loss", "zorp"], "--metric val_loss|zorp --direction min|max"),
        (["zorp"], "--direction min|max"),
        ([], "--metric NAME --direction min|max"),
    ],
)
def test_the_flag_of_an_open_metric_names_what_is_open(tmp_path: Path, names: list[str], flag: str) -> None:
    (tmp_path / "train.py").write_text("".join(f"print('{name}: 0.5')\n" for name in names) or "pass\n")
    assert all_questions(Settled(look_at(tmp_path)))["metric"].flag == flag
