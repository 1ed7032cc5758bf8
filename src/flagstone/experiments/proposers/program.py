"""A Python file that makes edits, run in a process of its own that can write to the draft only."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.experiments.ledger import Entry
from flagstone.experiments.measuring import AGENTS_OWN, confinement, secret_paths, tail_text
from flagstone.experiments.proposers import script_child
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.plans import run_id
from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, StartError, run
from flagstone.records import canonical, read_record

SHOWN = 50


def propose_by_program(script: Path, view: View, draft: Path, record_dir: Path) -> Proposed:
    """Runs it. A program that fails has made no edit; one that answers None has come to its end."""
    private = record_dir.absolute()
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    answer, log = private / "answer.json", private / "script.log"
    answer.unlink(missing_ok=True)
    command = Command(
        argv=(sys.executable, script_child.__file__, str(script.absolute()), str(draft), str(answer)),
        target=None,
        cwd=draft,
        env=environment(private),
        stdin=canonical(view_record(view)),
        owner=str(view.home.root),
        confinement=confinement(view.spec, (draft, private), hidden=secret_paths(view.home, view.spec)),
    )
    try:
        ended = run(command, ProcessLimits(wall_s=view.spec.agent.wall_s), Output(log))
    except StartError as error:
        return Proposed(failure=error.problem, is_fatal=True)
    record = read_record(answer)
    if ended.exit_code != 0 or record is None or ended.survivors:
        return Proposed(failure=f"{script.name} failed: {why(ended, log)}")
    if record["note"] is None:
        return Proposed(failure=f"{script.name} has no edit for run {view.number}", facts={"exhausted": True})
    return Proposed(note=record["note"])


def environment(private: Path) -> Mapping[str, str]:
    """Ours without the keys of agents; hashes of a fixed seed, so that the same view gives the same edit."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(AGENTS_OWN)}
    return {**ours, "TMPDIR": str(private), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def view_record(view: View) -> dict[str, Any]:
    """The view as plain values. The last runs only: it does not grow with the experiment."""
    metric = view.spec.metric
    return {
        "number": view.number,
        "run_id": run_id(view.number),
        "goal": view.spec.goal,
        "metric": {"name": metric.name, "direction": metric.direction},
        "seed": view.spec.seed,
        "best": entry_record(view.best) if view.best else None,
        "parent": entry_record(view.parent) if view.parent else None,
        "entries": [entry_record(entry) for entry in view.entries[-SHOWN:]],
    }


def entry_record(entry: Entry) -> dict[str, Any]:
    names = ("number", "run_id", "parent_run", "status", "verdict", "reason", "value", "note")
    return {**{name: getattr(entry, name) for name in names}, "proposal": dict(entry.proposal)}


def why(ended: ProcessResult, log: Path) -> str:
    if ended.survivors:
        return f"left processes that could not be ended: {', '.join(map(str, ended.unclean_pids))}"
    if ended.ending != "exit":
        return f"was ended ({ended.ending} limit)"
    lines = [line for line in tail_text(log, 40).splitlines() if line.strip()]
    raised = [line for line in lines if not line.startswith((" ", "["))]
    return (raised or lines or [f"exit code {ended.exit_code}"])[-1][:300]
