"""What a whole campaign came to, in one word and on one page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from flagstone.text import one_line
from flagstone.trials.campaign.asking import CampaignRecord, idea_number
from flagstone.trials.campaign.lessons import status_text
from flagstone.trials.campaign.roles import ANALYST, REVISOR
from flagstone.trials.outcomes import IdeaOutcome, Outcome
from flagstone.trials.reporting import figure, interval

LEADING = (Outcome.SUPPORTED, Outcome.PROCEED)
PAPER, RESEARCH = "workspace/notes/docs/papers", "workspace/notes/docs/research"
PATCH = f"{RESEARCH}/idea.patch"


def leading_idea(record: CampaignRecord) -> IdeaOutcome | None:
    """The idea that the campaign is about, if one was accepted."""
    ideas = record.story.verdict.ideas if record.story.verdict else ()
    return next((idea for word in LEADING for idea in ideas if idea.outcome == word), None)


def campaign_outcome(record: CampaignRecord) -> Outcome | None:
    """SUPPORTED, NOTHING FOUND or STOPPED; PROCEED of the gate cohens_d. Returns None while the trial goes on."""
    verdict = record.story.verdict
    if verdict is None:
        return None
    found = leading_idea(record)
    if found:
        return found.outcome
    return Outcome.STOPPED if verdict.outcome == Outcome.STOPPED else Outcome.NOTHING_FOUND


def summary_text(record: CampaignRecord) -> str:
    """The question, the outcome word, and the effect or the lessons."""
    return "\n".join(summary_lines(record)) + "\n"


def summary_lines(record: CampaignRecord) -> Iterator[str]:
    outcome, found, verdict = campaign_outcome(record), leading_idea(record), record.story.verdict
    yield f"# Campaign {record.spec.name}: {outcome.value if outcome else 'under way'}"
    yield ""
    yield f"- Question: {one_line(record.spec.question, 400)}"
    if found:
        plan = record.answer(idea_number(found.arm), REVISOR) or {}
        yield f"- Hypothesis: {one_line(str(plan.get('hypothesis', found.title)), 400)}"
        yield f"- Idea: {found.title}"
        yield f"- Effect: {effect_text(record, found)}"
    if verdict and verdict.exploratory:
        yield f"- Exploratory: {verdict.exploratory}"
    if verdict and verdict.reason:
        yield f"- Reason: {one_line(verdict.reason, 400)}"
    yield from (f"- {name}: {path}" for name, path in documents(record).items())
    if verdict and not found:
        yield from ("", "Lessons:", *map(partial(lesson_line, record), record.numbers))


def lesson_line(record: CampaignRecord, number: int) -> str:
    """What became of an idea, and what it teaches."""
    arm = record.arm(number)
    lesson = (record.answer(number, ANALYST) or {}).get("lesson")
    known = status_text(record.story, arm)
    words = f"{known.partition(':')[0]}: {one_line(str(lesson), 400)}" if lesson else one_line(known, 400)
    return f"- {record.story.ideas[arm].title or f'idea {number}'}, {words}"


def effect_text(record: CampaignRecord, idea: IdeaOutcome) -> str:
    """The confirmed effect with its interval; of the gate cohens_d its effect size, which confirms nothing."""
    found, metric = idea.confirmation, record.spec.experiment.metric.name
    if found is None:
        return f"{idea.reason or 'see the report'} (exploratory: no confirmation)"
    return (
        f"{metric} improved by {figure(found.mean)} (95 % interval {interval(found.ci_low, found.ci_high)}, "
        f"n = {found.n} pairs, p = {figure(found.p)}, g = {figure(found.g)})"
    )


def documents(record: CampaignRecord) -> dict[str, str]:
    """Where the paper and the reports are, as far as they exist, relative to the run."""
    base = record.folder.base
    wanted = {
        "Paper": f"{PAPER}/paper.pdf",
        "Report": base.joinpath(record.folder.report).relative_to(base).as_posix(),
        "Idea log": f"{RESEARCH}/idea_log.md",
        "Patch of the idea (git apply)": PATCH,
    }
    return {name: path for name, path in wanted.items() if (base / path).is_file()}
