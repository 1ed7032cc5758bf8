"""The roles of a campaign, played by script: three known tricks as ideas, each written as a small edit of train.py."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from flagstone.agents.demo.messages import utter
from flagstone.agents.demo.study import material
from flagstone.agents.protocol import AgentCall
from flagstone.errors import WorkFailed

TITLE = re.compile(r"(?:idea|stage) (\d+): ([a-z_]+)\Z")  # of a call that is no stage
PAPER_REVIEWERS = ("paper_reviewer", "abstract_reviewer")
PROJECT = "train.py"
PAPER = re.compile(r"^~+ material: text of the PDF\n(.*?)^~+$", re.MULTILINE | re.DOTALL)


def role_in(call: AgentCall) -> tuple[int, str] | None:
    """The number of the idea and the role that a call is for. Returns None if it is for a stage."""
    found = TITLE.match(call.task.title)
    return (int(found[1]), found[2]) if found else None


def scripted_ideas() -> Sequence[Mapping[str, Any]]:
    return tuple(yaml.safe_load(material("campaign/ideas.yaml"))["ideas"])


def review_of(prompt: str) -> Mapping[str, Any]:
    """What a script can see of a paper: what LaTeX left undefined, an abstract, words stronger than any verdict."""
    paper = "".join(PAPER.findall(prompt))
    confirmed = "SUPPORTED" in prompt.replace(paper, "")
    found = {
        "The PDF shows question marks in the place of a reference: define it.": "??" in paper,
        "The text of the PDF has no abstract: write one.": bool(paper) and "abstract" not in paper.lower(),
        "The paper says “significantly”, and no verdict is SUPPORTED: give the interval instead.": not confirmed
        and "significantly" in paper.lower(),
    }
    issues = [{"severity": "MAJOR", "where": "the PDF", "problem": text} for text, is_so in found.items() if is_so]
    return {"verdict": "revise" if issues else "accept", "issues": issues, "still_open": []}


def answer_of(number: int, role: str, prompt: str = "") -> Mapping[str, Any]:
    """What a role answers about an idea, or a reviewer about the paper that its prompt shows."""
    if role in PAPER_REVIEWERS:
        return review_of(prompt)
    ideas = scripted_ideas()
    idea = ideas[(number - 1) % len(ideas)]
    if role == "innovator":
        told = ("name", "title", "mechanism", "prediction", "failure_mode", "cheapest_test")
        return {"ideas": [{name: each[name] for name in told} for each in ideas]}
    if role == "reviewer":
        review = {"lines": 12, "is_novel": True, "is_testable": True, "why": "It is small, and three seeds can tell."}
        choice = ideas.index(idea) + 1
        return {"reviews": [review for _ in ideas], "choice": choice, "why": f"The script takes idea {choice} now."}
    if role == "revisor":
        return {
            "hypothesis": idea["prediction"],
            "control": "train.py as it is at the baseline",
            "treatment": idea["mechanism"],
            "switch": idea["switch"],
            "steps": ["add the option", "use it where the gradient is taken"],
            "expected_lines": sum(len(edit["by"].splitlines()) for edit in idea["edits"]),
        }
    return {
        "lesson": f"{idea['title']}: the script repeats its failure mode, {idea['failure_mode'][0].lower()}"
        f"{idea['failure_mode'][1:]}",
        "next": "The script goes on with its next idea.",
    }


def write_idea(call: AgentCall, number: int) -> str:
    """Makes the edit of an idea in train.py; an edit that is there already is left."""
    path = call.task.run_root / PROJECT
    ideas = scripted_ideas()
    idea = ideas[(number - 1) % len(ideas)]
    text = path.read_text(encoding="utf-8")
    for edit in idea["edits"]:
        if edit["by"] in text:
            continue
        if text.count(edit["replace"]) != 1:
            raise WorkFailed(
                f"{PROJECT} is not the program that the script knows", hint="let the demo agent work on its own project"
            )
        text = text.replace(edit["replace"], edit["by"])
    path.write_text(text, encoding="utf-8")  # in place: the folder may not be written
    utter("tool", f"wrote {idea['name']} into {PROJECT}")
    return f"{idea['title']}: behind {' '.join(idea['switch'])}"
