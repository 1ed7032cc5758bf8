"""One attempt of a campaign: who is asked, what may be edited, and what a kill costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from scripted_agent.roles import play_role

from flagstone.agents import AgentCall, AgentResult, Event
from flagstone.agents.accounts import Budget, lines_of
from flagstone.errors import WorkFailed
from flagstone.experiments.candidates import Store, subject_of
from flagstone.experiments.proposers import AgentProposer, AgentSetup
from flagstone.plans.trial import TrialFolder, trial_spec_of
from flagstone.trials.campaign.asking import Campaign
from flagstone.trials.campaign.attempt import make_attempt
from flagstone.trials.campaign.idea_log import write_idea_log
from flagstone.trials.lines import IdeaLine, LookLine
from flagstone.trials.outcomes import CheckResult, ScreenResult
from flagstone.trials.story import story_of

PROMPTS = Path(__file__).resolve().parents[3] / "prompts"
TRAIN = """import sys
seed = int(sys.argv[1])
gain = 0.0
print(f"val_loss: {1 + seed % 7 / 100 - gain}")
"""
SWITCHED = [["gain = 0.0", 'gain = 0.5 if "--idea1" in sys.argv else 0.0']]


@dataclass
class Actor:
    """Plays all roles as the script says, and counts who was asked."""

    script: Mapping[Any, Any]
    asked: list[str] = field(default_factory=list)
    name: str = "scripted"
    before: Callable[[AgentCall], None] = lambda call: None

    def fault(self) -> tuple[str, str] | None:
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        self.asked.append(call.task.title.rpartition(" ")[2])
        self.before(call)
        return play_role(replace(call, options={"script": {"campaign": self.script}}))


@dataclass
class Bench:
    """A tiny project and a campaign in it."""

    root: Path
    actor: Actor
    plan: dict[str, Any]

    def campaign(self, *lines: Any, budgets: tuple[Budget, ...] = ()) -> Campaign:
        folder = TrialFolder(self.root / ".flagstone" / "trials" / "t", self.root)
        spec = trial_spec_of("t", self.root, self.plan)
        subject = subject_of(spec.experiment.subject, Store(folder.store))
        proposer = AgentProposer(self.actor, PROMPTS, AgentSetup(budgets=budgets), sleep=lambda _: None)
        return Campaign(
            folder=folder, spec=spec, story=story_of(lines), subject=subject, base=subject.base(), proposer=proposer
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "score.py").write_text("# decides the number\n")
    plan = {
        "question": "Is the loss lower?",
        "subject": {"root": ".", "mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py", "{seed}"]},
        "metric": {"name": "val_loss", "direction": "min"},
        "minimum_effect": 0.1,
        "sandbox": "off",
    }
    return Bench(tmp_path, Actor({1: {"title": "Gain", "edits": {"train.py": SWITCHED}}}), plan)


def test_an_idea_becomes_a_tree_whose_parent_is_the_baseline(bench: Bench) -> None:
    line = make_attempt(bench.campaign(), 1)
    assert bench.actor.asked == ["innovator", "reviewer", "revisor", "implementer"]
    assert (line.arm, line.title, line.switch, line.failure) == ("idea1", "Gain", ("--idea1",), "")
    subject = bench.campaign().subject
    assert b'"--idea1" in sys.argv' in subject.files(line.tree)["train.py"]
    assert line.lines == 2  # one line removed, one added, as counted by us
    assert (bench.root / "train.py").read_text() == TRAIN


def test_a_second_call_asks_nobody_again(bench: Bench) -> None:
    first = make_attempt(bench.campaign(), 1)
    bench.actor.asked.clear()
    second = make_attempt(bench.campaign(), 1)
    assert bench.actor.asked == []
    assert (first.tree, first.switch) == (second.tree, second.switch)


def test_a_kill_between_two_roles_asks_only_the_rest(bench: Bench) -> None:
    class Killed(BaseException):
        pass

    def kill(call: AgentCall) -> None:
        if "implementer" in call.task.title:
            (call.task.run_root / "train.py").write_text("half an edit")
            raise Killed

    bench.actor.before = kill
    with pytest.raises(Killed):
        make_attempt(bench.campaign(), 1)
    bench.actor.before = lambda call: None
    bench.actor.asked.clear()
    line = make_attempt(bench.campaign(), 1)
    assert bench.actor.asked == ["implementer"]
    assert b"half" not in bench.campaign().subject.files(line.tree)["train.py"]
    assert line.failure == ""


def test_too_large_an_edit_is_repaired_once_or_has_no_code(bench: Bench) -> None:
    bench.plan["largest_change"] = 1
    bench.actor.script = {1: {"edits": {"train.py": SWITCHED}, "review": {"lines": 1}}}
    line = make_attempt(bench.campaign(), 1)
    assert bench.actor.asked[-2:] == ["implementer", "implementer"]
    assert "changes 2 lines, and may change 1 at most" in line.failure
    assert line.tree == ""


def test_an_edit_that_fails_a_check_without_a_run_is_repaired(bench: Bench) -> None:
    bench.actor.script = {
        1: {
            "edits": {"train.py": [["gain = 0.0", "gain = ("]]},
            "repairs": {"train.py": [["gain = (", SWITCHED[0][1]]]},
        }
    }
    line = make_attempt(bench.campaign(), 1)
    assert line.failure == ""
    assert line.arm == "idea1r"
    prompt = bench.campaign().role_folder(1, "implementer") / "02" / "prompt.md"
    assert "is no valid Python" in prompt.read_text()


def test_a_second_call_after_a_repair_asks_nobody_again(bench: Bench) -> None:
    repairs = {"train.py": [["gain = (", SWITCHED[0][1]]]}
    bench.actor.script = {1: {"edits": {"train.py": [["gain = 0.0", "gain = ("]]}, "repairs": repairs}}
    first = make_attempt(bench.campaign(), 1)
    bench.actor.asked.clear()
    assert make_attempt(bench.campaign(), 1).tree == first.tree
    assert bench.actor.asked == []


def test_half_a_repair_is_never_taken_for_a_whole_one(bench: Bench) -> None:
    class Killed(BaseException):
        pass

    def kill(call: AgentCall) -> None:
        if "What the last check found" in call.prompt:
            (call.task.run_root / "train.py").write_text('"--idea1"')  # half of a repair, and it compiles
            raise Killed

    repairs = {"train.py": [["gain = (", SWITCHED[0][1]]]}
    bench.actor.script = {1: {"edits": {"train.py": [["gain = 0.0", "gain = ("]]}, "repairs": repairs}}
    bench.actor.before = kill
    with pytest.raises(Killed):
        make_attempt(bench.campaign(), 1)
    bench.actor.before = lambda call: None
    line = make_attempt(bench.campaign(), 1)
    assert line.failure == ""
    assert SWITCHED[0][1].encode() in bench.campaign().subject.files(line.tree)["train.py"]


def test_a_file_that_decides_the_number_may_not_change(bench: Bench) -> None:
    bench.actor.script = {1: {"edits": {"score.py": [["decides", "flatters"]], "train.py": SWITCHED}}}
    line = make_attempt(bench.campaign(), 1)
    prompt = bench.campaign().role_folder(1, "implementer") / "02" / "prompt.md"
    assert "only the mutable files may change: score.py" in prompt.read_text()
    assert line.lines == 2


def test_a_switch_that_no_file_reads_is_no_idea(bench: Bench) -> None:
    bench.actor.script = {1: {"edits": {"train.py": SWITCHED}, "switch": ["--other"]}}
    assert "no file reads the switch --other" in make_attempt(bench.campaign(), 1).failure


def test_a_reviewer_may_take_none_of_the_ideas(bench: Bench) -> None:
    bench.actor.script = {1: {"choice": 0}}
    line = make_attempt(bench.campaign(), 1)
    assert bench.actor.asked == ["innovator", "reviewer"]
    assert "took none" in line.failure


@pytest.mark.parametrize(
    ("review", "fault"),
    [({"lines": 300}, "needs 300 lines"), ({"is_novel": False}, "is not new"), ({"is_testable": False}, "cannot be")],
)
def test_an_idea_that_its_own_reviewer_finds_unfit_is_not_written(
    bench: Bench, review: dict[str, Any], fault: str
) -> None:
    bench.actor.script = {1: {"review": review}}
    assert fault in make_attempt(bench.campaign(), 1).failure
    assert bench.actor.asked == ["innovator", "reviewer"]


def test_a_used_up_budget_ends_the_ideas_and_not_the_campaign(bench: Bench) -> None:
    budgets = (Budget.of("run t", {"agent_calls": 2}),)
    line = make_attempt(bench.campaign(budgets=budgets), 1)
    assert bench.actor.asked == ["innovator", "reviewer"]
    assert line.is_untried
    assert "the budget of run t is used up" in line.failure
    log = bench.root / ".flagstone" / "trials" / "t" / "agents.jsonl"
    assert len(lines_of(log)) == 2


def test_a_role_that_gives_no_answer_is_named_and_nothing_is_lost(bench: Bench) -> None:
    bench.actor.script = {1: {"revisor": {"outcome": "crashed"}}}
    with pytest.raises(WorkFailed, match="the revisor gave no answer: crashed"):
        make_attempt(bench.campaign(), 1)
    bench.actor.script = {1: {"edits": {"train.py": SWITCHED}}}
    bench.actor.asked.clear()
    make_attempt(bench.campaign(), 1)
    assert bench.actor.asked == ["revisor", "implementer"]


def test_the_check_that_failed_in_a_run_reaches_the_implementer(bench: Bench) -> None:
    first = make_attempt(bench.campaign(), 1)
    bench.actor.script = {1: {"repairs": {"train.py": [["0.5", "0.7"]]}}}
    bench.actor.asked.clear()
    line = make_attempt(bench.campaign(first), 1, [CheckResult("off", False, "the off path differs by 0.01")])
    assert bench.actor.asked == ["implementer"]
    assert line.arm == "idea1r"
    assert b"0.7" in bench.campaign().subject.files(line.tree)["train.py"]
    assert "differs by 0.01" in (bench.campaign().role_folder(1, "implementer") / "02" / "prompt.md").read_text()


def test_the_next_attempt_begins_with_the_lesson_of_the_last(bench: Bench) -> None:
    line = make_attempt(bench.campaign(), 1)
    dropped = ScreenResult("idea1", 3, -0.1, -0.5, True, "mean improvement −0.1")
    looks = (line, LookLine(3, "screen", "2026-01-01T00:00:00Z", arm="idea1", screen=dropped))
    bench.actor.asked.clear()
    make_attempt(bench.campaign(*looks), 2)
    assert bench.actor.asked[0] == "analyst"
    prompt = (bench.campaign().role_folder(2, "innovator") / "01" / "prompt.md").read_text()
    assert "DROPPED AT SCREEN: mean improvement −0.1" in prompt
    assert "Lesson of idea 1." in prompt


def test_failed_ideas_stay_in_the_log(bench: Bench) -> None:
    line = IdeaLine("idea1", "Gain", "", "", "2026-01-01T00:00:00Z", failure="nothing was changed")
    make_attempt(bench.campaign(), 1)
    write_idea_log(bench.campaign(line))
    text = (bench.campaign().folder.root / "idea_log.md").read_text()
    assert "## Idea 1: Gain" in text
    assert "FAILED CHECK: nothing was changed" in text
    assert "**Not taken:** Another idea 1.2" in text


def test_an_answer_of_another_form_is_asked_for_once_more_and_never_used(bench: Bench) -> None:
    bench.actor.script = {1: {"choice": 7}}
    with pytest.raises(WorkFailed, match="the reviewer gave no answer"):
        make_attempt(bench.campaign(), 1)
    assert bench.actor.asked == ["innovator", "reviewer", "reviewer"]
