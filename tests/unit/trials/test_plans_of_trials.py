"""The plan of a trial: defaults, names of its arms, and everything that is wrong with one, said at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.plans import Look
from flagstone.trials.planning import load_trial

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
PLAN: dict[str, Any] = {
    "question": "Does clipping help?",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py", "--seed", "{seed}"], "seconds": 60},
    "metric": {"name": "val_loss", "direction": "min"},
    "switch": ["--clip", "1"],
    "minimum_effect": 0.02,
}


def written(folder: Path, **changes: Any) -> Path:
    value = {key: row for key, row in {**PLAN, **changes}.items() if row is not None}
    path = folder / "clip" / "trial.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(value, allow_unicode=True))
    return path


def problem_of(folder: Path, **changes: Any) -> str:
    with pytest.raises(FlagstoneError) as caught:
        load_trial(written(folder, **changes), folder, SCHEMAS)
    assert "docs/reference/trial.md" in caught.value.hint
    return caught.value.problem


def test_a_plan_with_a_switch_has_one_arm_and_every_default(tmp_path: Path) -> None:
    spec = load_trial(written(tmp_path), tmp_path, SCHEMAS)
    assert (spec.name, spec.experiment.harness.seconds, spec.experiment.metric.direction) == ("clip", 60, "min")
    assert [(arm.name, arm.switch) for arm in spec.arms] == [("treated", ("--clip", "1"))]
    assert spec.screening == (42, 137, 256, 512, 1024) and spec.looks == (Look(4, 0.015), Look(8, 0.035))
    assert (spec.gate, spec.ideas, spec.largest_change, spec.screen) == ("confirm", 3, 200, True)


def test_a_plan_of_a_stage_is_called_as_its_file(tmp_path: Path) -> None:
    path = written(tmp_path).rename(tmp_path / "warmup.yaml")
    assert load_trial(path, tmp_path, SCHEMAS).name == "warmup"


def test_several_arms_with_variables_and_trees(tmp_path: Path) -> None:
    arms = {"clip": {"switch": {"CLIP": "1"}}, "new.tree": {"tree": "HEAD~1"}}
    spec = load_trial(written(tmp_path, switch=None, arms=arms, screen="off"), tmp_path, SCHEMAS)
    assert [(arm.name, dict(arm.env), arm.tree) for arm in spec.arms] == [
        ("clip", {"CLIP": "1"}, ""),
        ("new.tree", {}, "HEAD~1"),
    ]
    assert spec.screen is False


def test_what_trials_share_with_experiments_is_written_in_the_schema_of_experiments() -> None:
    ours, theirs = (schemas.schema_of(SCHEMAS, name)["properties"] for name in ("trial", "experiment"))
    assert ours["harness"]["properties"] == theirs["harness"]["properties"]
    assert ours["metric"] == theirs["metric"] and ours["subject"]["description"] != theirs["subject"]["description"]


def test_everything_that_is_wrong_is_said_at_once_with_the_nearest_key(tmp_path: Path) -> None:
    said = problem_of(tmp_path, minimum_efect=1, harness={"argv": ["a"], "secnds": 3}, ideas=4, gate="confrm")
    for words in (
        "unknown key 'minimum_efect' (did you mean 'minimum_effect'?)",
        "unknown key 'secnds' in harness (did you mean 'seconds'?)",
        "4 is greater than the maximum of 3 in ideas",
        "'confrm' in gate is not one of confirm, cohens_d (did you mean 'confirm'?)",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": {"name": "val_loss"}}, "whether less or more is better: `direction: min` or `direction: max`"),
        ({"minimum_effect": None}, "missing key 'minimum_effect'"),
        ({"minimum_effect": 0}, "minimum_effect is 0, and has to be above 0"),
        ({"minimum_effect": "0 sd"}, "minimum_effect is 0 sd, and has to be above 0"),
        ({"minimum_effect": -0.1}, "minimum_effect is -0.1, and has to be above 0"),
        ({"minimum_effect": "half"}, 'such as "0.5 sd"'),
        ({"minimum_effect": float("nan")}, "minimum_effect"),
        ({"question": " "}, "should be a question in words"),
        ({"looks": []}, "looks is empty"),
        ({"looks": [{"pairs": 1, "alpha": 0.05}]}, "a look at 1 pair has no standard deviation"),
        ({"looks": [{"pairs": 8, "alpha": 0.02}, {"pairs": 4, "alpha": 0.02}]}, "each needs more pairs"),
        ({"looks": [{"pairs": 4, "alpha": 0.02}, {"pairs": 8, "alpha": 0.04}]}, "together is 0.06, and may be 0.05"),
        ({"looks": [{"pairs": n, "alpha": 0.01} for n in (2, 3, 4, 5, 6)]}, "5 looks are too many: at most 4"),
        ({"arms": {"a": {"switch": ["-a"]}}}, "switch and arms exclude each other"),
        ({"switch": None, "arms": {f"a{n}": {"switch": ["x"]} for n in range(7)}}, "7 arms are too many: at most 6"),
        ({"switch": None, "arms": {f"a{n}": {"switch": ["x"]} for n in range(2)}}, "needs `screen: off`"),
        ({"switch": None, "arms": {"control": {"switch": ["x"]}}}, "cannot be called 'control'"),
        ({"switch": None, "arms": {"a-b": {"switch": ["x"]}}}, "is no name for an arm"),
        ({"switch": None, "arms": {"a": {}}}, "the arm a is the control itself"),
        ({"switch": None, "arms": {"a": {"tree": "x"}}, "gate": "cohens_d"}, "the arm a has no switch"),
        ({"seeds": {"screening": [42]}}, "has 1 of the 5 seeds"),
        ({"seeds": {"screening": [1, 2, 3, 4, 4]}}, "names a seed twice"),
        ({"seeds": {"screening": [1, 2, 3, 4, float("nan")]}}, "should be a whole number"),
        ({"seeds": {"screening": "42"}}, "should be a list"),
        ({"possible_range": [1]}, "possible_range has two values"),
        ({"possible_range": [1, 0]}, "write [0, 1]"),
        ({"constraints": ["memory small"]}, "is not of the form `name <= number`"),
        ({"metric": {"name": "a", "direction": "min", "backend": "json"}}, "the backend json needs metric.path"),
    ],
)
def test_each_mistake_is_refused_in_plain_words(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    assert words in problem_of(tmp_path, **changes)


@pytest.mark.parametrize("text", ["", "[]", "3", "question: [unclosed"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path)
    path.write_text(text)
    with pytest.raises(FlagstoneError):
        load_trial(path, tmp_path, SCHEMAS)


def test_α_of_exactly_five_percent_is_allowed(tmp_path: Path) -> None:
    looks = [{"pairs": 4, "alpha": 0.015}, {"pairs": 8, "alpha": 0.02}, {"pairs": 9, "alpha": 0.015}]
    assert load_trial(written(tmp_path, looks=looks), tmp_path, SCHEMAS).pairs == 9
