"""One attempt of a campaign: three ideas, one is taken, planned, and written behind a switch."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flagstone.agents.accounts import BudgetUsedUp
from flagstone.records import utc
from flagstone.text import one_line
from flagstone.trials.campaign.asking import Campaign, ask_reader
from flagstone.trials.campaign.idea_log import journal_text, write_idea_log
from flagstone.trials.campaign.implementing import implement
from flagstone.trials.campaign.lessons import ask_for_lessons
from flagstone.trials.campaign.parts import parts_of
from flagstone.trials.campaign.roles import INNOVATOR, REVIEWER, REVISOR
from flagstone.trials.lines import IdeaLine
from flagstone.trials.outcomes import CheckResult


def make_attempt(campaign: Campaign, number: int, failed: Sequence[CheckResult] = ()) -> IdeaLine:
    """The line of idea `number`: its tree and its switch, or why there is no code.

    `failed` are the checks of the same idea that its implementer is to repair. What was answered is not asked again.
    """
    try:
        if not failed:
            ask_for_lessons(campaign)
        line = idea_line(campaign, number, failed)
    except BudgetUsedUp as error:
        campaign.say(f"idea {number}: {error.problem}")
        line = replace(line_without_code(number, "", error.problem), is_untried=not failed)
    finally:
        write_idea_log(campaign)
    return replace(line, arm=f"idea{number}r") if failed else line


def idea_line(campaign: Campaign, number: int, failed: Sequence[CheckResult]) -> IdeaLine:
    parts = replace(parts_of(campaign, number), log=journal_text(campaign, before=number))
    ideas = ask_reader(campaign, INNOVATOR, parts)["ideas"]
    parts = replace(parts, ideas=text_of(ideas))
    review = ask_reader(campaign, REVIEWER, parts)
    if not review["choice"]:
        why = one_line(str(review["why"]))
        return line_without_code(number, "", f"the reviewer took none of the three ideas: {why}")
    idea, judged = (rows[review["choice"] - 1] for rows in (ideas, review["reviews"]))
    if fault := fault_in(judged, campaign.spec.largest_change):
        return line_without_code(number, idea["title"], f"the reviewer took an idea that {fault}")
    told = {"idea": idea, "review": judged, "why": review["why"]}
    plan = ask_reader(campaign, REVISOR, replace(parts, choice=text_of(told)))
    made = implement(campaign, number, replace(parts, log="", plan=text_of(plan)), failed)
    if made.failure:
        return line_without_code(number, idea["title"], made.failure)
    return IdeaLine(
        # the name says that there was a repair: an idea has one, whichever check it failed
        arm=f"idea{number}r" if made.is_repaired else f"idea{number}",
        title=one_line(idea["title"]),
        tree=made.snapshot.tree,
        commit=made.snapshot.commit,
        at=utc(time.time()),
        switch=tuple(plan["switch"]),
        lines=made.lines,
    )


def fault_in(judged: Mapping[str, Any], most: int) -> str:
    """Why an idea could not be taken, by what its own reviewer says of it; '' if it could."""
    if judged["lines"] > most:
        return f"needs {judged['lines']} lines, and may change {most} at most"
    return "is not new" if not judged["is_novel"] else "" if judged["is_testable"] else "cannot be tested"


def line_without_code(number: int, title: str, why: str) -> IdeaLine:
    """The line of an idea that cannot be run."""
    return IdeaLine(f"idea{number}", one_line(title), "", "", utc(time.time()), failure=one_line(why, 400))


def text_of(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
