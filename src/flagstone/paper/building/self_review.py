"""The review of a paper: what each reviewer saw and found, what the author answered, and whether it closes the gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from flagstone.artifacts import PAPERS, RuleCheck
from flagstone.artifacts.formats import Unreadable, loads_strict, open_regular, regular_file
from flagstone.artifacts.rules import failed_check, passed_check
from flagstone.layout import Run
from flagstone.records import digest_file, plain_value, read_as, write_record
from flagstone.text import count_text, list_text, one_line

REVIEW_RULE = "self-review"
RECORD = "self_review.json"
ANSWERS = "workspace/reviews/review_answers.json"
ANSWERS_BYTES = 1_000_000
MOST_ISSUES = 40
PDFS = ("paper/paper.pdf", *PAPERS)  # the first that is there is the paper

Severity = Literal["CRITICAL", "MAJOR", "MINOR"]
Ruling = Literal["accept", "revise", "reject", ""]
RANK: tuple[Ruling, ...] = ("", "accept", "revise", "reject")


@dataclass(frozen=True)
class ReviewIssue:
    """One thing that a reviewer asks for. `id` is what the author's answer names."""

    severity: Severity
    where: str
    problem: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.id} {self.severity} in {one_line(self.where, 120)}: {one_line(self.problem, 600)}".lstrip()


@dataclass(frozen=True)
class AuthorAnswer:
    """What the author did about one issue, in words."""

    issue: str
    answer: Literal["changed", "declined"]
    what: str


@dataclass(frozen=True, kw_only=True)
class PaperReview:
    """What one reviewer found in one round. `saw` has the digest of each file that it was shown, and of its prompt.

    `still_open` names issues of earlier rounds. Reviews of earlier versions have no verdict and saw nothing on record.
    """

    reviewer: str
    issues: tuple[ReviewIssue, ...] = ()
    verdict: Ruling = ""
    still_open: tuple[str, ...] = ()
    round: int = 1
    at: str = ""
    agent: str = ""
    model: str | None = None
    is_authors_model: bool = True
    saw: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"the {self.reviewer.replace('_', ' ')}"


@dataclass(frozen=True)
class SelfReview:
    """All rounds about one version of a paper, and the author's answers."""

    reviews: tuple[PaperReview, ...] = ()
    answers: tuple[AuthorAnswer, ...] = ()

    @property
    def rounds(self) -> int:
        return max((review.round for review in self.reviews), default=0)

    @property
    def last(self) -> tuple[PaperReview, ...]:
        """The reviews of the last round."""
        return tuple(review for review in self.reviews if review.round == self.rounds)

    @property
    def verdict(self) -> Ruling:
        """The hardest verdict of the last round."""
        return max((review.verdict for review in self.last), key=RANK.index, default="")

    @property
    def open_issues(self) -> tuple[ReviewIssue, ...]:
        """Issues that the author has not answered, or that a reviewer of the last round does not take as settled."""
        answered = {answer.issue for answer in self.answers}
        still_open = {name for review in self.last for name in review.still_open}
        return tuple(
            issue
            for review in self.reviews
            for issue in review.issues
            if review.round == self.rounds or issue.id not in answered or issue.id in still_open
        )

    def reasons_to_close(self) -> Iterator[str]:
        yield from (f"{review.title} rejects the paper" for review in self.last if review.verdict == "reject")
        yield from (str(issue) for issue in self.open_issues if issue.severity == "CRITICAL")

    def check(self, rounds: int = 0) -> RuleCheck:
        """Fails on a rejection, on an open CRITICAL issue, and on any open issue while there is a round left."""
        closing = list(self.reasons_to_close())
        still_open = [str(issue) for issue in self.open_issues]
        if closing or (still_open and self.rounds < rounds):
            rows = list(dict.fromkeys([*closing, *still_open]))
            advice = f"settle each issue in the sources, and answer it by its id in {ANSWERS}"
            return failed_check(REVIEW_RULE, f"{advice}: {list_text(rows, MOST_ISSUES)}")
        found = f"{count_text(len(self.last), 'reviewer')} read this PDF in round {self.rounds}"
        same = ", the same model as the author" if any(review.is_authors_model for review in self.last) else ""
        left = f"; {count_text(len(still_open), 'issue')} open: {list_text(still_open)}" if still_open else ""
        return passed_check(REVIEW_RULE, f"{found}{same}: {self.verdict or 'no verdict'}{left}")

    def write(self, run: Run) -> None:
        """Writes the record where no agent may write."""
        derived = {"verdict": self.verdict, "rounds": self.rounds, "open": [issue.id for issue in self.open_issues]}
        write_record(run.paper / RECORD, {**derived, **plain_value(self)})


def paper_of(run: Run) -> Path | None:
    """The PDF that a review is about. Returns None if there is none."""
    return next((run.root / path for path in PDFS if (run.root / path).is_file()), None)


def self_review_check(run: Run) -> RuleCheck:
    """Whether the review on record is of the PDF that is there now, and lets it pass."""
    found, pdf = read_as(run.paper / RECORD, SelfReview), paper_of(run)
    if found is None or not found.reviews:
        return failed_check(REVIEW_RULE, "no review of the paper is on record: run its stage again (flagstone redo)")
    if pdf is None:
        return failed_check(REVIEW_RULE, "the paper that was reviewed is gone: run its stage again (flagstone redo)")
    now = digest_file(pdf)
    others = [review.title for review in found.last if now not in review.saw.values()]
    if others:
        who = list_text(others)
        return failed_check(
            REVIEW_RULE, f"{run.relative(pdf)} was changed after {who} read it: run its stage again (flagstone redo)"
        )
    return found.check()


def answers_of(run: Run) -> tuple[AuthorAnswer, ...]:
    """What the author has answered so far. What has not the form that was asked for answers nothing."""
    try:
        real, _ = regular_file(run.root / ANSWERS, run.root)
        with open_regular(real) as stream:
            value: Any = loads_strict(stream.read(ANSWERS_BYTES).decode("utf-8", "replace"))
    except Unreadable:
        return ()
    rows = value.get("answers") if isinstance(value, dict) else None
    found = (answer_in(row) for row in (rows if isinstance(rows, list) else ()))
    return tuple(answer for answer in found if answer and answer.what.strip())


def answer_in(row: object) -> AuthorAnswer | None:
    try:
        return msgspec.convert(row, AuthorAnswer)
    except msgspec.ValidationError:
        return None
