"""The analyst of a campaign: what each idea came to, in words, and the lesson that it teaches."""

from __future__ import annotations

import json
from dataclasses import replace

from flagstone.prompts import RoleParts
from flagstone.trials.campaign.asking import Campaign, ask_reader
from flagstone.trials.campaign.parts import parts_of
from flagstone.trials.campaign.roles import ANALYST, REVISOR
from flagstone.trials.outcomes import IdeaOutcome, Outcome
from flagstone.trials.reporting import figure
from flagstone.trials.story import Story

SHOWN_DIFF = 20_000


def outcome_in(story: Story, arm: str) -> IdeaOutcome | None:
    """What the verdict says of an idea. Returns None if there is no verdict yet."""
    return next((idea for idea in story.verdict.ideas if idea.arm == arm), None) if story.verdict else None


def is_confirmed(outcome: IdeaOutcome | None) -> bool:
    """Whether an idea was confirmed or not by fresh runs, so that its lesson is not that of its screen."""
    return bool(outcome and (outcome.confirmation or outcome.looks))


def status_text(story: Story, arm: str) -> str:
    """What is known of an idea, in one line that begins with its outcome word if it has one."""
    final = outcome_in(story, arm)
    if final:
        return f"{final.outcome.value}{f': {final.reason}' if final.reason else ''}"
    idea = story.ideas.get(arm)
    if idea is None:
        return "not tried yet"
    if idea.failure:
        return f"{(Outcome.NOT_TRIED if idea.is_untried else Outcome.FAILED_CHECK).value}: {idea.failure}"
    found = "written, and not measured yet"
    for look in (each for each in story.looks if each.arm == arm):
        failed = [f"{each.check}: {each.reason}" for each in look.checks if not each.is_passed]
        if failed:
            found = f"{Outcome.FAILED_CHECK.value}: {'; '.join(failed)}"
        elif look.checks:
            found = "passed its checks"
        elif look.screen and look.screen.is_dropped:
            found = f"{Outcome.DROPPED.value}: {look.screen.reason or 'no gain on the screening seeds'}"
        elif look.screen:
            found = f"passed the screen (exploratory): mean improvement {figure(look.screen.mean)}"
        elif look.compare:
            word = look.compare.outcome.value if look.compare.outcome else "two more seeds"
            found = f"{word}: d {figure(look.compare.d)}"
    return found


def ask_for_lessons(campaign: Campaign) -> None:
    """Asks the analyst about every idea that came to something and has no lesson of that yet."""
    for number in campaign.numbers:
        outcome = outcome_in(campaign.story, campaign.arm(number))
        is_known, has_plan = campaign.answer(number, ANALYST), campaign.answer(number, REVISOR)
        if has_plan and (is_confirmed(outcome) or not is_known):
            ask_reader(campaign, ANALYST, parts_of_lesson(campaign, number))


def parts_of_lesson(campaign: Campaign, number: int) -> RoleParts:
    """What the analyst is told of one idea."""
    arm = campaign.arm(number)
    idea = campaign.story.ideas[arm]
    plan = campaign.answer(number, REVISOR)
    return replace(
        parts_of(campaign, number),
        plan=json.dumps(plan, indent=1, ensure_ascii=False),
        diff=campaign.subject.diff(campaign.base.tree, idea.tree)[:SHOWN_DIFF] if idea.tree else "",
        outcome=status_text(campaign.story, arm),
    )
