"""How far an experiment is, in a few lines, from its ledger or what is remembered of it. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import stdev
from typing import Any

from flagstone.experiments.checking import CheckState, check_state
from flagstone.experiments.deciding import Condition, amount_text, conditions, flags_text
from flagstone.experiments.ledger import NO_PROPOSAL, Entry, History, LedgerRow, Progress, ledger_problems
from flagstone.locks import holder_of
from flagstone.plans import Home, Spec
from flagstone.records import read_record
from flagstone.statistics import mad_confidence
from flagstone.text import one_line

WIDTH = 130
TABLE_WIDTH = 120
MOST_BYTES = 1024
SHORTEST = 20
ALWAYS = ("advance", "revert", "crash")
SELDOM = ("timeout", "invalid", "interrupted", NO_PROPOSAL)


@dataclass(frozen=True)
class Position:
    """How far an experiment is. `is_edited` is None if that is unknown; `holder` is who runs it now."""

    name: str
    spec: Spec
    progress: Progress
    last: LedgerRow | None
    is_edited: bool | None = None
    holder: Mapping[str, Any] | None = None
    problems: tuple[str, ...] = ()
    is_stopping: bool = False
    reason_to_end: str = ""
    check: CheckState = "not checked"
    session: str = ""  # of Claude Code, that drives it

    @property
    def ended_by(self) -> str:
        """What has ended it, as its last line says, and as the spec of now still holds."""
        if self.last is None or not self.last.should_terminate:
            return ""
        holds = any(each.fired for each in self.conditions) or self.last.terminated_by == "manual"
        return self.last.terminated_by if holds else ""

    @property
    def conditions(self) -> list[Condition]:
        """Every condition that is set; the one on runs without a proposal as soon as there is such a run."""
        found = conditions(self.spec, self.progress.typical_value, self.progress.amounts)
        return [each for each in found if each.name != "proposals" or each.done]

    @property
    def confidence(self) -> tuple[float | None, str]:
        """How far the best is from the baseline, against how far the gains lie apart: a hint."""
        baseline, best = self.progress.baseline, self.progress.best_value
        return mad_confidence(baseline[0], best, self.progress.kept) if baseline and best is not None else (None, "")


def position_of(home: Home, spec: Spec) -> Position:
    """How far an experiment is now."""
    history = History.read(home)
    last = history.recent[-1] if history.recent else None
    return Position(
        name=home.name,
        spec=spec,
        progress=history.progress,
        last=last,
        is_edited=is_edited(home, spec, history.progress.best),
        holder=holder_of(home.lock),
        problems=tuple(ledger_problems(home.ledger)),
        is_stopping=home.stop.exists(),
        reason_to_end=history.reason_to_end(spec),
        check=check_state(home, spec),
        session=str((read_record(home.drive) or {}).get("session", "")),
    )


def is_edited(home: Home, spec: Spec, best: Entry | None) -> bool | None:
    """Whether the working files differ from the best, or from the base if there is no best."""
    if not home.working.is_dir():
        return None
    source = home.bests / best.run_id / "source" if best else None
    if source is not None and source.is_dir():
        files = (path for path in source.rglob("*") if not path.is_dir())
        return any(content_of(home.working / path.relative_to(source)) != content_of(path) for path in files)
    start = read_record(home.start)
    tree = best.tree if best else start and start.get("tree")
    if not tree:
        return None
    # imported only here: what starts processes takes longer to import than all of a status to make
    from flagstone.experiments.candidates import Store, Working, subject_of

    return not Working(home, subject_of(spec.subject, Store(home.candidates))).is_at(tree)


def content_of(path: Path) -> bytes | None:
    """The content of a file. Of a link it is the target, as in a stored candidate."""
    try:
        return os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
    except OSError:
        return None


def status_text(position: Position) -> str:
    """At most ten lines and one KB, in the form of the autoresearch plugin."""
    metric, progress = position.spec.metric, position.progress
    name = one_line(metric.name, 60)
    best = f"{metric_figure(progress.best_value)} @ {progress.best_run}" if progress.best else "none yet"
    best += flags_text(progress.best.flags) if progress.best else ""
    holder = position.holder
    running = f" (running since {holder.get('since')}, process {holder.get('pid')})" if holder else ""
    driven = f" (driven by session {one_line(position.session, 40)})" if position.session else ""
    rows = [
        f"expr: {position.name}{running}{driven}",
        f"primary: {name} ({metric.direction}) — best: {best}",
        f"runs: {runs_words(progress)}",
        f"termination: {termination_words(position)}",
        f"noise: {noise_words(position)}",
        f"spent: {spent_words(progress)}",
        f"check: {position.check}",
        *last_rows(position.last),
        *working_rows(position),
        *position.problems[:1],
    ]
    return fit([one_line(row, WIDTH) for row in rows])


def fit(rows: list[str], most_bytes: int = MOST_BYTES) -> str:
    """Rows within the limit; letters that take several bytes are what could go over it."""
    text = "\n".join(rows) + "\n"
    while len(text.encode("utf-8")) > most_bytes and any(len(row) > SHORTEST for row in rows):
        longest = max(range(len(rows)), key=lambda at: (len(rows[at]) > SHORTEST, len(rows[at].encode("utf-8"))))
        rows[longest] = one_line(rows[longest], max(SHORTEST, len(rows[longest]) * 3 // 4))
        text = "\n".join(rows) + "\n"
    return text


def runs_words(progress: Progress) -> str:
    shown = (*ALWAYS, *(verdict for verdict in SELDOM if progress.verdicts.get(verdict)))
    counted = " / ".join(f"{progress.verdicts.get(verdict, 0)} {verdict}" for verdict in shown)
    return f"{sum(progress.verdicts.values())} total ({counted})"


def termination_words(position: Position) -> str:
    words = ", ".join(map(str, position.conditions)) or "none set: it goes on until it is stopped"
    if position.ended_by:
        return f"ended by {position.ended_by} — {words}"
    return f"stop requested — {words}" if position.is_stopping else words


def noise_words(position: Position) -> str:
    """What the baseline varies by, what repeats it took, and tccw's word for the best."""
    values, rule = position.progress.baseline, position.spec.noise
    if rule is None:
        return f"off (every strictly better number is kept){confidence_words(position)}"
    if not values:
        return "the baseline is not measured yet"
    spread = f"sd {stdev(values):.3g}, {min(values):.5g} to {max(values):.5g}" if len(set(values)) > 1 else "no spread"
    spread += (
        ", but further runs of equal files differed" if len(set(values)) == 1 and position.progress.has_varied else ""
    )
    return f"baseline {len(values)} runs, {spread}; {position.progress.repeats} repeats{confidence_words(position)}"


