"""The idea log of a campaign: every idea with its reason, plan, status, verdict and lesson. Failed ideas stay."""

from __future__ import annotations

from collections.abc import Iterator

from flagstone.layout import Run
from flagstone.records import write_atomic
from flagstone.text import one_line
from flagstone.trials.campaign.asking import CampaignRecord
from flagstone.trials.campaign.lessons import status_text
from flagstone.trials.campaign.roles import ANALYST, INNOVATOR, REVIEWER, REVISOR

CELL = 600
NAME = "idea_log.md"


def write_idea_log(campaign: CampaignRecord) -> None:
    """Writes the log anew from the ledger and the answers of the roles."""
    text = f"# Idea log: {one_line(campaign.spec.question)}\n\n{journal_text(campaign)}"
    run = Run(campaign.folder.base)
    folder = run.workspace / "notes" if run.settings.is_file() else campaign.folder.root
    write_atomic(folder / NAME, text.encode("utf-8", "replace"))


def journal_text(campaign: CampaignRecord, before: int = 99) -> str:
    """The entries of all ideas up to this number."""
    numbers = range(1, min(before, campaign.spec.ideas + 1))
    entries = ("\n".join(entry_lines(campaign, number)) for number in numbers)
    return "\n".join(entry for entry in entries if entry)


def entry_lines(campaign: CampaignRecord, number: int) -> Iterator[str]:
    """One idea as far as it is known, with those of its attempt that were not taken."""
    ideas = (campaign.answer(number, INNOVATOR) or {}).get("ideas", [])
    review = campaign.answer(number, REVIEWER) or {}
    plan = campaign.answer(number, REVISOR) or {}
    lesson = campaign.answer(number, ANALYST) or {}
    arm = campaign.arm(number)
    line = campaign.story.ideas.get(arm)
    if not ideas and line is None:
        return
    choice = int(review.get("choice", 0))
    taken = ideas[choice - 1] if 0 < choice <= len(ideas) else {}
    yield f"## Idea {number}: {one_line(str(taken.get('title') or 'none taken'))}\n"
    rows = {
        "Idea": taken.get("mechanism"),
        "Why": review.get("why"),
        "Prediction": taken.get("prediction"),
        "Plan": "; ".join(map(str, plan.get("steps", []))),
        "Control": plan.get("control"),
        "Treatment": plan.get("treatment"),
        "Switch": " ".join(map(str, plan.get("switch", []))),
        "Changed lines": str(line.lines) if line and line.tree else "",
        "Verdict": status_text(campaign.story, arm),
        "Lesson": lesson.get("lesson"),
        "Next": lesson.get("next"),
    }
    yield from (f"- **{name}:** {one_line(str(value), CELL)}" for name, value in rows.items() if value)
    others = [idea for place, idea in enumerate(ideas, 1) if place != choice]
    yield from (f"- **Not taken:** {one_line(str(idea.get('title')))}" for idea in others)
    yield ""
