"""Reviewers of a paper that passed its checks: each only judges, in a fresh conversation, and the author answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.agents import AgentCall, AgentResult, CallFrame, CallOutcome, Conversation, Limits, Mode, Task
from flagstone.artifacts.rules import RuleCheck, skipped_check
from flagstone.drafting.outage import PASSES, Outage, Wait
from flagstone.drafting.work import Attempt, attempts_since, new_session
from flagstone.errors import Interrupted, WorkFailed
from flagstone.gates import RunConfig, last_publication, offer_of, read_text
from flagstone.paper.auditing import UnreadablePdf, printed_pages
from flagstone.paper.building import (
    REVIEW_RULE,
    PaperReview,
    ReviewIssue,
    SelfReview,
    answers_of,
    paper_of,
    publish,
    self_review_check,
)
from flagstone.plans import numbered_path
from flagstone.prompts import ReviewParts, review_prompt
from flagstone.records import digest_bytes, digest_file, plain_value, read_as, utc, write_record
from flagstone.schemas import misfits
from flagstone.settings import StageSettings
from flagstone.stages import Stage
from flagstone.text import list_text, one_line

OLD_PREFIX = "review-"  # of the rules of earlier versions, one for each reviewer
MOST_ISSUES = 40
SHOWN_BYTES = 150_000
TRIES = 2  # of an answer that has not the form that was asked for
FACTS, AUDIT = "paper/facts.json", "paper/audit.json"
ISSUE: Mapping[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["severity", "where", "problem"],
    "properties": {
        "severity": {"enum": ["CRITICAL", "MAJOR", "MINOR"]},
        "where": {"type": "string"},
        "problem": {"type": "string", "minLength": 1},
    },
}
REPLY: Mapping[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["verdict", "issues"],
    "properties": {
        "verdict": {"enum": ["accept", "revise", "reject"]},
        "issues": {"type": "array", "maxItems": MOST_ISSUES, "items": ISSUE},
        "still_open": {"type": "array", "maxItems": MOST_ISSUES, "items": {"type": "string", "maxLength": 80}},
    },
}


@dataclass(frozen=True)
class Reviews:
    """The reviewers of one draft, and whom they are asked through."""

    opened: RunConfig
    stage: Stage
    attempt: Attempt
    frame: CallFrame

    @cached_property
    def settings(self) -> StageSettings:
        return self.opened.settings.for_review(self.stage.nr)

    def check(self) -> RuleCheck:
        """What the reviewers of this draft found, on record with all earlier rounds about it."""
        run, earlier = self.opened.run, self.earlier()
        number = max((review.round for review in earlier), default=0) + 1
        now = tuple(self.review(reviewer, number, earlier) for reviewer in self.stage.reviewers)
        found = SelfReview((*earlier, *now), answers_of(run))
        found.write(run)
        publish(run)  # so that the gate is approved with it
        return found.check(self.opened.settings.review_rounds)

    def earlier(self) -> tuple[PaperReview, ...]:
        """The reviews of drafts since the last published one."""
        run, nr = self.opened.run, self.stage.nr
        was = last_publication(run, nr, offer_of(run, self.stage))
        drafts = attempts_since(run, nr, was.attempt + 1 if was else 1)
        paths = (
            review_file(each, name)
            for each in drafts
            for name in self.stage.reviewers
            if each.number < self.attempt.number
        )
        return tuple(found for path in paths if (found := read_as(path, PaperReview)))

    def review(self, reviewer: str, number: int, earlier: tuple[PaperReview, ...]) -> PaperReview:
        """One reviewer's answer. One that is on disk is not asked for again."""
        path = review_file(self.attempt, reviewer)
        known = read_as(path, PaperReview)
        if known is None or known.saw.get("pdf") != self.shown.get("pdf"):
            own = tuple(each for each in earlier if each.reviewer == reviewer)
            known = self.ask(PaperReview(reviewer=reviewer, round=number), own, path.with_suffix(""))
            write_record(path, plain_value(known))
        return known

    def ask(self, review: PaperReview, earlier: tuple[PaperReview, ...], folder: Path) -> PaperReview:
        """Asks a reviewer. The service is given time, as for a stage."""
        limits, began_s, tries = self.settings.limits, time.time(), 0
        outage = Outage(f"{review.title} of stage {self.stage.nr}", self.opened.run.name, limits)
        while True:
            call = self.call(review, earlier, numbered_path(folder))
            result = self.frame.carry_out(call)
            if result.outcome is CallOutcome.INTERRUPTED:
                raise Interrupted(
                    f"stage {self.stage.nr} was interrupted", hint=f"continue: flagstone run {self.opened.run.name}"
                )
            answer, is_answer = result.structured, result.outcome is CallOutcome.OK
            if is_answer and not result.violations and not misfits(REPLY, answer):
                return self.review_from(review, answer, call)
            tries += is_answer
            if tries >= TRIES or not (is_answer or result.outcome in PASSES):
                raise no_answer(self.stage, review, result)
            if not is_answer:
                now_s = time.time()
                self.frame.patience.sleep(outage.pause_s(Wait(result, began_s, now_s), now_s))

    def review_from(self, review: PaperReview, answer: Any, call: AgentCall) -> PaperReview:
        """The review as it is recorded, with what the reviewer was shown."""
        author, name = self.opened.settings.for_stage(self.stage.nr), review.reviewer.removesuffix("_reviewer")
        issues = [
            ReviewIssue(**row, id=f"a{self.attempt.number}-{name}-{number}")
            for number, row in enumerate(answer["issues"], 1)
        ]
        return replace(
            review,
            verdict=answer["verdict"],
            issues=tuple(issues),
            still_open=tuple(answer.get("still_open", ())),
            at=utc(time.time()),
            agent=self.frame.agent.name,
            model=self.settings.model,
            is_authors_model=(author.agent, author.model) == (self.settings.agent, self.settings.model),
            saw={**self.shown, "prompt": digest_bytes(call.prompt.encode("utf-8", "replace"))},
        )

    @cached_property
    def shown(self) -> Mapping[str, str]:
        """The digests of the files that reviewers are shown."""
        root = self.opened.run.root
        files = {"pdf": paper_of(self.opened.run), "facts": root / FACTS, "audit": root / AUDIT}
        return {name: digest_file(path) for name, path in files.items() if path and path.is_file()}

    @cached_property
    def sources(self) -> str:
        return sources_text(self.opened.run.workspace / "writing")

    @cached_property
    def paper_text(self) -> str:
        """What the PDF says, page by page."""
        pdf = paper_of(self.opened.run)
        if pdf is None:
            return f"There is no PDF. These are its sources.\n{self.sources}"
        try:
            pages = printed_pages(pdf)
        except UnreadablePdf as error:
            return f"The PDF cannot be read: {error}. These are its sources.\n{self.sources}"
        return "\n".join(f"--- page {number} ---\n{text}" for number, text in enumerate(pages, 1))[:SHOWN_BYTES]

    def call(self, review: PaperReview, earlier: tuple[PaperReview, ...], folder: Path) -> AgentCall:
        run, allowed = self.opened.run, self.settings.limits
        folder.mkdir(parents=True, mode=0o700)
        parts = ReviewParts(
            stage_title=self.stage.title,
            brief=read_text(run.brief),
            memory=read_text(run.memory)[:SHOWN_BYTES],
            draft=read_text(self.attempt.draft),
            sources=self.sources,
            paper=self.paper_text,
            facts=read_text(run.root / FACTS)[:SHOWN_BYTES],
            audit=read_text(run.root / AUDIT)[:SHOWN_BYTES],
            earlier=tuple(str(issue) for each in earlier for issue in each.issues),
        )
        return AgentCall(
            prompt=review_prompt(run.pinned / "prompts", self.stage.prompt(review.reviewer), parts),
            conversation=Conversation(new_session(), resume=False),
            task=Task(
                self.stage.nr, f"stage {self.stage.nr}: {review.reviewer}", self.attempt.number, run.root, folder
            ),
            mode=Mode.JUDGE,
            writable=(),
            model=self.settings.model,
            limits=Limits(allowed.wall_s, min(allowed.silence_s, allowed.wall_s), allowed.turns, allowed.cost_usd),
            record_dir=folder,
            options=self.settings.options,
            reply_schema=REPLY,
            sandbox=self.opened.settings.sandbox,
        )


