"""The name of every path below the folder of an experiment."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.layout import path_below

RUN_ID = re.compile(r"r\d{4,}\Z")


def run_id(number: int) -> str:
    return f"r{number:04d}"


def unused_path(path: Path) -> Path:
    """Returns this path, or the first one with a number after it that does not exist yet."""
    number, found = 1, path
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def numbered_path(folder: Path) -> Path:
    """Returns the first of 01, 02, … in a folder that does not exist yet."""
    number = 1
    while os.path.lexists(folder / f"{number:02d}"):
        number += 1
    return folder / f"{number:02d}"


@dataclass(frozen=True)
class Home:
    """The folder of one experiment. `base` is the project or the run that it belongs to."""

    root: Path
    base: Path

    @property
    def name(self) -> str:
        return self.root.name

    spec = path_below("experiment.yaml")
    # the checked spec; it may be deleted
    compiled = path_below("state", "spec.json")
    # what happened, one line a run; everything else is derived from it
    ledger = path_below("ledger.jsonl")
    # how the experiment began: base tree and contract
    start = path_below("start.json")
    # the approved design of a run that the experiment began with
    design = path_below("design.json")
    # while it exists, everything that was done is being moved to the folder of the history that it names
    anew = path_below("anew.json")
    # the best of the parent experiment, if this one began with it
    origin = path_below("origin.json")
    # a bare git repository with every candidate as a commit
    candidates = path_below("candidates.git")
    # the files that `step` evaluates; between runs they are those of the best
    working = path_below("work")
    # a link to the folder of the best run: pointer, source and checkpoint change at one instant
    best = path_below("best")
    bests = path_below("bests")
    best_record = path_below("best.json")
    best_checkpoint = path_below("best_ckpt")
    results = path_below("results.tsv")
    lock = path_below("lock")
    # the step that was started last, and what it printed
    step = path_below("step.json")
    step_log = path_below("step.log")
    # the session of Claude Code that drives the experiment
    drive = path_below("drive.json")
    # processes of a run that could not be ended; nothing is started while they live
    unclean = path_below("unclean.json")
    # what the hidden check printed, and what it writes to; no agent and no run sees this folder
    hidden = path_below("hidden")
    # a person asks the loop to end after the current run
    stop = path_below("stop")
    decision = path_below("chain_decision.json")
    # what a check before the first run has proven
    check = path_below("check.json")

    def private_folder(self, user: str) -> Path:
        """Temporary files and caches of what runs now, empty when it starts."""
        return self.root / "private" / user

    # one record for each job of Snakemake
    blocks = path_below("blocks")
    # what `flagstone setup` found in the project, and what was answered
    findings = path_below("findings.json")
    # files of the experiment's own, which lie at the top of the tree of every candidate
    own = path_below("own")
    # edits by hand that a restore found in the working files; nothing is overwritten
    aside = path_below("aside")
    # TensorBoard files with one step for each run
    events = path_below("events")

    @cached_property
    def log(self) -> Path:
        """The log of agent calls: that of the run, if the experiment belongs to one."""
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

    result = path_below("result.json")
    # the candidate as it was proposed; written once, so that a restart asks no agent twice
    proposal = path_below("proposal.json")
    # the private copy that the proposer edits
    draft = path_below("draft")
    # the copy that is run, as the proposer left it
    tree = path_below("tree")
    log = path_below("run.log")
    checkpoint = path_below("checkpoint")

    def measurement_file(self, part: str) -> Path:
        """The record of one measurement: `first`, or a repeat of the candidate or of the best on a further seed."""
        return self.root / f"measured-{part}.json"

    def log_of(self, part: str) -> Path:
        return self.log if part == "first" else self.root / f"measured-{part}.log"


def command_of(home: Home, verb: str) -> str:
    """One verb for this experiment, with the run that it belongs to where there is one."""
    if home.root.parent.parent.name == "markers":
        verb = "finalize" if home.name.startswith("finalizing-") else verb
        return f"flagstone marker {verb} {shlex.quote(home.root.parent.name)}"
    of_run = f" --run {home.base.name}" if (home.base / "run.yaml").is_file() else ""
    return f"flagstone experiment {verb} {home.name}{of_run}"
