"""Reviewers of a draft that passed its checks: each only judges, and what they find is repaired once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.agents import AgentCall, AgentResult, CallFrame, CallOutcome, Conversation, Limits, Mode, Task
from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.drafting.outage import PASSES, Outage, Wait
from flagstone.drafting.work import Attempt, attempts_since, new_session
from flagstone.errors import Interrupted, WorkFailed
from flagstone.gates import RunConfig, read_text
from flagstone.plans import numbered_path
from flagstone.prompts import ReviewParts, review_prompt
from flagstone.records import read_record, utc, write_record
from flagstone.schemas import misfits
from flagstone.stages import Stage
from flagstone.text import list_text, one_line

PREFIX = "review-"
MOST_ISSUES = 40
SHOWN_BYTES = 150_000
REPLY: Mapping[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["issues"],
    "properties": {
        "issues": {
            "type": "array",
            "maxItems": MOST_ISSUES,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["severity", "where", "problem"],
                "properties": {
                    "severity": {"enum": ["CRITICAL", "MAJOR", "MINOR"]},
                    "where": {"type": "string"},
                    "problem": {"type": "string", "minLength": 1},
                },
            },
        }
    },
}


@dataclass(frozen=True)
class Reviews:
    """The reviewers of one draft, and whom they are asked through."""

    opened: RunConfig
    stage: Stage
    attempt: Attempt
    frame: CallFrame

    def checks(self) -> Iterator[RuleCheck]:
        """One row for each reviewer. An answer that is on disk is not asked for again."""
        for reviewer in self.stage.reviewers:
            path = self.attempt.folder / "reviews" / f"{reviewer}.json"
            record = read_record(path)
            if record is None:
                record = {"reviewer": reviewer, **self.answer(reviewer, path.with_suffix(""))}
                write_record(path, record)
            yield check_of(reviewer, record["issues"])

    def answer(self, reviewer: str, folder: Path) -> Mapping[str, Any]:
        """What a reviewer found. The service is given time, as for a stage."""
        limits = self.opened.settings.for_stage(self.stage.nr).limits
        outage = Outage(f"the {reviewer} of stage {self.stage.nr}", self.opened.run.name, limits)
        began_s = time.time()
        while True:
            result = self.frame.carry_out(self.call(reviewer, numbered_path(folder)))
            if result.outcome is CallOutcome.INTERRUPTED:
                raise Interrupted(
                    f"stage {self.stage.nr} was interrupted", hint=f"continue: flagstone run {self.opened.run.name}"
                )
            answer: Any = result.structured
            if result.outcome is CallOutcome.OK and not misfits(REPLY, answer):
                return {"issues": answer["issues"], "at": utc(time.time())}
            if result.outcome not in PASSES:
                raise no_answer(self.stage, reviewer, result)
            now_s = time.time()
            self.frame.patience.sleep(outage.pause_s(Wait(result, began_s, now_s), now_s))

    def call(self, reviewer: str, folder: Path) -> AgentCall:
        run, settings = self.opened.run, self.opened.settings.for_stage(self.stage.nr)
        allowed = settings.limits
        folder.mkdir(parents=True, mode=0o700)
        parts = ReviewParts(
            stage_title=self.stage.title,
            brief=read_text(run.brief),
            memory=read_text(run.memory)[:SHOWN_BYTES],
            draft=read_text(self.attempt.draft),
            sources=sources_text(run.workspace / "writing"),
        )
        return AgentCall(
            prompt=review_prompt(run.pinned / "prompts", self.stage.prompt(reviewer), parts),
            conversation=Conversation(new_session(), resume=False),
            task=Task(self.stage.nr, f"stage {self.stage.nr}: {reviewer}", self.attempt.number, run.root, folder),
            mode=Mode.JUDGE,
            writable=(),
            model=settings.model,
            limits=Limits(allowed.wall_s, min(allowed.silence_s, allowed.wall_s), allowed.turns, allowed.cost_usd),
            record_dir=folder,
            options=settings.options,
            reply_schema=REPLY,
            sandbox=self.opened.settings.sandbox,
        )


def was_reviewed(opened: RunConfig, stage: Stage, first: int, attempt: Attempt) -> bool:
    """Whether an earlier draft of this turn was reviewed: its issues are settled once, not for ever."""
    earlier = (each for each in attempts_since(opened.run, stage.nr, first) if each.number < attempt.number)
    return any(is_of_review(each.failed_rules()) for each in earlier)


def is_of_review(failed: tuple[tuple[str, str], ...]) -> bool:
    """Whether only reviewers found something."""
    return bool(failed) and all(rule.startswith(PREFIX) for rule, _ in failed)


def check_of(reviewer: str, issues: list[Mapping[str, Any]]) -> RuleCheck:
    rule = PREFIX + reviewer.replace("_", "-")
    if not issues:
        return passed_check(rule, f"the {reviewer.replace('_', ' ')} found nothing to change")
    rows = [
        f"{each['severity']} in {one_line(each['where'], 120)}: {one_line(each['problem'], 600)}" for each in issues
    ]
    return failed_check(rule, f"settle every issue: {list_text(rows, MOST_ISSUES)}")


def no_answer(stage: Stage, reviewer: str, result: AgentResult) -> WorkFailed:
    return WorkFailed(
        f"stage {stage.nr} {stage.name}: the {reviewer} gave no answer: {result.outcome.value}, "
        f"{one_line(result.reason)}",
        hint="the draft is kept: cure that, then run it again",
    )


def sources_text(folder: Path) -> str:
    """What a reviewer reads: paper.md if it is there, or else the LaTeX sources."""
    whole = folder / "paper.md"
    paths = [whole] if whole.is_file() else sorted(folder.rglob("*.tex"))
    text = "\n\n".join(f"=== {path.relative_to(folder)} ===\n{read_text(path)}" for path in paths)
    return text[:SHOWN_BYTES]
