"""The report of a trial: what was asked, how it ended, and every number of every idea that was tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flagstone.plans import TrialSpec
from flagstone.statistics import deviation, mean
from flagstone.text import count_text
from flagstone.trials.deciding import pairs_of, scaled_runs
from flagstone.trials.lines import RunLine
from flagstone.trials.outcomes import CheckResult, Confirmation, IdeaOutcome, LookResult, Pair, RunOutcome
from flagstone.trials.reporting.pages import Picture, Section, Table
from flagstone.trials.story import Story

EXPLORATORY = "These numbers are exploratory."


@dataclass(frozen=True)
class Report:
    """What a report is made from. `notes` are sentences that a reader must not miss, such as a warning of the gate."""

    spec: TrialSpec
    story: Story
    minimum_effect: float | None
    notes: tuple[str, ...] = ()

    @property
    def ideas(self) -> tuple[IdeaOutcome, ...]:
        return self.story.verdict.ideas if self.story.verdict else ()


def sections_of(report: Report) -> list[Section]:
    """All sections, in the order in which a reader asks."""
    found = [Section("Result", tuple(result_parts(report)))]
    if report.ideas:
        pictures = [Picture("forest.svg", "The improvement of every idea, with its interval and its outcome")]
        found.append(Section("All ideas", (ideas_table(report.ideas), *pictures)))
    found += [Section(heading_of(idea), tuple(idea_parts(report, idea))) for idea in report.ideas]
    found += [
        Section("Baseline", tuple(baseline_parts(report))),
        Section("Pre-registration", tuple(prereg_parts(report))),
        Section("Every run", (runs_table(report.story), *denial_parts(report.story))),
    ]
    return found


def heading_of(idea: IdeaOutcome) -> str:
    return f"{idea.arm}: {idea.title}" if idea.title not in ("", idea.arm) else f"Arm {idea.arm}"


def result_parts(report: Report) -> Iterator[str]:
    verdict = report.story.verdict
    metric = report.spec.experiment.metric
    yield report.spec.question
    if verdict is None:
        yield "The trial has not ended yet. This is what is known so far."
    else:
        arms = ", ".join(idea.arm for idea in verdict.ideas if idea.outcome == verdict.outcome)
        yield f"{verdict.outcome}: {arms}." if arms and not verdict.reason else f"{verdict.outcome}. {verdict.reason}"
        if verdict.exploratory:
            yield f"Exploratory: {verdict.exploratory}."
    better = "Less" if metric.direction == "min" else "More"
    yield f"The metric is {metric.name}. {better} is better. A positive improvement is always the better one."
    if report.story.prereg and report.story.prereg.earlier:
        number = count_text(len(report.story.prereg.earlier), "earlier trial")
        yield f"The same was asked before, in {number}: see the pre-registration."
    if report.minimum_effect is not None and report.spec.gate == "confirm":
        yield f"An improvement below {figure(report.minimum_effect)} counts as none that matters."
    yield from report.notes


def ideas_table(ideas: Sequence[IdeaOutcome]) -> Table:
    columns = ("idea", "title", "outcome", "n", "improvement", "95 % interval", "p", "d", "g", "d_z")
    return Table(columns, tuple(idea_row(idea) for idea in ideas))


def idea_row(idea: IdeaOutcome) -> tuple[str, ...]:
    found, few = idea.confirmation, idea.few_seeds
    head = (idea.arm, idea.title, str(idea.outcome))
    if found is not None:
        numbers = (found.mean, interval(found.ci_low, found.ci_high), found.p, found.d, found.g, found.d_z)
        return (*head, str(found.n), *(cell if isinstance(cell, str) else figure(cell) for cell in numbers))
    if few is not None:
        word = "screening" if idea.screen else "no test"
        return (*head, str(few.n), f"{figure(few.mean)} ({word})", "–", "–", figure(few.d), "–", "–")
    return (*head, "0", "–", "–", "–", "–", "–", "–")


def idea_parts(report: Report, idea: IdeaOutcome) -> Iterator[str | Table | Picture]:
    yield f"{idea.outcome}. {idea.reason}".rstrip()
    code = report.story.ideas.get(idea.arm)
    if code is not None and code.lines:
        switch = " ".join((*code.switch, *(f"{name}={value}" for name, value in code.env.items())))
        yield f"The idea changes {count_text(code.lines, 'line')}. Its switch is {switch or 'none'}."
    if idea.checks:
        yield checks_table(idea.checks)
    if idea.screen is not None:
        words = f"On {count_text(idea.screen.n, 'screening seed')}: mean improvement {figure(idea.screen.mean)}"
        yield f"{words}, d = {figure(idea.screen.d)}. {idea.screen.reason} {EXPLORATORY}"
    if idea.compare is not None:
        words = f"{idea.compare.n} runs against {idea.compare.n}: mean improvement {figure(idea.compare.mean)}"
        yield f"{words}, d = {figure(idea.compare.d)}. The control is the idea's own code with its switch off."
        yield from pairs_parts(idea.arm, compared_pairs(report, idea.arm, idea.compare.n))
    if idea.looks:
        yield looks_table(idea.looks)
    if idea.confirmation is not None:
        yield from confirmation_parts(idea.arm, idea.confirmation)


def checks_table(checks: Sequence[CheckResult]) -> Table:
    rows = tuple((each.check, "passed" if each.is_passed else "failed", each.reason) for each in checks)
    return Table(("check", "result", "why"), rows)


def looks_table(looks: Sequence[LookResult]) -> Table:
    rows = tuple(
        (str(each.number), str(len(each.pairs)), figure(each.mean), figure(each.p), figure(each.alpha),
         "accepted" if each.is_accepted else each.reason or "not accepted")
        for each in looks
    )  # fmt: skip
    return Table(("look", "pairs", "mean improvement", "p", "α of this look", "result"), rows)


def compared_pairs(report: Report, arm: str, count: int) -> tuple[Pair, ...]:
    """What the gate `cohens_d` compared, seed by seed. Its rule for failed runs gives a pair no improvement."""
    spec, runs, arms = report.spec, report.story.runs, (f"{arm}-off", arm)
    slots = [f"a{number}" for number in range(1, count + 1)]
    slots = [slot for slot in slots if all((name, slot) in runs for name in arms)]
    control, treated = ([outcome_of(runs[name, slot], spec) for slot in slots] for name in arms)
    pairs = pairs_of(control, scaled_runs(control, treated, spec.scale), spec.experiment.metric.direction)
    return tuple(pair if pair.status == "ok" else replace(pair, improvement=None) for pair in pairs)


def outcome_of(run: RunLine, spec: TrialSpec) -> RunOutcome:
    return RunOutcome(run.arm, run.slot, run.status, run.value, spec.seed_of(run.slot), run.metrics)


def confirmation_parts(arm: str, found: Confirmation) -> Iterator[str | Table | Picture]:
    yield from pairs_parts(arm, found.pairs)
    yield numbers_table(found)
    yield f"Mean wall time: control {found.wall_control_s:.1f} s, treated {found.wall_treated_s:.1f} s."


def numbers_table(found: Confirmation) -> Table:
    rows = (
        ("pairs", str(found.n), ""),
        ("mean improvement", figure(found.mean), f"95 % interval {interval(found.ci_low, found.ci_high)}"),
        ("sd of the improvements", figure(found.sd), ""),
        ("one-sided bound", figure(found.bound), f"at the α that was spent, {figure(found.alpha_spent)}"),
        ("upper bound", figure(found.upper), "one-sided, 95 %"),
        ("p of the paired t-test", figure(found.p), "one-sided"),
        ("p of the sign-flip test", figure(found.sign_flip), "one-sided, exact; for comparison"),
        ("p of Welch's test", figure(found.welch), "one-sided; for comparison"),
        ("d", figure(found.d), "two samples"),
        ("g", figure(found.g), f"95 % interval {interval(found.g_low, found.g_high)}"),
        ("d_z", figure(found.d_z), "of the pairs"),
        ("g_z", figure(found.g_z), f"95 % interval {interval(found.g_z_low, found.g_z_high)}"),
    )
    return Table(("number", "value", ""), rows)


def pairs_parts(arm: str, pairs: Sequence[Pair]) -> Iterator[Table | Picture]:
    yield pairs_table(pairs)
    words = "Every seed as a dot, the runs of a pair joined, and the improvement of each pair"
    yield Picture(f"ideas/{arm}/pairs.svg", words)


def pairs_table(pairs: Sequence[Pair]) -> Table:
    rows = tuple(
        (pair.slot, "sealed" if pair.seed is None else str(pair.seed), figure(pair.control), figure(pair.treated),
         figure(pair.improvement), pair.status)
        for pair in pairs
    )  # fmt: skip
    return Table(("slot", "seed", "control", "treated", "improvement", "status"), rows)


def baseline_parts(report: Report) -> Iterator[str | Table]:
    runs = report.story.baseline_runs(len(report.spec.screening))
    if not runs:
        yield "The baseline has not been run yet."
        return
    rows = tuple(
        (run.slot, str(report.spec.seed_of(run.slot)), run.status, figure(run.value), f"{run.wall_s:.2f}")
        for run in runs
    )
    yield Table(("slot", "seed", "status", report.spec.experiment.metric.name, "wall time (s)"), rows)
    facts = next((look.facts for look in report.story.looks if look.what == "baseline"), {})
    if "is_deterministic" in facts:
        yield f"The same seed gives {'the same number again' if facts['is_deterministic'] else 'another number again'}."
    values = [run.value for run in runs if run.value is not None]
    if len(values) > 1:
        yield f"Over {count_text(len(values), 'seed')}: mean {figure(mean(values))}, sd {figure(deviation(values))}."


def prereg_parts(report: Report) -> Iterator[str | Table]:
    prereg = report.story.prereg
    if prereg is None:
        yield "Nothing has been pre-registered yet."
        return
    spec = report.spec
    looks = [f"look {number} at {look.pairs} pairs" for number, look in enumerate(spec.looks, 1)]
    tried = count_text(len(spec.arms), "arm") if spec.arms else f"{count_text(spec.ideas, 'idea')} at most"
    yield f"Sealed at {prereg.at}, before the first treated run, with the digest {prereg.digest}."
    if spec.gate == "cohens_d":
        yield f"Gate cohens_d; {tried}; no test and no α."
    else:
        yield f"It is number {prereg.number} for this metric and contract, so its α is {figure(prereg.alpha)}."
        yield f"Gate confirm; {'; '.join((tried, *looks))}."
    if prereg.exploratory:
        yield f"Exploratory: {prereg.exploratory}."
    if prereg.earlier:
        yield "These trials asked before, with the outcome that was known when this one was sealed."
        yield Table(
            ("trial", "sealed at", "α", "outcome"),
            tuple((each.trial, each.at, figure(each.alpha), each.outcome) for each in prereg.earlier),
        )


def runs_table(story: Story) -> Table:
    ordered = sorted(story.runs.values(), key=lambda run: run.at)
    rows = tuple((run.arm, run.slot, run.status, figure(run.value), f"{run.wall_s:.2f}", run.reason) for run in ordered)
    return Table(("arm", "slot", "status", "value", "wall time (s)", "reason"), rows)


def denial_parts(story: Story) -> Iterator[str | Table]:
    if story.denials:
        yield "These calls asked for what they may not have, and were denied."
        yield Table(("at", "asked for", "reason"), tuple((each.at, each.asked, each.reason) for each in story.denials))


def figure(value: float | None) -> str:
    """Six digits, which is more than any of these numbers is known to. A dash if it is not defined."""
    return "–" if value is None else f"{value:.6g}"


def interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{figure(low)} to {figure(high)}"
