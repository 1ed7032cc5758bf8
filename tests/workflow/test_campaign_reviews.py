"""A stage with reviewers: they judge a draft that passed its checks, in rounds, and attempts settle the issues."""

from __future__ import annotations

import json
from typing import Any

import pytest
from workbench import Place, Study

TABLE = """stages:
  "01":
    name: paper
    title: Paper
    prompts: campaign
    reviewers: [paper_reviewer, abstract_reviewer]
"""


def reviewed(place: Place, campaign: Any, **limits: Any) -> Study:
    (place.root / "config" / "tables" / "reviewed.yaml").write_text(TABLE)
    (place.root / "prompts" / "campaign" / "01_paper.md.j2").write_text("# Write\n")
    sets = [f"limits.{name}={value}" for name, value in limits.items()]
    return place.new("t", "table=reviewed", *sets, script={"*": {"*": "instant"}, "campaign": campaign})


def test_issues_of_reviewers_are_settled_by_the_next_attempt(place: Place) -> None:
    study = reviewed(place, {"issues": ["the abstract has no n"]}, attempts=1)
    assert place.snakemake().code == 0
    calls = study.calls("01")
    assert [call["attempt"] for call in calls] == [1, 2]
    assert "Revise stage 01, Paper" in study.prompt("01", 2)
    assert "the abstract has no n" in study.prompt("01", 2)
    assert study.summary("01").is_file()


def test_a_draft_without_an_issue_is_offered_at_once(place: Place) -> None:
    study = reviewed(place, {})
    assert place.snakemake().code == 0
    assert len(study.calls("01")) == 1
    reviews = study.files.drafts("01") / "001" / "reviews"
    assert sorted(path.name for path in reviews.glob("*.json")) == ["abstract_reviewer.json", "paper_reviewer.json"]


def test_reviewers_are_counted_towards_the_budget(place: Place) -> None:
    study = reviewed(place, {})
    study.set(budget={"agent_calls": 2})
    said = place.snakemake()
    assert said.code == 1
    assert "the budget of run t is used up" in said.text
    study.set(budget={"agent_calls": 3})
    assert place.snakemake().code == 0
    assert len(study.calls("01")) == 1  # the draft was kept


def test_a_rejected_draft_is_not_offered_however_often_it_is_revised(place: Place) -> None:
    study = reviewed(place, {"reviews": [{"verdict": "reject"}]}, attempts=1)
    said = place.snakemake()
    assert said.code == 1
    assert "self-review: settle each issue" in said.text and "the paper reviewer rejects the paper" in said.text
    assert not study.summary("01").exists()
    assert [call["attempt"] for call in study.calls("01")] == [1, 2, 3]  # two rounds, and the one attempt


def test_a_critical_issue_that_the_next_round_does_not_raise_again_needs_an_answer_all_the_same(place: Place) -> None:
    critical = {"severity": "CRITICAL", "where": "Results", "problem": "no run says so"}
    study = reviewed(
        place, {"reviews": [{"verdict": "revise", "issues": [critical]}, {"verdict": "accept"}]}, attempts=1
    )
    said = place.snakemake()
    assert said.code == 1 and "a1-paper-1 CRITICAL in Results: no run says so" in said.text
    answers = [
        {"issue": f"a1-{name}-1", "answer": "declined", "what": "Table 2 does"} for name in ("paper", "abstract")
    ]
    path = study.root / "workspace" / "reviews" / "review_answers.json"
    path.write_text(json.dumps({"answers": answers}))
    assert place.snakemake().code == 0
    assert study.summary("01").is_file()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("silent", "silent, scripted: no word"),
        ("garbage", "its answer has not the form of a review"),
        ({"edits": ["stages/x.md", "brief.md"], "verdict": "accept"}, "it changed what it may only read: brief.md"),
    ],
    ids=["silent", "garbage", "edits"],
)
def test_a_reviewer_that_does_not_judge_lets_nothing_pass(place: Place, answer: Any, why: str) -> None:
    study = reviewed(place, {"reviews": [answer]})
    brief = study.files.brief.read_text()
    (study.root / "stages").mkdir(exist_ok=True)
    said = place.snakemake()
    assert said.code == 1
    assert f"the paper reviewer gave no verdict: {why}" in said.text
    assert not study.summary("01").exists()
    assert study.files.brief.read_text() == brief