def review_of_others(opened: RunConfig, stage: Stage) -> list[RuleCheck]:
    """For a stage without reviewers that has a paper: whether the paper was reviewed before."""
    if stage.reviewers or not {"paper", "fresh-paper"} & set(stage.requires):
        return []
    if any(each.reviewers for each in opened.table.ancestors(stage.nr)):
        return [self_review_check(opened.run)]
    return [
        skipped_check(REVIEW_RULE, "the stages of this run name no reviewers: flagstone repin takes the newer ones")
    ]


def review_file(attempt: Attempt, reviewer: str) -> Path:
    return attempt.folder / "reviews" / f"{reviewer}.json"


def is_of_review(failed: tuple[tuple[str, str], ...]) -> bool:
    """Whether only reviewers found something."""
    return bool(failed) and all(rule == REVIEW_RULE or rule.startswith(OLD_PREFIX) for rule, _ in failed)


def no_answer(stage: Stage, review: PaperReview, result: AgentResult) -> WorkFailed:
    """The end of a stage whose reviewer gives no verdict, or did more than that."""
    why = f"{result.outcome.value}, {one_line(result.reason)}"
    if result.outcome is CallOutcome.OK:
        changed = list_text(list(result.violations))
        why = f"it changed what it may only read: {changed}" if changed else "its answer has not the form of a review"
    return WorkFailed(
        f"stage {stage.nr} {stage.name}: {review.title} gave no verdict: {why}",
        hint="the draft is kept: cure that, or name another reviewer (review.agent, review.model), then run it again",
    )


def sources_text(folder: Path) -> str:
    """The paper as it was written: paper.md if it is there, or else the LaTeX sources."""
    whole = folder / "paper.md"
    paths = [whole] if whole.is_file() else sorted(folder.rglob("*.tex"))
    text = "\n\n".join(f"=== {path.relative_to(folder)} ===\n{read_text(path)}" for path in paths)
    return text[:SHOWN_BYTES]
