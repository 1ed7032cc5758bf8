"""What the prompt of one run says, bounded however long the experiment already is."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import stdev

from flagstone.experiments.candidates import kept_candidate
from flagstone.experiments.deciding import varies
from flagstone.experiments.ledger import Entry
from flagstone.experiments.proposers.ideas import Lessons, crash_fixed_by, idea_of, lines_within, text_of
from flagstone.experiments.proposers.protocol import View
from flagstone.plans import Spec, run_id
from flagstone.prompts import ExperimentParts
from flagstone.text import one_line

LAST = 5
GOAL, LISTED, STANDING, LATEST, GAINS, IDEAS, DIFF, TAIL, NOTE = 2000, 1500, 600, 3000, 1500, 4096, 6000, 4000, 600
WANTED, EARLIER = 1800, 900  # of the bytes for ideas


def crash_to_fix(view: View) -> Entry | None:
    """The last run that the view shows, if it crashed and was not itself an attempt to fix another."""
    last = view.entries[-1] if view.entries else None
    if last is None or last.status != "crash" or last.is_baseline or crash_fixed_by(last):
        return None
    return None if last.run_id in view.guidance.dropped else last


def parent_tree(view: View, entry: Entry) -> str:
    for each in (view.best, *reversed(view.entries)):
        if each is not None and each.run_id == entry.parent_run:
            return each.tree
    proposed = kept_candidate(view.home.run(entry.run_id))
    return proposed.parent_tree if proposed else ""


def parts_of(view: View, memory: Lessons, crash: Entry | None, draft: Path, files: Iterable[str]) -> ExperimentParts:
    """Everything that the prompt of this run says. `files` are those of the draft that may change."""
    spec, own = view.spec, sorted(files)
    wanted = "\n".join(lines_within(view.guidance.wanted, WANTED))
    earlier = "\n".join(lines_within(view.guidance.earlier, EARLIER))
    left = IDEAS - len(wanted.encode()) - len(earlier.encode())
    parts = ExperimentParts(
        experiment=spec.name,
        run_id=run_id(view.number),
        goal=cut(spec.goal, GOAL),
        entry=spec.subject.entry,
        project=str(spec.subject.root),
        mutable=list_text(dict.fromkeys((*spec.subject.mutable, *own))),
        around=list_text(name for name in sorted(os.listdir(draft)) if name not in own),
        protected=list_text((*(spec.subject.protected or ()), *([spec.contract] if spec.contract else []))),
        scope=list_text(spec.scope),
        metric=spec.metric.name,
        wanted="lower" if spec.metric.direction == "min" else "higher",
        standing=cut(progress_words(view, memory), STANDING),
        constraints=constraint_lines(view),
        noise=noise_words(spec, memory),
        latest="\n".join(lines_within(latest_lines(view), LATEST)),
        gains="\n".join(lines_within((each.line for each in reversed(memory.gains)), GAINS)),
        wanted_ideas=wanted,
        earlier_ideas=earlier,
        ideas=text_of(memory.without(view.guidance.dropped), left).rstrip("\n"),
        level=view.level.value,
        failures=view.failures,
        may_run=spec.agent.mode == "work",
        command=cut(command_words(spec), NOTE),
        immutable=list_text(spec.subject.immutable),
    )
    return parts if crash is None else with_fix(parts, view, crash)


def command_words(spec: Spec) -> str:
    """What is measured, as a person wrote it."""
    argv = spec.harness.argv
    return argv[2] if len(argv) == 3 and argv[:2] == ("bash", "-c") else shlex.join(argv)


def with_fix(parts: ExperimentParts, view: View, crash: Entry) -> ExperimentParts:
    parent = parent_tree(view, crash)
    diff = view.diff(parent, crash.tree) if parent else ""
    return replace(
        parts,
        fix_run=crash.run_id,
        rework=crash.reworks + 1 if view.rework else 0,
        fix_reason=one_line(crash.reason, NOTE),
        fix_note=one_line(crash.note, NOTE) or "(it left no note)",
        fix_diff=cut(diff, DIFF) or "(what it changed is not known)",
        fix_tail=cut_front(view.tail(crash), TAIL) or "(it left no log)",
    )


def progress_words(view: View, memory: Lessons) -> str:
    """The best of now, and how long ago the last gain was."""
    name, best = view.spec.metric.name, view.best
    if best is None or best.value is None:
        return f"Nothing valid has been measured yet; {name} should be {better_word(view.spec)}."
    start = memory.baseline
    began = f", from {start[0]:.6g} of the unedited files" if start else ""
    done = view.entries[-1].number if view.entries else 0
    since = done - best.number
    found = f"The best {name} so far is {best.value:.6g} ({best.run_id}{began}); {better_word(view.spec)} is better."
    gained = f" {done} runs are done, {since} of them since that one." if since else f" {done} runs are done."
    limit, goal = view.spec.stopping.plateau, view.spec.stopping.threshold
    if view.start and view.start.run_id != best.run_id:
        found += f" Your copy starts from {view.start.run_id} ({view.start.value:.6g}) instead."
    ends = f" The experiment ends after {limit} runs in a row without a gain." if limit else ""
    return found + gained + (f" It is good enough at {goal:g}." if goal is not None else "") + ends


def better_word(spec: Spec) -> str:
    return "less" if spec.metric.direction == "min" else "more"


def constraint_lines(view: View) -> str:
    """Each constraint with its value in the best run and in the last one."""
    last = view.entries[-1] if view.entries else None
    rows = []
    for each in view.spec.constraints:
        runs = (("best", view.best), ("last run", last))
        values = [f"{word}: {value_of(entry, each.name)}" for word, entry in runs if entry is not None]
        rows.append(one_line(f"{each.name} {each.op} {each.threshold:g} ({', '.join(values)})"))
    return "\n".join(lines_within(rows, LISTED))


def value_of(entry: Entry, name: str) -> str:
    found = next((row.value for row in entry.constraints if row.name == name), None)
    return f"{found:g}" if found is not None else "unknown"


def noise_words(spec: Spec, memory: Lessons) -> str:
    """What counts as a gain, in plain words."""
    name, values = spec.metric.name, memory.baseline
    if spec.noise is None:
        return f"Noise is not tested: every strictly better {name} is a gain."
    if len(values) > 1 and not varies(values):
        equal = f"{len(values)} runs of the unedited files gave the same {name}."
        return f"{equal} A better number is a gain if it shows again."
    if len(values) < 2:
        return f"A better {name} is measured again before it is kept: one that noise alone explains is no gain."
    return (
        f"{len(values)} runs of the unedited files gave {name} between {min(values):.6g} and {max(values):.6g} "
        f"(standard deviation {stdev(values):.2g}). A better number is measured again on other seeds, and kept only "
        f"when such noise does not explain it: a gain of much less than one standard deviation is hardly recognised."
    )


def latest_lines(view: View) -> Iterable[str]:
    """The last runs, the newest first."""
    for entry in reversed(view.entries[-LAST:]):
        if entry.run_id in view.guidance.dropped:
            continue
        if entry.is_baseline:
            yield f"{entry.run_id} the unedited files" + ("" if entry.value is None else f": {entry.value:.6g}")
        elif not entry.has_proposal:
            yield f"{entry.run_id} {one_line(entry.reason)}"
        else:
            yield idea_of(entry, view.tail).line


def list_text(words: Iterable[str]) -> str:
    return "\n".join(lines_within((one_line(word) for word in words), LISTED))


def cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 30]}\n[… the rest is left out …]\n"


def cut_front(text: str, most: int) -> str:
    return text if len(text) <= most else f"[… the beginning is left out …]\n{text[40 - most :]}"
