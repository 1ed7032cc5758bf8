"""Where one experiment keeps its things: the name of every path below its folder."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

RUN_ID = re.compile(r"r\d{4,}\Z")


def run_id(number: int) -> str:
    return f"r{number:04d}"


def unused_path(path: Path) -> Path:
    """This path, or one with a number after it, that is not there yet."""
    number, found = 1, path
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


@dataclass(frozen=True)
class Home:
    """The folder of one experiment. `base` is the project or the run that it belongs to."""

    root: Path
    base: Path

    @property
    def name(self) -> str:
        return self.root.name

    @cached_property
    def spec(self) -> Path:
        return self.root / "experiment.yaml"

    @cached_property
    def compiled(self) -> Path:
        """The checked spec; may be deleted."""
        return self.root / "state" / "spec.json"

    @cached_property
    def ledger(self) -> Path:
        """What happened, one line a run; everything else is derived from it."""
        return self.root / "ledger.jsonl"

    @cached_property
    def start(self) -> Path:
        """How the experiment began: base tree, contract, seeds."""
        return self.root / "start.json"

    @cached_property
    def design(self) -> Path:
        """The approved design of a run that the experiment was begun with."""
        return self.root / "design.json"

    @cached_property
    def anew(self) -> Path:
        """While it is there, all that was done is on its way to the folder of the history that it names."""
        return self.root / "anew.json"

    @cached_property
    def origin(self) -> Path:
        """The best of a parent experiment, where this one began with it."""
        return self.root / "origin.json"

    @cached_property
    def candidates(self) -> Path:
        """A bare git repository with every candidate as a commit."""
        return self.root / "candidates.git"

    @cached_property
    def working(self) -> Path:
        """The files that `step` evaluates; they stand at the best between runs."""
        return self.root / "work"

    @cached_property
    def best(self) -> Path:
        """A link to the folder of the best run: pointer, source and checkpoint change at one instant."""
        return self.root / "best"

    @cached_property
    def bests(self) -> Path:
        return self.root / "bests"

    @cached_property
    def best_record(self) -> Path:
        return self.root / "best.json"

    @cached_property
    def best_checkpoint(self) -> Path:
        return self.root / "best_ckpt"

    @cached_property
    def results(self) -> Path:
        return self.root / "results.tsv"

    @cached_property
    def lock(self) -> Path:
        return self.root / "lock"

    @cached_property
    def unclean(self) -> Path:
        """Processes of a run that could not be ended; nothing is started while they live."""
        return self.root / "unclean.json"

    @cached_property
    def stop(self) -> Path:
        """A person's wish that the loop ends after the run under way."""
        return self.root / "stop"

    @cached_property
    def decision(self) -> Path:
        return self.root / "chain_decision.json"

    def private(self, user: str) -> Path:
        """Temporary files and caches of what runs now, empty when it starts."""
        return self.root / "private" / user

    @cached_property
    def blocks(self) -> Path:
        """One record a job of Snakemake."""
        return self.root / "blocks"

    @cached_property
    def aside(self) -> Path:
        """Hand edits of the working files that a restore found; nothing is overwritten."""
        return self.root / "aside"

    @cached_property
    def events(self) -> Path:
        """TensorBoard files with one step a run."""
        return self.root / "events"

    @cached_property
    def log(self) -> Path:
        """Where calls of agents are written down: with the run's own, where it belongs to one."""
        is_of_run = (self.base / "run.yaml").is_file()
        return self.base / "logs" / "agents.jsonl" if is_of_run else self.root / "agents.jsonl"

    def run(self, name: str) -> RunFolder:
        return RunFolder(self.root / "runs" / name)

    def run_names(self) -> list[str]:
        try:
            return sorted(filter(RUN_ID.match, os.listdir(self.root / "runs")), key=lambda name: int(name[1:]))
        except OSError:
            return []


@dataclass(frozen=True)
class RunFolder:
    """What one run left: its proposal, its measurements, its logs."""

    root: Path

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    @property
    def proposal(self) -> Path:
        """The candidate as it was proposed; written once, so that a restart asks no agent twice."""
        return self.root / "proposal.json"

    @property
    def draft(self) -> Path:
        """The private copy that the proposer edits."""
        return self.root / "draft"

    @property
    def tree(self) -> Path:
        """The pristine copy that is run."""
        return self.root / "tree"

    @property
    def log(self) -> Path:
        return self.root / "run.log"

    @property
    def checkpoint(self) -> Path:
        return self.root / "checkpoint"

    def measured(self, part: str) -> Path:
        """One measurement: `first`, or the repeat of the candidate or the best on a further seed."""
        return self.root / f"measured-{part}.json"

    def log_of(self, part: str) -> Path:
        return self.log if part == "first" else self.root / f"measured-{part}.log"


def command_of(home: Home, verb: str) -> str:
    """One verb for this experiment, with the run that it belongs to where there is one."""
    of_run = f" --run {home.base.name}" if (home.base / "run.yaml").is_file() else ""
    return f"flagstone experiment {verb} {home.name}{of_run}"
