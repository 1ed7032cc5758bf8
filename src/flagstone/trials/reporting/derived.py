"""Every file that is derived from the ledger of a trial, as bytes: the same ledger gives the same files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flagstone.plans import TrialFolder, TrialSpec
from flagstone.records import content_of, plain_value, read_record, write_atomic
from flagstone.statistics import deviation, mean
from flagstone.text import list_text
from flagstone.trials.deciding import COHENS_D_WARNING, PROCEED_FROM, REVERT_BELOW
from flagstone.trials.outcomes import Confirmation, IdeaOutcome, Outcome
from flagstone.trials.reporting.pages import markdown, page
from flagstone.trials.reporting.pictures import Frame, forest_picture, pairs_picture
from flagstone.trials.reporting.report import Report, compared_pairs, figure, ideas_table, pairs_table, sections_of
from flagstone.trials.story import Story, lines_in, read_story, story_of

NOT_DERIVED = "is not what the ledger says"


def write_derived(folder: TrialFolder, spec: TrialSpec) -> None:
    """Brings every derived file up to date with the ledger."""
    for path, content in derived_files(spec, read_story(folder.ledger)).items():
        target = folder.root / path
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, content, durable=False)


def derived_files(spec: TrialSpec, story: Story) -> dict[str, bytes]:
    """The content of each file by its path in the folder of the trial."""
    report, title = report_of(spec, story), f"Trial {spec.name}"
    sections = sections_of(report)
    found = {"report.md": markdown(title, sections).encode(), "report.html": page(title, sections).encode()}
    if story.baseline_runs(len(spec.screening)):
        found["baseline_variance.md"] = baseline_text(spec, story).encode()
    for arm, idea in story.ideas.items():
        found[f"ideas/{arm}/idea.json"] = json_bytes(plain_value(idea))
    for look in story.looks:
        if look.arm and look.checks:
            found[f"ideas/{look.arm}/checks.json"] = json_bytes([plain_value(check) for check in look.checks])
        if look.arm and look.screen:
            found[f"ideas/{look.arm}/screen.json"] = json_bytes(plain_value(look.screen))
    if story.verdict is not None:
        found["verdict.json"] = json_bytes(verdict_record(spec, story))
        found |= pictures(report, title)
    return found


def report_text(spec: TrialSpec, story: Story) -> str:
    """report.md."""
    return markdown(f"Trial {spec.name}", sections_of(report_of(spec, story)))


def report_of(spec: TrialSpec, story: Story) -> Report:
    return Report(spec, story, minimum_effect_of(spec, story), tuple(notes_of(spec, story)))


def pictures(report: Report, title: str) -> dict[str, bytes]:
    """The forest over all ideas, the pairs of each confirmed one, and the numbers beside them."""
    frame = Frame(f"{title}: {report.spec.question}", report.spec.experiment.metric, report.minimum_effect or 0.0)
    found = {"forest.svg": forest_picture(frame, report.ideas), "forest.csv": ideas_table(report.ideas).csv}
    for idea in report.ideas:
        shown = idea.confirmation
        if shown is None and idea.compare is not None:
            pairs = compared_pairs(report, idea.arm, idea.compare.n)
            shown = Confirmation(n=idea.compare.n, mean=idea.compare.mean, d=idea.compare.d, pairs=pairs)
        if shown is not None:
            found[f"ideas/{idea.arm}/pairs.svg"] = pairs_picture(frame, shown)
            found[f"ideas/{idea.arm}/pairs.csv"] = pairs_table(shown.pairs).csv
    return found


def minimum_effect_of(spec: TrialSpec, story: Story) -> float | None:
    """In units of the metric. Returns None if it is given in sd and the baseline is not known yet."""
    if not isinstance(spec.minimum_effect, str):
        return spec.minimum_effect
    facts = (look.facts.get("minimum_effect") for look in story.looks if look.what == "baseline")
    return next((float(value) for value in facts if isinstance(value, float | int)), None)


def notes_of(spec: TrialSpec, story: Story) -> Iterator[str]:
    if spec.gate == "cohens_d":
        yield COHENS_D_WARNING
    if spec.underpowered == "accept":
        yield "The plan accepts a trial that may miss an improvement of the minimum effect (underpowered: accept)."
    if story.verdict is not None and spec.gate == "confirm":
        yield from three_seed_note(story.verdict.ideas)


def three_seed_note(ideas: tuple[IdeaOutcome, ...]) -> Iterator[str]:
    """What the rule of three seeds would have published from the same screening runs, as far as they tell."""
    screened = [(idea, idea.screen.d) for idea in ideas if idea.screen is not None and idea.screen.d is not None]
    number = next((number for number, (_, d) in enumerate(screened) if d >= PROCEED_FROM), len(screened))
    open_ideas = [f"{idea.arm} (d = {figure(d)})" for idea, d in screened[:number] if d >= REVERT_BELOW]
    unless = f", unless two more seeds had decided for {list_text(open_ideas)}" if open_ideas else ""
    if number < len(screened):
        idea, d = screened[number]
        name = idea.arm if idea.title in ("", idea.arm) else f"{idea.arm} ({idea.title})"
        found = f"{name}: d = {figure(d)} on three seeds"
        yield f"The rule of three seeds would have published {found}{unless}. Here: {idea.outcome}."
    elif screened:
        yield f"The rule of three seeds would have published nothing{unless}."


def baseline_text(spec: TrialSpec, story: Story) -> str:
    """How much the baseline varies. Spread needs two runs that came to a number."""
    runs = story.baseline_runs(len(spec.screening))
    values = [run.value for run in runs if run.value is not None]
    rows = [(spec.experiment.metric.name, values, 4), ("wall_time (s)", [run.wall_s for run in runs], 2)]
    lines = [
        f"# Baseline Variance Report: {spec.name}",
        "| Metric | Mean | Std | Min | Max |",
        "|--------|------|-----|-----|-----|",
        *(f"| {name} | {' | '.join(spread_cells(found, digits))} |" for name, found, digits in rows),
        "",
        f"Seeds used: {', '.join(str(spec.seed_of(run.slot)) for run in runs)}",
    ]
    failed = [f"{run.slot} ({run.status}: {run.reason})" for run in runs if run.value is None]
    return "\n".join([*lines, *([f"\nFailed: {'; '.join(failed)}"] if failed else [])]) + "\n"


def spread_cells(values: list[float], digits: int) -> list[str]:
    if not values:
        return ["–"] * 4
    spread = deviation(values) if len(values) > 1 else None
    numbers = (mean(values), spread, min(values), max(values))
    return ["–" if number is None else f"{number:.{digits}f}" for number in numbers]


def verdict_record(spec: TrialSpec, story: Story) -> dict[str, Any]:
    """verdict.json: how the trial ended, for whoever reads it after us."""
    verdict, prereg = story.verdict, story.prereg
    assert verdict is not None
    metric = spec.experiment.metric
    confirmed = [idea for idea in verdict.ideas if idea.confirmation is not None]
    best = next((idea for idea in confirmed if idea.outcome == Outcome.SUPPORTED), confirmed[0] if confirmed else None)
    return {
        "gate": spec.gate,
        "outcome": str(verdict.outcome),
        "reason": verdict.reason,
        "exploratory": bool(verdict.exploratory),
        "metric": {"name": metric.name, "direction": metric.direction, "unit": ""},
        "minimum_effect": minimum_effect_of(spec, story),
        "arm": best.arm if best else None,
        "confirm": confirm_record(best) if best else None,
        "ideas": [{"arm": idea.arm, "title": idea.title, "outcome": str(idea.outcome)} for idea in verdict.ideas],
        "screen": [plain_value(idea.screen) for idea in verdict.ideas if idea.screen is not None],
        "checks": [{"arm": idea.arm, **plain_value(check)} for idea in verdict.ideas for check in idea.checks],
        "prereg": {"digest": prereg.digest, "number": prereg.number, "alpha": prereg.alpha} if prereg else None,
    }


def confirm_record(idea: IdeaOutcome) -> dict[str, Any]:
    found: Mapping[str, Any] = plain_value(idea.confirmation)
    pairs = [
        {("e" if name == "improvement" else name): value for name, value in pair.items()} for pair in found["pairs"]
    ]
    return {**found, "pairs": pairs}


def json_bytes(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def derived_problems(folder: TrialFolder, spec: TrialSpec) -> list[str]:
    """Names each derived file that is not what the ledger says. Between two looks, the last look wrote them all."""
    lines, looks = lines_in(folder.ledger), folder.look(0).parent.glob("*.json")
    seen = max(((read_record(path) or {}).get("ledger", [0])[0] for path in looks), default=0)
    count = (content_of(folder.ledger) or b"")[:seen].count(b"\n")
    now = derived_files(spec, story_of(lines))
    before = derived_files(spec, story_of(lines[:count])) if count < len(lines) else now
    found = {path: content_of(folder.root / path) for path in now}
    return [f"{path} {NOT_DERIVED}" for path in now if found[path] not in (now[path], before.get(path))]
