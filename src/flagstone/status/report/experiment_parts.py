"""The experiments of a run: how far each is, its verdicts and its best."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from statistics import mean

from flagstone.artifacts.formats import Unreadable, read_bounded
from flagstone.experiments.ledger import History, Progress
from flagstone.experiments.reporting import runs_words
from flagstone.layout import Run
from flagstone.plans import Home, MetricSpec, Plan, plans
from flagstone.records import read_record
from flagstone.status.experiments import status_of
from flagstone.text import one_line

PICTURE_BYTES = 3_000_000


@dataclass(frozen=True)
class ExperimentPart:
    """One experiment as the report shows it."""

    name: str
    goal: str
    lines: tuple[str, ...]
    picture: object


def experiments_of(run: Run) -> list[ExperimentPart]:
    return [part_of(plan) for plan in plans(run)]


def part_of(plan: Plan) -> ExperimentPart:
    from markupsafe import Markup

    spec, home = plan.spec, Home(plan.folder, plan.run.root)
    lines = []
    if plan.is_done:
        lines.append(f"ended by {one_line(str((read_record(plan.done_file) or {}).get('terminated_by')))}")
    else:
        lines.append(status_of(plan).words.partition(": ")[2])
    if spec is None:
        lines.append("its plan cannot be read")
    elif home.ledger.exists():
        history = History.read(home)
        lines += [f"runs: {runs_words(history.progress)}", f"best: {best_text(spec.metric, history.progress)}"]
        lines += [f"damaged: {history.fault.replace(f'{plan.run.root}/', '')}"] if history.fault else []
    try:
        raw = read_bounded(plan.picture, plan.run.root, PICTURE_BYTES) if plan.is_done else b""
    except Unreadable:
        raw = b""
    picture = f"data:image/svg+xml;base64,{base64.b64encode(raw).decode()}" if raw else ""
    return ExperimentPart(plan.name, one_line(spec.goal, 400) if spec else "", tuple(lines), Markup(picture))


def best_text(metric: MetricSpec, progress: Progress) -> str:
    """The best run beside the baseline that it is compared with."""
    best = progress.best
    if best is None or best.value is None:
        return f"none yet: no run came to a valid {metric.name}"
    found = f"{one_line(metric.name, 60)} {best.value:.6g} ({metric.direction}) in {best.run_id}"
    if best.is_baseline:
        return f"{found}, the unedited files"
    if not progress.baseline:
        return found
    return f"{found}; the unedited files had {mean(progress.baseline):.6g} (mean of {len(progress.baseline)} runs)"
