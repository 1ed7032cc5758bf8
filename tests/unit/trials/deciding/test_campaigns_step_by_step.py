"""Campaigns through the steps that Snakemake takes, with runs that are drawn at random instead of made."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from flagstone.plans import CONTROL, Gate, TrialSpec, trial_spec_of
from flagstone.trials.lines import IdeaLine, Line, PreregLine, RunLine, VerdictLine
from flagstone.trials.outcomes import Outcome
from flagstone.trials.running import ending, judging
from flagstone.trials.running.ending import verdict_line
from flagstone.trials.running.judging import StepJudge
from flagstone.trials.running.state import TrialState
from flagstone.trials.running.steps import OFF, next_step

AT = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def nothing_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "prereg_fault", lambda *_: "")
    monkeypatch.setattr(ending, "prereg_fault", lambda *_: "")
    monkeypatch.setattr(ending, "sealed_seeds", lambda _: None)


def campaign(gate: Gate = "confirm", **changes: Any) -> TrialSpec:
    value = {
        "question": "Does an idea lower the loss?",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"]},
        "metric": {"name": "val_loss", "direction": "min"},
        "minimum_effect": 1e-9,
    }
    return replace(trial_spec_of("ideas", Path("/nowhere"), value), gate=gate, **changes)


class Played:
    """One campaign of deterministic code: the loss is 5, with an sd of 1 between seeds."""

    def __init__(self, spec: TrialSpec, effects: tuple[float, ...], random: Random) -> None:
        self.opened = cast(Any, SimpleNamespace(spec=spec, folder=None, plan=SimpleNamespace(name="ideas")))
        self.effects, self.random = effects, random
        self.lines: list[Line] = []
        self.values: dict[tuple[str, str], float] = {}

    def end(self) -> VerdictLine:
        while not (state := TrialState(tuple(self.lines))).story.verdict:
            self.take(state)
        return state.story.verdict

    def take(self, state: TrialState) -> None:
        step = next_step(self.opened.spec, state)
        if step.what == "verdict":
            self.lines.append(verdict_line(StepJudge(self.opened, state, step, AT)))
        elif step.what == "attempt":
            self.lines.append(IdeaLine(step.arms[0], "an idea", "tree", "commit", AT, ("--on",)))
        else:
            self.lines += [self.run(*key) for key in step.runs if key not in state.story.runs]
            self.lines += StepJudge(self.opened, TrialState(tuple(self.lines)), step, AT).lines()
            if step.what == "baseline":
                self.lines.append(PreregLine("digest", 1, 0.05, AT))

    def run(self, arm: str, slot: str) -> RunLine:
        effect = self.effects[int(arm.removeprefix("idea")) - 1] if arm != CONTROL and not arm.endswith(OFF) else 0.0
        key = (arm if effect or arm[-1].isdigit() else CONTROL, slot.partition("r")[0])
        value = self.values.setdefault(key, 5.0 - effect + self.random.gauss(0.0, 1.0))
        return RunLine(arm, slot, "ok", "basis", AT, value)


def accepted(count: int, spec: TrialSpec, effects: tuple[float, ...]) -> Counter[str]:
    """How often each idea was accepted, and how often none was."""
    random = Random(1)
    ends = [Played(spec, effects, random).end() for _ in range(count)]
    words = (Outcome.SUPPORTED, Outcome.PROCEED)
    return Counter(next((idea.arm for idea in end.ideas if idea.outcome in words), "none") for end in ends)


def test_three_hundred_campaigns_of_ideas_that_do_nothing_support_eighteen_at_most() -> None:
    found = accepted(300, campaign(), (0.0, 0.0, 0.0))
    assert 0 < 300 - found["none"] <= 18


def test_a_real_idea_is_confirmed_wherever_it_comes_in_the_order() -> None:
    for effects in ((2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 2.0)):
        real = f"idea{effects.index(2.0) + 1}"
        found = accepted(60, campaign(), effects)
        assert found[real] >= 49  # 93 % expected, less 3.5 sd
        assert set(found) <= {real, "none"}


def test_the_gate_cohens_d_publishes_more_than_every_second_campaign_in_which_nothing_works() -> None:
    found = accepted(200, campaign("cohens_d"), (0.0, 0.0, 0.0))
    assert 85 <= 200 - found["none"] <= 135  # 55 % expected, ± 3.5 sd


def test_every_idea_of_a_campaign_ends_with_a_word_and_a_reason() -> None:
    random = Random(2)
    words: Counter[str] = Counter()
    for _ in range(40):
        end = Played(campaign(), (0.0, 1.0, 0.0), random).end()
        assert [idea.arm for idea in end.ideas] == ["idea1", "idea2", "idea3"]
        assert all(idea.reason for idea in end.ideas)
        words.update(idea.outcome for idea in end.ideas)
    assert {"SUPPORTED", "INCONCLUSIVE", "DROPPED AT SCREEN", "NOT SELECTED"} <= set(words)
