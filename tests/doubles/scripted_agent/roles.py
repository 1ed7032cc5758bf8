"""The roles of a campaign as a script has them: answers, and edits of files, idea by idea."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Mode
from scripted_agent.script import read_script

ROLE = re.compile(r"idea (\d+): (\w+)$")


def play_role(call: AgentCall) -> AgentResult:
    """One call of a role or of a reviewer: what the script's `campaign` says, or the plainest answer that fits.

    campaign:
      1: {title: Twice, switch: [--twice], edits: {train.py: [[OLD, NEW]]}}   # idea 1, all roles
      2: {choice: 0}                                                        # the reviewer takes none
      3: {revisor: {outcome: crash}}                                        # how one role's call ends
      issues: [what each reviewer of the paper finds]
      reviews: [{verdict: reject, issues: [{severity: CRITICAL, where: x, problem: y}]}, …]   # instead: one a round
      # a round may also be `silent`, `garbage`, or {edits: [PATH, …], verdict: accept}, which adds a line to files
    """
    found = ROLE.search(call.task.title)
    asked = call.options.get("script", {})
    script: Any = asked if isinstance(asked, Mapping) else read_script(Path(str(asked)), call.task.run_root)
    table: Mapping[Any, Any] = script.get("campaign") or {}
    if found is None and table.get("reviews"):
        return review_paper(call, table["reviews"])
    if found is None:
        issues = [{"severity": "MAJOR", "where": "the paper", "problem": each} for each in table.get("issues", [])]
        return result_of(call, {"verdict": "accept", "issues": issues})
    idea, role = table.get(int(found[1]), {}), found[2]
    ends = idea.get(role, {})
    if ends.get("outcome"):
        return AgentResult.never_started(call, CallOutcome(ends["outcome"]), f"scripted: {role} ends so")
    if call.mode is Mode.EDIT:
        edit(call, idea)
        return result_of(call, None)
    return result_of(call, ANSWERS[role](int(found[1]), idea))


def review_paper(call: AgentCall, rounds: list[Any]) -> AgentResult:
    """What a reviewer of the paper does in this round; the last one of the script repeats."""
    before = call.record_dir.parents[3].glob(f"*/reviews/{call.record_dir.parent.name}.json")
    asked = rounds[min(len(list(before)), len(rounds) - 1)]
    if asked == "silent":
        return AgentResult.never_started(call, CallOutcome.SILENT, "scripted: no word")
    if asked == "garbage":
        return result_of(call, {"opinion": "it is nice"})
    for path in asked.get("edits", ()):
        with open(call.task.run_root / path, "a") as stream:
            stream.write("a reviewer was here\n")
    return result_of(call, {"issues": [], **{name: value for name, value in asked.items() if name != "edits"}})


def result_of(call: AgentCall, answer: object) -> AgentResult:
    text = json.dumps(answer) if answer is not None else "the edit is made"
    return AgentResult(
        CallOutcome.OK, "done", text, call.conversation.session_id, cost_usd=0.0, turns=1, structured=answer
    )


def edit(call: AgentCall, idea: Mapping[str, Any]) -> None:
    """Makes the edits of an idea; a repaired one if the prompt tells of a failed check."""
    is_repair = "What the last check found" in call.prompt
    edits = idea.get("repairs" if is_repair else "edits", {})
    for name, pairs in edits.items():
        path = call.task.run_root / name
        text = path.read_text()
        for old, new in pairs:
            text = text.replace(old, new)
        path.write_text(text)


def three_ideas(number: int, idea: Mapping[str, Any]) -> object:
    def one(place: int) -> dict[str, str]:
        title = idea.get("title", f"Idea {number}") if place == 1 else f"Another idea {number}.{place}"
        words = dict.fromkeys(("mechanism", "prediction", "failure_mode", "cheapest_test"), "As a script says.")
        return {"name": f"idea_{number}_{place}", "title": title, **words}

    return {"ideas": [one(place) for place in (1, 2, 3)]}


def review(number: int, idea: Mapping[str, Any]) -> object:
    row = {"lines": 3, "is_novel": True, "is_testable": True, "why": "As a script says.", **idea.get("review", {})}
    return {"reviews": [row] * 3, "choice": idea.get("choice", 1), "why": "The script takes it."}


def plan(number: int, idea: Mapping[str, Any]) -> object:
    words = dict.fromkeys(("hypothesis", "control", "treatment"), "As a script says.")
    return {**words, "switch": idea.get("switch", [f"--idea{number}"]), "steps": ["Edit it."], "expected_lines": 3}


def lesson(number: int, idea: Mapping[str, Any]) -> object:
    return {"lesson": f"Lesson of idea {number}.", "next": "Nothing."}


ANSWERS = {"innovator": three_ideas, "reviewer": review, "revisor": plan, "analyst": lesson}
