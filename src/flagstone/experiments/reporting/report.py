"""What an experiment has tried, what each edit changed and what it bought: a page of Markdown, however long it ran."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import stdev

from flagstone.experiments.candidates import Change, changes_in, changes_text
from flagstone.experiments.deciding import flags_text, is_suspicious
from flagstone.experiments.engine import OpenedExperiment
from flagstone.experiments.ledger import History, LedgerRow, Progress, ledger_problems, rows_of, tail_entries
from flagstone.experiments.proposers import ideas_text
from flagstone.experiments.reporting import impact
from flagstone.experiments.reporting.status import (
    Position,
    confidence_words,
    metric_figure,
    runs_words,
    spent_words,
)
from flagstone.experiments.reporting.summary import EXTREMES, LedgerSummary, summary_of
from flagstone.plans import Spec
from flagstone.text import one_line

MOST_BYTES = 8192
WIDTHS = (200, 140, 100, 70, 45, 30)
GAINS = 12
LINEAGE = 10
KINDS = 6
PARAMETERS = 8
IDEAS, CHANGES = 14, 8
IDEAS_BYTES = 1200
LATE = 300  # runs whose ideas are shown: to remember all of them would take longer than the report


@dataclass(frozen=True)
class ExperimentReport:
    """What a report is made from. `diff` compares two trees; `ideas` are those that did not help.

    `damage` is what is wrong with the ledger, in words.
    """

    summary: LedgerSummary
    progress: Progress
    spec: Spec
    diff: Callable[[str, str], str]
    ideas: str = ""
    damage: Sequence[str] = ()

    @cached_property
    def position(self) -> Position:
        return Position(self.spec.name, self.spec, self.progress, self.summary.last)

    def changes(self, entry: LedgerRow) -> list[Change]:
        """What an edit changed over its parent; of a rework, what the whole idea changed."""
        parent = self.summary.kept.get(entry.base_run)
        return changes_in(self.diff(parent.tree, entry.tree)) if parent else []

    def gain(self, entry: LedgerRow) -> float:
        """How much better than the best before it: over pairs if there are some, else on the seed they share."""
        if entry.judgement.get("pairs"):
            return float(entry.judgement.get("gain") or 0.0)
        before = self.summary.kept.get(entry.previous_best)
        if entry.value is None or before is None or before.value is None:
            return 0.0
        return before.value - entry.value if self.spec.metric.direction == "min" else entry.value - before.value


def report_of(opened: OpenedExperiment) -> str:
    """The report of an experiment as it is now."""
    summary = summary_of(rows_of(opened.home.ledger), opened.spec.metric.direction)
    ideas = ideas_text(tail_entries(opened.home.ledger, LATE), IDEAS_BYTES)
    progress = History.read(opened.home).progress
    diff, damage = functools.cache(opened.subject.diff), ledger_problems(opened.home.ledger)
    return page(ExperimentReport(summary, progress, opened.spec, diff, ideas, damage))


def page(report: ExperimentReport) -> str:
    """At most 8 KB of Markdown; rows are made narrower, never left out, until it fits."""
    rows = list(all_rows(report))
    for width in WIDTHS:
        text = "\n".join(cut_row(row, width) for row in rows) + "\n"
        if len(text.encode("utf-8")) <= MOST_BYTES:
            return text
    return text.encode("utf-8")[: MOST_BYTES - 4].decode("utf-8", "ignore") + "…\n"


def cut_row(row: str, width: int) -> str:
    """A row cut to a width; the spaces in front of it belong to the list it is in."""
    indent = row[: len(row) - len(row.lstrip(" "))]
    return indent + one_line(row, width)


def all_rows(report: ExperimentReport) -> Iterator[str]:
    yield f"# Experiment {report.spec.name}"
    yield ""
    yield f"Goal: {report.spec.goal}"
    sections = (
        ("The ledger was changed or damaged", [f"- {words}" for words in report.damage]),
        ("Best", best_rows(report)),
        ("What each kept edit changed and what it bought", gain_rows(report)),
        ("Parameters", parameter_rows(report)),
        (f"Best {EXTREMES}", extreme_rows(report, report.summary.best)),
        (f"Worst {EXTREMES}", extreme_rows(report, report.summary.worst)),
        ("What failed", failure_rows(report)),
        ("Changed in the project meanwhile", change_rows(report.summary.project_changes)),
        ("Lineage of the best", lineage_rows(report)),
        ("Ideas that did not help", idea_rows(report.ideas)),
        ("Spent", spent_rows(report)),
    )
    for title, rows in sections:
        if rows:
            yield ""
            yield f"## {title}"
            yield ""
            yield from rows


def change_rows(changes: list[str]) -> list[str]:
    """What runs could read and somebody changed: values from before and after it may not compare."""
    more = [f"- and {len(changes) - CHANGES} more"] if len(changes) > CHANGES else []
    return [*(f"- {words}" for words in changes[:CHANGES]), *more]


def idea_rows(ideas: str) -> list[str]:
    """The memory of failed ideas as a list; its own titles are no items of it."""
    rows = [row.strip() for row in ideas.splitlines() if row.strip()][:IDEAS]
    return [row if row.endswith(":") else f"- {row}" for row in rows]


def best_rows(report: ExperimentReport) -> list[str]:
    """The best, its gain over the baseline, and what speaks for it being more than noise."""
    metric, best = report.spec.metric, report.progress.best
    if best is None or best.value is None:
        return [f"none yet: no run came to a valid {metric.name}"]
    number = f"{metric.name} {metric_figure(best.value)} ({metric.direction}){flags_text(best.flags)}"
    rows = [f"{number} by {best.run_id}: {quote(best.note)}"]
    rows += baseline_rows(report, best)
    judged = best.judgement
    if judged.get("pairs"):
        chance = judged.get("evidence")
        known = f", chance of this without a gain {chance:.2g}" if isinstance(chance, int | float) else ""
        rows.append(f"kept by {pairs_text(best)} with {best.previous_best}{known}{confidence_words(report.position)}")
    elif report.spec.noise is None:
        rows.append(f"noise: off, so one run decided{confidence_words(report.position)}")
    return [f"- {row}" for row in rows]


def baseline_rows(report: ExperimentReport, best: LedgerRow) -> list[str]:
    """What was gained over the unedited files: by pairs where noise was tested, else on the seed they share."""
    first, values = report.summary.first, report.progress.baseline
    if first is None or first.value is None or best.is_baseline:
        return []
    kept = [entry for entry in report.summary.kept.values() if not entry.is_baseline]
    gained = sum(map(report.gain, kept))
    spread = stdev(values) if len(values) > 1 else 0.0
    against = f", {gained / spread:.1f} × its sd over {len(values)} runs" if spread else ""
    if any(entry.judgement.get("pairs") for entry in kept):
        return [f"baseline {metric_figure(first.value)}; the kept edits gained {gained:.4g} together{against}"]
    return [f"baseline {metric_figure(first.value)}: {percent(best.value, first.value)}{against}"]


def gain_rows(report: ExperimentReport) -> list[str]:
    """The kept edits that gained most, by what they changed."""
    kept = [entry for entry in report.summary.kept.values() if not entry.is_baseline]
    if not kept:
        return ["nothing was kept yet" if report.summary.first else "no runs yet"]
    most = sorted(sorted(kept, key=report.gain)[-GAINS:], key=lambda entry: entry.number)
    by_where: dict[str, list[str]] = {}
    for entry in most:
        found = report.changes(entry)
        where = found[0].where if len(found) == 1 else "several places" if found else "unknown"
        how = found[0].how if len(found) == 1 else changes_text(found)
        by_where.setdefault(where, []).append(
            f"{entry.run_id} {step_text(report, entry)}: {code(how)} {quote(entry.note)}"
        )
    rows = [f"the {len(most)} largest of {len(kept)}:", ""] if len(kept) > len(most) else []
    for where, lines in by_where.items():
        rows += [f"- {code(where)}", *(f"  - {line}" for line in lines)]
    return rows


def step_text(report: ExperimentReport, entry: LedgerRow) -> str:
    """What a kept edit bought, from values on the same seeds only, and what is suspicious about it."""
    doubt = flags_text([flag for flag in entry.flags if is_suspicious([flag])])
    judged, before = entry.judgement, report.summary.kept.get(entry.previous_best)
    if judged.get("pairs"):
        share = f" ({percent(judged['ours'], judged['theirs'])})" if "theirs" in judged else ""
        return f"gained {report.gain(entry):.4g}{share} over {pairs_text(entry)} with {entry.previous_best}{doubt}"
    gained = percent(entry.value, before.value) if before else "the first"
    return f"{metric_figure(before.value if before else None)} → {metric_figure(entry.value)} ({gained}){doubt}"


def pairs_text(entry: LedgerRow) -> str:
    count = entry.judgement["pairs"]
    return "1 pair" if count == 1 else f"{count} pairs"


def parameter_rows(report: ExperimentReport) -> list[str]:
    direction = report.spec.metric.direction
    return [
        f"- {code(each.name)}: {impact.impact_text(each, direction)}; tried {each.tried}; "
        f"best at {code(setting_text(each.best))}"
        for each in impact.impacts(report.summary.parameters, direction)[:PARAMETERS]
    ]


def setting_text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value), 40)


def extreme_rows(report: ExperimentReport, entries: Sequence[LedgerRow]) -> list[str]:
    rows = []
    for entry in entries:
        what = "the unedited files" if entry.is_baseline else code(changes_text(report.changes(entry), 2))
        rows.append(f"- {entry.run_id} {metric_figure(entry.value)} {entry.verdict}: {what} {quote(entry.note)}")
    return rows


def failure_rows(report: ExperimentReport) -> list[str]:
    """Runs without a number that counts, by how and why they failed."""
    kinds, last = report.summary.failures, report.summary.last_failures
    rows = [f"- {count} × {kind}, last {last[kind]}" for kind, count in kinds.most_common(KINDS)]
    more = sum(kinds.values()) - sum(count for _, count in kinds.most_common(KINDS))
    return [*rows, f"- {more} others"] if more else rows


def lineage(summary: LedgerSummary) -> list[LedgerRow]:
    """From the baseline to the best, each edited from the one before."""
    now = summary.kept.get(summary.last.best_run) if summary.last else None
    found: list[LedgerRow] = []
    while now is not None and (not found or now.number < found[-1].number):
        found.append(now)
        now = summary.kept.get(now.base_run)
    return found[::-1]


def lineage_rows(report: ExperimentReport) -> list[str]:
    found = lineage(report.summary)
    if len(found) < 2:
        return []
    steps = [
        f"{entry.run_id} gained {report.gain(entry):.4g}"
        if entry.judgement.get("pairs")
        else f"{entry.run_id} {metric_figure(entry.value)}"
        for entry in found
    ]
    if len(steps) > LINEAGE:
        steps = [*steps[:2], f"{len(steps) - LINEAGE} more", *steps[2 - LINEAGE :]]
    return [" → ".join(steps)]


def spent_rows(report: ExperimentReport) -> list[str]:
    ended = report.summary.last.ended_at if report.summary.last else ""
    times = f", from {report.progress.began_at} to {ended}" if ended else ""
    rows = [f"{runs_words(report.progress)}, {report.progress.repeats} repeats{times}", spent_words(report.progress)]
    if report.position.ended_by:
        rows.append(f"ended by {report.position.ended_by}")
    return [f"- {row}" for row in rows]


def percent(value: float | None, before: float | None) -> str:
    """How far a value is from another, of that other."""
    if value is None or before is None:
        return "–"
    return f"{(value - before) / abs(before):+.2%}" if before else f"{value - before:+.4g}"


def code(text: str) -> str:
    return "`" + text.replace("`", "'") + "`"


def quote(note: str) -> str:
    """An agent's words, as such."""
    return f'"{one_line(note, 80)}"' if note else ""
