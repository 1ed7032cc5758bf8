"""What a result that names a trial may say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from material import outcome, put, turn_of

from flagstone.layout import Run

VERDICT: dict[str, Any] = {
    "gate": "confirm",
    "outcome": "INCONCLUSIVE",
    "exploratory": False,
    "minimum_effect": 0.02,
    "confirm": {"n": 8, "mean": 0.0278625, "ci_low": 0.0122013146, "p": 0.0020006685, "sd": None, "pairs": []},
}


def said_of(run: Run, name: str, content: object, **more: Any) -> str:
    """What the check says of one result beside a trial `clip` that has ended."""
    put(run, "trials/clip.yaml", "question: Does it help?\n")
    put(run, "../trials/clip/verdict.json", VERDICT)
    put(run, f"results/{name}", content)
    found = outcome(run, "results", **more).get("results-of-trials")
    return f"{found.status}: {found.message}" if found else "nothing"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("verdict.json", {"trial": "clip", **VERDICT}),
        ("a.json", {"trial": "clip", "mean": 0.0278625, "p": 0.0020006685, "verdict": "INCONCLUSIVE", "loss": 3}),
        ("b.json", [{"trial": "clip", "n": 8}, {"experiment": "lr", "n": 3}]),
        ("c.csv", "trial,n,mean,sd,outcome\nclip,8,0.0278625,,INCONCLUSIVE\n"),
        ("of-arms.csv", "trial,arm,n,mean\nclip,control,8,0.67\n"),
        ("d.jsonl", '{"trial": "clip", "ci_low": 0.0122013146}\n'),
    ],
)
def test_what_the_verdict_says_may_be_said_again(run: Run, name: str, content: object) -> None:
    assert said_of(run, name, content) == "passed: results that name a trial agree with its verdict"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", {"trial": "clip", "mean": 0.0279}, "mean is 0.0279, and 0.0278625 in verdict.json"),
        ("a.json", {"trial": "clip", "mean": "large"}, "mean is large"),
        ("a.json", {"trial": "clip", "sd": 0.01}, "sd is 0.01, and None"),
        ("a.json", {"trial": "clip", "verdict": "SUPPORTED"}, "verdict is SUPPORTED, and INCONCLUSIVE"),
        ("a.json", {"trial": "clip", "exploratory": True}, "exploratory is True"),
        ("a.json", {"trial": "clip", "confirm": {"p": 0.0002}}, "p is 0.0002"),
        ("b.json", [{"trial": "clip", "n": 8}, {"trial": "clip", "n": 80}], "n is 80"),
        ("c.csv", "trial,n,p\nclip,8,0.0002\n", "p is 0.0002"),
        ("d.jsonl", '{"trial": "clip", "n": 9}\n', "n is 9"),
        ("a.json", {"trial": "clap", "mean": 1}, "there is no trial clap with a verdict (there are: clip)"),
    ],
)
def test_what_the_verdict_does_not_say_is_a_failed_check(run: Run, name: str, content: object, words: str) -> None:
    said = said_of(run, name, content)
    assert said.startswith("failed") and words in said and f"workspace/results/{name}" in said


def test_a_table_that_names_its_trial_beside_it_is_compared_too(run: Run) -> None:
    put(run, "results/t.csv.json", {"trial": "clip"})
    assert "n is 9, and 8" in said_of(run, "t.csv", "n,mean\n9,0.0278625\n")


def test_results_of_experiments_are_not_looked_at(run: Run) -> None:
    assert said_of(run, "a.json", {"experiment": "lr", "mean": 3, "outcome": "fine"}) == "nothing"


def test_what_another_stage_had_approved_is_not_judged_again(run: Run) -> None:
    assert said_of(run, "a.json", {"trial": "gone", "mean": 1}).startswith("failed")
    turn = replace(turn_of(run), protected={"workspace/results/a.json": "digest"})
    assert "results-of-trials" not in outcome(run, "results", turn=turn)
