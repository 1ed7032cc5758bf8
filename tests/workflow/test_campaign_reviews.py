"""A stage with reviewers: they judge a draft that passed its checks, once, and the next attempt settles the issues."""

from __future__ import annotations

from typing import Any

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
