"""Which experiments a run has planned, and which block of each comes next: what Snakemake has to know of them."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.layout import PLAN_FILE, Run
from flagstone.plans.design import design_of
from flagstone.plans.needs import block_needs
from flagstone.plans.spec import Spec, defaults_from, plan_spec
from flagstone.plans.trial_plan import TrialPlan, trial_plans
from flagstone.records import digest_bytes, last_line, read_record


@dataclass(frozen=True)
class Plan:
    """One file of workspace/experiments: approved with the stage that left it, it is the spec."""

    run: Run
    name: str
    path: Path

    @property
    def folder(self) -> Path:
        return self.run.experiments / self.name

    @property
    def text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    @property
    def spec(self) -> Spec | None:
        """What it says, with every default; None if it cannot be read."""
        return plan_spec(self.text, defaults_from(self.folder))

    @property
    def digest(self) -> str:
        """Of the approved design: what the plan says, and the files it names as they were approved."""
        return design_of(self.run, self.text)

    @property
    def done_file(self) -> Path:
        """Written when the experiment has ended; not an output of any rule, so that code edits rerun nothing."""
        return self.folder / "done.json"

    @property
    def label(self) -> str:
        """How it is named in a message."""
        return f"experiment {self.name}"

    @property
    def failure_file(self) -> Path:
        return self.folder / "failure.json"

    @property
    def picture(self) -> Path:
        return self.folder / "progress.svg"

    @property
    def is_done(self) -> bool:
        ended = read_record(self.done_file) or {}
        return ended.get("plan") == self.digest and not self.has_grown(ended)

    def has_grown(self, ended: Mapping[str, Any]) -> bool:
        """Whether somebody added runs by hand after done.json was written. Then one job updates the results."""
        try:
            size, digest, _ = ended["ledger"]
            with open(self.folder / "ledger.jsonl", "rb") as stream:
                grew = os.fstat(stream.fileno()).st_size > size
                return bool(grew and digest_bytes(last_line(stream, size)[0]) == digest)
        except (OSError, KeyError, TypeError, ValueError):
            return False

    def block(self, number: int) -> Path:
        return self.folder / "blocks" / f"{number:04d}.json"

    def next_block(self) -> Path:
        """The first block that this plan has not yet had. They are made in order, so few of them have to be read."""
        digest = self.digest

        def is_due(number: int) -> bool:
            return (read_record(self.block(number)) or {}).get("plan") != digest

        beyond = 1
        while not is_due(beyond):
            beyond *= 2
        return self.block(bisect_left(range(beyond), True, lo=max(1, beyond // 2), key=is_due))

    @property
    def target(self) -> Path:
        """What the stage waits for: the end of the experiment, or the block that comes next."""
        return self.done_file if self.is_done else self.next_block()

    def resources(self) -> Mapping[str, int]:
        """GPUs and minutes of one job."""
        return block_needs(self.spec)

    @property
    def evidence(self) -> tuple[Path, ...]:
        """What a stage that used the experiment is approved with."""
        return self.folder / "experiment.yaml", self.folder / "ledger.jsonl"

    def failure(self) -> Mapping[str, Any]:
        """Why its last job failed, if it did: problem, hint and exit code."""
        return read_record(self.failure_file) or {}


def plans(run: Run) -> tuple[Plan, ...]:
    """Every plan, by name."""
    try:
        names = sorted(os.listdir(run.plans))
    except OSError:
        return ()
    found = ((PLAN_FILE.match(name), name) for name in names)
    return tuple(Plan(run, hit[1], run.plans / name) for hit, name in found if hit)


def find_plan(run: Run, name: str) -> Plan | None:
    return next((plan for plan in plans(run) if plan.name == name), None)


def all_plans(run: Run) -> tuple[Plan | TrialPlan, ...]:
    """Every plan of an experiment, then those of trials."""
    return (*plans(run), *trial_plans(run))


def failure_of(run: Run) -> Mapping[str, Any]:
    """Why an experiment or a trial failed, if one did."""
    return next((plan.failure() for plan in all_plans(run) if plan.failure()), {})


def cut_off_text(run: Run, shown: Callable[[Path], str]) -> str:
    """Names the experiment or trial that a call began to work on and did not end; empty if there is none."""
    for plan in plans(run):
        begun = read_record(plan.folder / "state" / "block.json") or {}
        if begun.get("plan") != plan.digest or plan.is_done:
            continue
        block = str(begun.get("block"))
        if (read_record(run.block(plan.name, block)) or {}).get("plan") == plan.digest:
            return f"experiment {plan.name} has not ended; the same command continues after its block {block}"
        log = shown(run.logs / f"experiment-{plan.name}-{block}.log")
        return (
            f"experiment {plan.name}: its job was killed or stopped in block {block} ({log}); "
            "the same command continues where it stopped"
        )
    trial = next((each for each in trial_plans(run) if each.is_begun and not each.is_done), None)
    return f"trial {trial.name} has not ended; the same command continues where it stopped" if trial else ""


def evidence(run: Run) -> dict[str, str]:
    """What a stage that used these experiments and trials is approved with: specs, ledgers and verdicts, by path."""
    return {run.relative(path): plan.name for plan in all_plans(run) for path in plan.evidence if path.is_file()}


def exports_of(run: Run) -> dict[str, tuple[str, Path]]:
    """What experiments and trials have put among the results: path in the workspace to digest and our own copy."""
    found = {}
    for plan in all_plans(run):
        for path, digest in (read_record(plan.done_file) or {}).get("exports", {}).items():
            found[str(path)] = (str(digest), plan.done_file.with_name("exports") / os.path.basename(path))
    return found
