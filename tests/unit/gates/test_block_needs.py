"""What Snakemake is told that a block needs, by its plan."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from flagstone.plans import needs as needs_module
from flagstone.plans.needs import needs_of
from flagstone.plans.spec import AgentSpec, HarnessSpec, NoiseRule, step_of


def needs(**plan: Any) -> tuple[int, int]:
    """GPUs and minutes of a plan without noise and without an agent, but for what is given."""
    quiet = {"noise": "off", "proposer": "search", "harness": {"seconds": 600}}
    found = needs_of(yaml.safe_dump({**quiet, **plan}))
    return found["gpu"], found["runtime"]


@pytest.mark.parametrize(
    "harness",
    [
        "harness: {argv: [python, train.py], seconds: 3600, gpus: 2}",
        "evaluate:\n  seconds: 0\nharness:\n  gpus: 2\n  seconds: 3600",
        "goal: |\n  As before:\n    gpus: 8\n    seconds: 9\nharness:\n    seconds: 3600\n    gpus: 2",
        '"harness": {"seconds": 3.6e+3, "gpus": 2}',
    ],
)
def test_a_plan_is_read_as_yaml_however_it_is_written(harness: str) -> None:
    found = needs_of(f"noise: off\nproposer: none\n{harness}\n")
    assert found["gpu"] == 2
    assert found["runtime"] == 70 + (5 if "evaluate" in harness else 0)


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


def test_runs_beside_each_other_need_their_gpus_at_once() -> None:
    one = {"seconds": 600, "gpus": 2}
    assert [needs(harness=one, block=8, lag=lag)[0] for lag in (1, 2, 3, 5)] == [2, 2, 4, 8]
    assert needs(harness=one, block=1, lag=5)[0] == 2
    assert needs(harness=one, block=2, lag=5)[0] == 4


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "harness: 3\nblock: x\nlag: -1\nstopping: 4\nnoise: 7"])
def test_a_plan_that_is_wrong_still_gets_its_job_which_says_so(text: str) -> None:
    assert needs_of(text)["gpu"] == 0


def test_what_holds_without_a_word_is_what_the_loop_takes() -> None:
    assert HarnessSpec(()).seconds == needs_module.STEP_S
    step = step_of({"argv": ["x"]})
    assert step is not None and step.seconds == needs_module.STEP_S
    assert AgentSpec().wall_s == needs_module.AGENT_S
    rule = NoiseRule()
    assert (rule.baseline_repeats, rule.max_repeats) == (needs_module.BASELINE_REPEATS, needs_module.MAX_REPEATS)
