"""The trials of a run for the appendix: from their ledgers, held against their folders and the journal beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from flagstone.experiments.ledger import head_of
from flagstone.layout import Run
from flagstone.paper.building.appendix.entries import NOTHING, AppendixEntry, MadeRun, interval_text, number_text
from flagstone.paper.building.appendix.long_tables import AppendixTable, Part
from flagstone.plans import TRIALS, TrialPlan, trial_plan_at, trial_plans
from flagstone.records import Ledger, read_record
from flagstone.text import count_text, list_text

JOURNAL = "preregistrations.jsonl"
MEASURED = "measured-first.json"
CURE = "restore it from a copy, or start the trial over"


@dataclass(frozen=True)
class LedgerRun:
    """A run as the ledger of a trial has it."""

    arm: str
    slot: str
    status: str
    basis: str = ""
    at: str = ""
    value: float | None = None
    wall_s: float = 0.0
    exit_code: int | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.slot}"


def run_in(line: Mapping[str, Any]) -> LedgerRun | None:
    """The run of a line. Returns None if the line is none of a run."""
    try:
        return msgspec.convert(line, LedgerRun, strict=False)
    except msgspec.ValidationError:
        return None


@dataclass(frozen=True)
class TrialHistory:
    """One start of a trial: what its ledger says. `root` is the folder of the trial, or one below its history."""

    plan: TrialPlan
    root: Path

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.root / "ledger.jsonl")

    @cached_property
    def lines(self) -> Sequence[Mapping[str, Any]]:
        return self.ledger.entries()

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [line for line in self.lines if line.get("kind") == kind]

    @cached_property
    def runs(self) -> tuple[LedgerRun, ...]:
        return tuple(run for line in self.of("run") if (run := run_in(line)))

    @cached_property
    def verdict(self) -> Mapping[str, Any]:
        return next(iter(reversed(self.of("verdict"))), {})

    @cached_property
    def prereg(self) -> Mapping[str, Any]:
        return read_record(self.root / "prereg.json") or {}

    @cached_property
    def metric(self) -> str:
        spec = self.plan.spec
        return str(self.prereg.get("metric") or (spec.experiment.metric.name if spec else "not known"))

    def seed(self, slot: str) -> str:
        """The seed of a run. That of a confirmation run is known with the verdict."""
        known = self.verdict.get("seeds", {}).get(slot)
        if known is not None or not slot.startswith("a"):
            return "sealed" if known is None else str(known)
        place, seeds = int(slot[1:].partition("r")[0]) - 1, self.prereg.get("screening") or ()
        spec = self.plan.spec
        seeds = seeds or (spec.screening if spec else ())
        return str(seeds[place]) if place < len(seeds) else ""

    def made_run(self, run: LedgerRun) -> MadeRun:
        """A run of the appendix. What a confirmation came to is not told before the verdict."""
        seed = self.seed(run.slot)
        if seed == "sealed":
            return MadeRun(run.name, run.arm, "sealed", seed=seed)
        return MadeRun(run.name, run.arm, run.status, run.value, seed, run.wall_s, run.exit_code, run.reason)


@dataclass(frozen=True)
class TrialsOfRun:
    """All trials of a run, whether their plan is still there or not."""

    run: Run

    @cached_property
    def plans(self) -> tuple[TrialPlan, ...]:
        folder = self.run.root / TRIALS
        planned = {plan.name: plan for plan in trial_plans(self.run)}
        found = sorted(path for path in folder.glob("*") if path.is_dir() and path.name not in planned)
        return (*planned.values(), *map(trial_plan_at, found))

    def entries(self) -> Iterator[AppendixEntry]:
        for plan in self.plans:
            starts = [
                TrialHistory(plan, root) for root in (*sorted(plan.folder.root.glob("history/*")), plan.folder.root)
            ]
            missing = tuple(fault_texts(plan, starts))
            for start in starts:
                is_last = start is starts[-1]
                yield entry_of(start, missing if is_last else ())

    def problems(self) -> Iterator[str]:
        """Pre-registrations that the journal knows and no trial has."""
        journal = Ledger(self.run.root / TRIALS / JOURNAL)
        yield from journal.rewritten_lines()
        for row in journal.entries():
            root = self.run.root / TRIALS / str(row.get("trial"))
            starts = (root, *root.glob("history/*"))
            sealed = [read_record(start / "prereg.json") or {} for start in starts]
            is_open = root.is_dir() and not any(sealed)  # a kill came before it was sealed
            if row.get("seeds") not in [each.get("seeds") for each in sealed] and not is_open:
                yield f"{JOURNAL} has a pre-registration of trial {row.get('trial')}, and its files are gone: {CURE}"


def entry_of(start: TrialHistory, problems: tuple[str, ...]) -> AppendixEntry:
    plan, ideas = start.plan, idea_rows(start)
    title = (
        f"Trial {plan.name}"
        if start.root == plan.folder.root
        else f"Trial {plan.name}, earlier start {start.root.name}"
    )
    return AppendixEntry(
        title,
        tuple(trial_parts(start, ideas)),
        tuple(map(start.made_run, sorted(start.runs, key=lambda run: run.at))),
        problems,
        ideas=len(ideas),
        alpha_spent=sum(map(alpha_of, ended_ideas(start))),
        preregistrations=len(start.of("prereg")),
    )


def alpha_of(idea: Mapping[str, Any]) -> float:
    """The level of all looks that were taken at an idea. Its confirmation names that of the last one."""
    looks = [float(look.get("alpha") or 0) for look in idea.get("looks") or ()]
    return sum(looks) or float((idea.get("confirmation") or {}).get("alpha_spent") or 0)


def trial_parts(start: TrialHistory, ideas: Sequence[tuple[str, ...]]) -> Iterator[Part]:
    spec, sealed, verdict = start.plan.spec, start.prereg, start.verdict
    yield str(sealed.get("question") or (spec.question if spec else "Its plan cannot be read."))
    if sealed:
        alpha = f", its level is {number_text(sealed.get('alpha'))}" if sealed.get("gate") == "confirm" else ""
        words = f"Pre-registered as number {sealed.get('number')} for {start.metric}, gate {sealed.get('gate')}{alpha}"
        yield f"{words}; minimum effect {number_text(sealed.get('minimum_effect'))}."
    elif not start.lines:
        yield "It was planned, and never begun."
    else:
        yield "It was never pre-registered."
    if verdict:
        reason = f" ({verdict['reason']})" if verdict.get("reason") else ""
        yield f"Outcome: {verdict.get('outcome')}{reason}."
        if verdict.get("exploratory"):
            yield f"Exploratory: {verdict['exploratory']}."
    elif start.lines:
        yield "It has no verdict."
    if ideas:
        head = ("idea", "title", "lines", "outcome", "n", "improvement", "interval", "p", "remark")
        yield AppendixTable(head, tuple(ideas))


def ended_ideas(start: TrialHistory) -> list[Mapping[str, Any]]:
    return [each for each in start.verdict.get("ideas", ()) if isinstance(each, Mapping)]


def idea_rows(start: TrialHistory) -> list[tuple[str, ...]]:
    """Every idea that became code, or failed to, with what became of it."""
    code = {str(line.get("arm")): line for line in start.of("idea")}
    ended = {str(each.get("arm")): each for each in ended_ideas(start)}
    rows: list[tuple[str, ...]] = []
    for arm in dict.fromkeys((*code, *ended)):
        line, end = code.get(arm, {}), ended.get(arm, {})
        numbers = end.get("confirmation") or end.get("compare") or end.get("screen") or {}
        rows.append(
            (
                arm,
                str(line.get("title") or end.get("title") or ""),
                str(line.get("lines") or NOTHING),
                str(end.get("outcome") or "none yet"),
                str(numbers.get("n", 0)),
                number_text(numbers.get("mean")),
                interval_text(numbers),
                number_text(numbers.get("p")),
                str(line.get("failure") or end.get("reason") or ""),
            )
        )
    return rows


def fault_texts(plan: TrialPlan, starts: Sequence[TrialHistory]) -> Iterator[str]:
    """What of a trial is missing, or was added: in its ledgers, its folders of runs, and what its steps saw."""
    folder, name = plan.folder, f"trial {plan.name}"
    for start in starts:
        yield from (f"{name}: {problem}: restore the ledger from a copy" for problem in start.ledger.rewritten_lines())
        yield from (f"{name}: {problem}: {CURE}" for problem in unseen_runs(start))
    if was_cut(plan):
        yield f"{name}: its ledger has lost lines since {was_cut(plan)} read it: restore the ledger from a copy"
    runs = [run for start in starts for run in start.runs]
    found = run_folders((folder.root / "runs", folder.sealed / "runs"))
    held = {(name_of(path), basis_of(path)) for path in found}
    for run in runs:
        if not {(run.name, run.basis), (run.name, "")} & held:
            yield f"{name}: the ledger has the run {run.name} ({end_text(run)}), and its folder is gone: {CURE}"
    known = {(run.name, run.basis) for run in runs}
    for path in found:
        is_known = (name_of(path), basis_of(path)) in known or (
            not basis_of(path) and name_of(path) in {n for n, _ in known}
        )
        if (path / MEASURED).is_file() and not is_known:
            where = path.relative_to(plan.base).as_posix()
            yield f"{name}: {where} holds a run that was measured, and the ledger has no line of it: {CURE}"


def end_text(run: LedgerRun) -> str:
    code = "" if run.exit_code is None else f", exit code {run.exit_code}"
    return f"{run.status}{code}"


def unseen_runs(start: TrialHistory) -> Iterator[str]:
    """Runs that a decided step names, and the ledger has no line of."""
    if unread := len(start.of("run")) - len(start.runs):
        yield f"{count_text(unread, 'line')} of its ledger cannot be read as a run"
    known = {run.name for run in start.runs}
    wanted = {str(run) for look in start.of("look") for run in look.get("runs", ())}
    if missing := sorted(wanted - known):
        yield f"its looks were taken from runs that the ledger has no line of ({list_text(missing)})"


def was_cut(plan: TrialPlan) -> str:
    """The first step that has seen a longer ledger than there is. Returns '' if none has."""
    folder = plan.folder
    for path in (*sorted(folder.look(0).parent.glob("*.json")), folder.done):
        head = (read_record(path) or {}).get("ledger") or (0,)
        if head[0] and tuple(head) != head_of(folder.ledger, head[0]):
            return path.relative_to(folder.root).as_posix()
    return ""


def run_folders(places: Iterable[Path]) -> list[Path]:
    return sorted(path for place in places for path in place.glob("*") if path.is_dir())


def name_of(folder: Path) -> str:
    """The name of the run in a folder, which may have a number after it: control-a1-2 holds a run control-a1."""
    arm, _, slot = folder.name.rpartition("-")
    return folder.name if not slot.isdecimal() else arm


def basis_of(folder: Path) -> str:
    return str((read_record(folder / "basis.json") or {}).get("basis", ""))


def preregistrations_text(entries: Sequence[AppendixEntry]) -> str:
    """How much was pre-registered and spent in all."""
    number, spent = sum(each.preregistrations for each in entries), sum(each.alpha_spent for each in entries)
    return f"In all there were {count_text(number, 'pre-registration')}; they spent a level of {number_text(spent)}."
