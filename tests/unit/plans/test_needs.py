"""What Snakemake is told that a block needs, by its plan."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from flagstone.plans.needs import block_needs
from flagstone.plans.spec import plan_spec

PLAN: dict[str, Any] = {
    "goal": "less loss",
    "subject": {"mutable": ["train.py"]},
    "metric": {"name": "loss", "direction": "min"},
    "noise": "off",
    "proposer": "search",
    "harness": {"seconds": 600},
}


def needs(**changes: Any) -> tuple[int, int]:
    """GPUs and minutes of a plan without noise and without an agent, but for what is given."""
    plan = {**PLAN, **changes}
    plan["harness"] = {"argv": ["python", "train.py"], **plan["harness"]}
    found = block_needs(plan_spec(yaml.safe_dump(plan)))
    return found["gpu"], found["runtime"]


@pytest.mark.parametrize(
    "harness",
    [
        "harness: {argv: [python, train.py], seconds: 3600, gpus: 2}",
        "goal: |\n  As before:\n    gpus: 8\n    seconds: 9\nharness:\n    argv: [x]\n    seconds: 3600\n    gpus: 2",
        '"harness": {"argv": ["x"], "seconds": 3.6e+3, "gpus": 2}',
    ],
)
def test_a_plan_is_read_as_yaml_however_it_is_written(harness: str) -> None:
    rest = "subject: {mutable: [train.py]}\nmetric: {name: loss, direction: min}\nnoise: off\nproposer: none\n"
    goal = "" if "goal" in harness else "goal: g\n"
    assert block_needs(plan_spec(f"{goal}{rest}{harness}\n")) == {"gpu": 2, "runtime": 70}


def test_minutes_are_enough_for_everything_that_one_block_may_do() -> None:
    assert needs() == (0, 20)
    assert needs(block=3) == (0, 40)
    assert needs(evaluate={"argv": ["x"], "seconds": 120}) == (0, 22)
    assert needs(guard={"argv": ["x"]}) == (0, 25)
    assert needs(rebase=True) == (0, 30)
    assert needs(proposer="agent", agent={"wall_s": 1800}) == (0, 50)
    # a first run and up to 12 pairs, or a baseline of 40
    assert needs(noise={"max_repeats": 12}) == (0, 10 + 25 * 10)
    assert needs(noise={"max_repeats": 12, "baseline_repeats": 40}) == (0, 10 + 40 * 10)


def test_an_experiment_that_ends_sooner_needs_no_more_than_that() -> None:
    assert needs(block=50, stopping={"max_runs": 2}) == (0, 30)
    assert needs(block=50, stopping={"wall_h": 1, "max_runs": None}) == (0, 10 + 60 + 10)


def test_a_job_asks_for_no_more_than_a_day_unless_one_run_takes_longer() -> None:
    assert needs(block=1000, noise={"max_repeats": 12}) == (0, 24 * 60)
    assert needs(block=1000, harness={"seconds": 10 * 3600}) == (0, 24 * 60)
    assert needs(block=1000, harness={"seconds": 30 * 3600}) == (0, 30 * 60 + 10)


def test_runs_beside_each_other_need_their_gpus_at_once() -> None:
    one = {"seconds": 600, "gpus": 2}
    assert [needs(harness=one, block=8, lag=lag)[0] for lag in (1, 2, 3, 5)] == [2, 2, 4, 8]
    assert needs(harness=one, block=1, lag=5)[0] == 2
    assert needs(harness=one, block=2, lag=5)[0] == 4


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "harness: 3\nblock: x\nlag: -1\nstopping: 4\nnoise: 7"])
def test_a_plan_that_is_wrong_still_gets_its_job_which_says_so(text: str) -> None:
    assert block_needs(plan_spec(text)) == {"gpu": 0, "runtime": 10}


@pytest.mark.parametrize(
    "wrong",
    [{"block": "x"}, {"lag": None}, {"harness": {"gpus": "two"}}, {"agent": 5}, {"contract": 7}, {"noise": [1]}],
)
def test_a_plan_with_one_wrong_value_is_no_plan(wrong: dict[str, Any]) -> None:
    assert needs(**wrong) == (0, 10)


def test_what_holds_without_a_word_is_what_the_engine_takes() -> None:
    """A first run and 30 pairs of 300 s, each with an agent of 1200 s before it."""
    assert needs(harness={}, noise={}, proposer="agent") == (0, 10 + 61 * 5 + 20)