def confidence_words(position: Position) -> str:
    multiple, word = position.confidence
    return f"; confidence {word} ({multiple:.1f} MAD)" if multiple is not None else ""


def spent_words(progress: Progress) -> str:
    gpus = f", {amount_text(progress.gpu_s / 3600)} GPU h" if progress.gpu_s else ""
    unknown = f" ({progress.unknown_costs} of unknown cost, counted in full)" if progress.unknown_costs else ""
    return f"{duration(progress.wall_s)} of runs{gpus}, ${progress.cost_usd:.2f} of calls{unknown}"


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.4g} h"


def last_rows(last: LedgerRow | None) -> list[str]:
    if last is None:
        return []
    value = f" {metric_figure(last.value)}" if last.value is not None else ""
    words = last.note if last.valid and last.note else last.reason
    return [f"last: {last.run_id} {last.word}{value} — {one_line(words or last.note, 80)}"]


def working_rows(position: Position) -> list[str]:
    if position.is_edited is None:
        return []
    against = "best" if position.progress.best else "base"
    words = f"edited since {against}" if position.is_edited else f"in-sync with {against}"
    if position.progress.best and position.progress.best.checkpoint_fault:
        words += f", which has no checkpoint: {position.progress.best.checkpoint_fault}"
    mutable = position.spec.subject.mutable
    is_one = len(mutable) == 1 and mutable[0] == position.spec.subject.entry
    return [f"{one_line(mutable[0], 40) if is_one else 'working files'}: {words}"]


def metric_figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def last_text(entries: Sequence[Entry]) -> str:
    """The last runs as a table no wider than a terminal; a note is cut."""
    if not entries:
        return "no runs yet\n"
    rows = [("run_id", "status", "verdict", "primary_value", "improved", "note")]
    for each in entries:
        improved = "yes" if each.improved else "no"
        figure, note = metric_figure(each.value), each.note or each.reason
        rows.append((each.run_id, each.status, each.word, figure, improved, note))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    left = max(10, TABLE_WIDTH - sum(widths) - 2 * len(widths))
    shown = (
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), one_line(row[5], left)))
        for row in rows
    )
    return "".join(f"{row.rstrip()}\n" for row in shown)


def status_record(position: Position) -> dict[str, Any]:
    """The same as a record."""
    progress, metric = position.progress, position.spec.metric
    multiple, word = position.confidence
    return {
        "name": position.name,
        "goal": position.spec.goal,
        "primary": {"name": metric.name, "direction": metric.direction, "value": progress.best_value},
        "best_run_id": progress.best_run or None,
        "flags": progress.best.flags if progress.best else (),
        "runs": {"total": sum(progress.verdicts.values()), **progress.verdicts},
        "termination": {
            each.name: {"done": each.done if isfinite(each.done) else None, "limit": each.limit}
            for each in position.conditions
        },
        "ended_by": position.ended_by or None,
        "plateau": progress.plateau,
        "noise": {"baseline": list(progress.baseline), "repeats": progress.repeats, "tests": progress.tests},
        "confidence": {"mad": multiple, "word": word or "UNKNOWN"},
        "spent": {
            "wall_s": progress.wall_s,
            "gpu_s": progress.gpu_s,
            "cost_usd": progress.cost_usd,
            "unknown_costs": progress.unknown_costs,
        },
        "began_at": progress.began_at or None,
        "last": {"run_id": position.last.run_id, "ended_at": position.last.ended_at} if position.last else None,
        "is_edited": position.is_edited,
        "check": position.check,
        "is_stopping": position.is_stopping,
        "running": dict(position.holder) if position.holder else None,
        "session": position.session or None,
        "problems": list(position.problems),
    }
