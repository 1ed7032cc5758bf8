"""The review of a paper: rounds in fresh conversations, answers of the author, and what closes the gate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from answering_desk import Answer, Desk, ended, good

from flagstone import schemas
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Mode
from flagstone.drafting.reviewing import review_of_others
from flagstone.errors import WorkFailed
from flagstone.gates.runs.run_config import open_run
from flagstone.layout import Project
from flagstone.paper.building import self_review_check
from flagstone.records import digest_file
from flagstone.setup.new_run import NewRun, create

TABLE = """stages:
  "01": {name: paper, title: Paper, reviewers: [paper_reviewer, abstract_reviewer]}
  "02": {name: after, title: After, after: ["01"], requires: [paper]}
"""
REVISER = "# Revise stage 01, Paper"
ANSWERS = "workspace/reviews/review_answers.json"


def issue(severity: str = "MAJOR", problem: str = "the abstract has no n") -> dict[str, str]:
    return {"severity": severity, "where": "the abstract", "problem": problem}


def review(verdict: str = "accept", *issues: dict[str, str], still_open: Sequence[str] = ()) -> dict[str, Any]:
    return {"verdict": verdict, "issues": [*issues], "still_open": [*still_open]}


def write_paper(call: AgentCall, answers: dict[str, str] | None = None) -> AgentResult:
    """The author: another PDF each time, and answers to issues by their id."""
    root = call.task.run_root / "workspace"
    (root / "artifacts" / "paper.pdf").write_bytes(b"%PDF-1.4 of attempt " + str(call.task.attempt).encode())
    rows = [{"issue": name, "answer": "changed", "what": what} for name, what in (answers or {}).items()]
    (root / "reviews" / "review_answers.json").write_text(json.dumps({"answers": rows}))
    return good(call)


def said(answer: object) -> Answer:
    return partial(ended, structured=answer)


@pytest.fixture
def reviewed(project: Project) -> Desk:
    """A run whose one stage has two reviewers."""
    (project.root / "config" / "tables" / "reviewed.yaml").write_text(TABLE)
    for name in ("01_paper", "02_after"):
        (project.root / "prompts" / f"{name}.md.j2").write_text("# Write\n")
    sets = {"agent": "demo", "table": "reviewed", "limits": {"attempts": 1}}
    return Desk(open_run(project, create(project, NewRun("r", "Does it help?", sets=sets))))


def record(desk: Desk) -> dict[str, Any]:
    return json.loads((desk.run.root / "paper" / "self_review.json").read_text())


def last_checks(desk: Desk) -> dict[str, dict[str, str]]:
    path = max(desk.run.drafts("01").glob("*/checks.json"))
    return {row["rule"]: row for row in json.loads(path.read_text())["checks"]}


def test_two_reviewers_judge_a_draft_in_conversations_of_their_own(reviewed: Desk) -> None:
    reviewed.answers = [write_paper, said(review()), said(review())]
    reviewed.build()
    judges = reviewed.calls[1:]
    assert [call.task.title for call in judges] == ["stage 01: paper_reviewer", "stage 01: abstract_reviewer"]
    assert all(call.mode is Mode.JUDGE and not call.writable and not call.conversation.resume for call in judges)
    assert len({call.conversation.session_id for call in reviewed.calls}) == 3
    assert last_checks(reviewed)["self-review"]["status"] == "passed"
    assert "the same model as the author" in last_checks(reviewed)["self-review"]["message"]


def test_what_a_reviewer_saw_is_on_record(reviewed: Desk) -> None:
    for name in ("facts", "audit"):
        path = reviewed.run.root / "paper" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'{{"what": "{name}"}}')
    reviewed.answers = [write_paper, said(review()), said(review())]
    reviewed.build()
    row = record(reviewed)["reviews"][0]
    pdf = reviewed.run.workspace / "artifacts" / "paper.pdf"
    assert row["saw"]["pdf"] == digest_file(pdf)
    assert {"pdf", "facts", "audit", "prompt"} == set(row["saw"])
    prompt = reviewed.calls[1].prompt
    assert '{"what": "facts"}' in prompt and '{"what": "audit"}' in prompt
    schema = Path(reviewed.opened.project.schemas)
    assert schemas.problems(schema, "self_review", record(reviewed)) == []
    published = reviewed.run.workspace / "artifacts" / "self_review.json"
    assert json.loads(published.read_text()) == record(reviewed)


def test_the_text_of_the_pdf_is_what_a_reviewer_reads(reviewed: Desk) -> None:
    matplotlib = pytest.importorskip("matplotlib.pyplot")

    def typeset(call: AgentCall) -> AgentResult:
        result = write_paper(call)
        figure = matplotlib.figure()
        figure.text(0.1, 0.5, "It helps by 4711 nats")
        figure.savefig(call.task.run_root / "workspace" / "artifacts" / "paper.pdf")
        matplotlib.close(figure)
        return result

    reviewed.answers = [typeset, said(review()), said(review())]
    reviewed.build()
    assert "It helps by 4711 nats" in reviewed.calls[1].prompt


def test_the_author_answers_each_issue_and_the_next_round_reads_the_paper_alone(reviewed: Desk) -> None:
    answered = partial(write_paper, answers={"a1-paper-1": "n is a fact now"})
    reviewed.answers = [
        write_paper, said(review("revise", issue())), said(review()),
        answered, said(review()), said(review()),
    ]  # fmt: skip
    reviewed.build()
    reviser, second = reviewed.calls[3], reviewed.calls[4]
    assert reviser.prompt.startswith(REVISER) and "a1-paper-1 MAJOR" in reviser.prompt and ANSWERS in reviser.prompt
    assert "a1-paper-1 MAJOR in the abstract: the abstract has no n" in second.prompt
    assert "n is a fact now" not in second.prompt and "To write a note." not in second.prompt  # nor the summary
    assert not second.conversation.resume
    found = record(reviewed)
    assert (found["rounds"], found["verdict"], found["open"]) == (2, "accept", [])
    assert found["answers"] == [{"issue": "a1-paper-1", "answer": "changed", "what": "n is a fact now"}]


def test_an_issue_without_an_answer_stays_open(reviewed: Desk) -> None:
    reviewed.answers = [
        write_paper, said(review("revise", issue("MINOR"))), said(review()),
        write_paper, said(review()), said(review()),
    ]  # fmt: skip
    reviewed.build()
    assert record(reviewed)["open"] == ["a1-paper-1"]
    assert "1 issue open: a1-paper-1" in last_checks(reviewed)["self-review"]["message"]


def test_answers_about_an_earlier_version_settle_no_issue_of_a_later_one(reviewed: Desk) -> None:
    answered = partial(write_paper, answers={"a1-paper-1": "done"})
    minor = said(review("revise", issue("MINOR")))
    reviewed.answers = [write_paper, minor, said(review()), answered, said(review()), said(review())]
    reviewed.build()
    assert record(reviewed)["open"] == []
    reviewed.run.feedback("01").write_text("shorter")
    reviewed.answers = [answered, minor, said(review()), answered, said(review()), said(review())]
    reviewed.build()
    assert (record(reviewed)["rounds"], record(reviewed)["open"]) == (2, ["a3-paper-1"])


def test_a_reviewer_may_hold_an_issue_open_whatever_the_author_says(reviewed: Desk) -> None:
    answered = partial(write_paper, answers={"a1-paper-1": "it is mended"})
    held = said(review("revise", still_open=["a1-paper-1"]))
    reviewed.answers = [
        write_paper, said(review("revise", issue("CRITICAL"))), said(review()),
        *[answered, held, said(review())] * 2,
    ]  # fmt: skip
    with pytest.raises(WorkFailed, match=r"self-review: .*a1-paper-1 CRITICAL"):
        reviewed.build()
    assert not reviewed.run.summary("01_paper").exists()


@pytest.mark.parametrize("bad", [review("reject"), review("accept", issue("CRITICAL"))], ids=["rejection", "critical"])
def test_a_rejection_and_an_open_critical_issue_close_the_gate(reviewed: Desk, bad: dict[str, Any]) -> None:
    reviewed.answers = [write_paper, said(bad), said(review())] * 3
    with pytest.raises(WorkFailed, match="self-review"):
        reviewed.build()
    assert not reviewed.run.summary("01_paper").exists()
    assert last_checks(reviewed)["self-review"]["status"] == "failed"
    assert len([call for call in reviewed.calls if call.mode is Mode.WORK]) == 3  # two rounds, and the one attempt


@pytest.mark.parametrize("garbage", [None, "fine", {"issues": []}, {"verdict": "great", "issues": []}])
def test_what_is_no_review_is_asked_once_more_and_then_ends_the_stage(reviewed: Desk, garbage: object) -> None:
    reviewed.answers = [write_paper, said(garbage)]
    with pytest.raises(WorkFailed, match="the paper reviewer gave no verdict: its answer has not the form of a review"):
        reviewed.build()
    assert len(reviewed.calls) == 3
    reviewed.answers = [said(review())]
    reviewed.build()  # the draft was kept
    assert len([call for call in reviewed.calls if call.mode is Mode.WORK]) == 1


def test_a_silent_reviewer_ends_the_stage_and_lets_nothing_pass(reviewed: Desk) -> None:
    reviewed.answers = [write_paper, partial(ended, outcome=CallOutcome.SILENT, reason="no word for 60 s")]
    with pytest.raises(WorkFailed, match="the paper reviewer gave no verdict: silent, no word for 60 s"):
        reviewed.build()
    assert not reviewed.run.summary("01_paper").exists()


def test_a_reviewer_that_edits_the_paper_is_not_believed_and_the_paper_is_put_back(reviewed: Desk) -> None:
    def meddle(call: AgentCall) -> AgentResult:
        with open(call.task.run_root / "workspace" / "artifacts" / "paper.pdf", "ab") as stream:
            stream.write(b" and mine")
        return ended(call, structured=review())

    reviewed.answers = [write_paper, meddle]
    with pytest.raises(WorkFailed, match=r"it changed what it may only read: workspace/artifacts/paper\.pdf"):
        reviewed.build()
    assert (reviewed.run.workspace / "artifacts" / "paper.pdf").read_bytes() == b"%PDF-1.4 of attempt 1"


def test_a_paper_that_changed_after_its_review_is_named(reviewed: Desk) -> None:
    reviewed.answers = [write_paper, said(review()), said(review())]
    reviewed.build()
    assert self_review_check(reviewed.run).status == "passed"
    (reviewed.run.workspace / "artifacts" / "paper.pdf").write_bytes(b"%PDF-1.4 of somebody else")
    found = self_review_check(reviewed.run)
    assert found.status == "failed"
    assert "paper.pdf was changed after the paper reviewer; the abstract reviewer read it" in found.message
    (row,) = review_of_others(reviewed.opened, reviewed.opened.table.stage("02"))
    assert row.status == "failed"


def test_a_stage_table_of_an_earlier_version_names_no_reviewers_and_says_so(desk: Desk) -> None:
    table = desk.run.pinned / "stages.yaml"
    rows = yaml.safe_load(table.read_text())["stages"]
    rows["07"].pop("reviewers")
    table.write_text(yaml.safe_dump({"stages": rows}))
    opened = open_run(desk.opened.project, desk.run)
    (row,) = review_of_others(opened, opened.table.stage("07"))
    assert row.status == "not checked" and "flagstone repin" in row.message


def test_another_model_may_review_and_the_record_says_which(reviewed: Desk) -> None:
    settings = yaml.safe_load(reviewed.run.settings.read_text())
    reviewed.run.settings.write_text(yaml.safe_dump({**settings, "review": {"model": "other", "rounds": 1}}))
    reviewed.answers = [write_paper, said(review("revise", issue("MINOR"))), said(review())]
    reviewed.build()
    assert [call.model for call in reviewed.calls] == [None, "other", "other"]
    row = record(reviewed)["reviews"][0]
    assert (row["model"], row["is_authors_model"]) == ("other", False)
    assert "same model" not in last_checks(reviewed)["self-review"]["message"]
