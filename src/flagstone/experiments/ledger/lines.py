"""A verdict and what belongs to it in lines, as the terminal shows them."""

from __future__ import annotations

from collections.abc import Iterator

from flagstone.experiments.deciding import flags_text, is_suspicious
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.measuring import denials_in
from flagstone.plans import Home, Spec
from flagstone.text import list_text, one_line

NOTE = 80
MOST_DENIED = 5


def verdict_line(entry: Entry, spec: Spec) -> str:
    """One verdict as the terminal shows it: `r0043 advance  val_loss 0.844 (best), better than r0030 (0.851)`."""
    note = f'  "{one_line(entry.note, NOTE)}"' if entry.note else ""
    ending = f"  ended by {entry.terminated_by}" if entry.should_terminate else ""
    saved = f"  no checkpoint: {one_line(entry.checkpoint_fault, NOTE)}" if entry.checkpoint_fault else ""
    return f"{entry.run_id} {outcome_text(entry, spec)}{note}{seconds_text(entry)}{saved}{ending}"


def verdict_lines(home: Home, entry: Entry, spec: Spec) -> Iterator[str]:
    """The verdict, then what the unedited files were not allowed to write, and what somebody changed."""
    yield verdict_line(entry, spec)
    if entry.is_baseline and entry.first is not None:
        # a program that goes on without it may be measured as something else
        for path, cure in denials_in(home.root / entry.first.log, spec.subject.root)[:MOST_DENIED]:
            yield f"{entry.run_id} could not write to {path}: {cure}"
    if entry.project_changes:
        yield f"changed in the project, where runs can read it: {list_text(entry.project_changes)}"


def outcome_text(entry: Entry, spec: Spec) -> str:
    name = spec.metric.name
    if entry.status == "ok" and entry.value is not None:
        flags = entry.flags if entry.improved else [flag for flag in entry.flags if is_suspicious([flag])]
        number = f"{name} {entry.value:.6g}{flags_text(flags)}"
        if entry.improved:
            return f"advance  {number}{'' if entry.is_baseline else ' (best)'}, {entry.reason}"
        return f"revert   {number}, {entry.reason}"
    if entry.is_stopped_early:
        return f"revert   {one_line(entry.reason)}"
    return f"{entry.status:<8} {one_line(entry.reason)}" if entry.has_proposal else one_line(entry.reason)


def seconds_text(entry: Entry) -> str:
    runs = len(entry.measurements)
    again = f", {runs} runs" if runs > 1 else ""
    return f"  ({entry.wall_s:.1f} s{again})" if runs else ""
