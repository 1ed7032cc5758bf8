"""An experiment, opened: its spec, subject and contract, and how it began."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import (
    Contract,
    Snapshot,
    Store,
    Subject,
    Working,
    make_run_repository,
    subject_of,
)
from flagstone.experiments.ledger import History
from flagstone.experiments.measuring import Harness, program_path
from flagstone.locks import hold
from flagstone.plans import ARGUMENTS_FILE, Home, Spec, command_of, load_spec, unused_path
from flagstone.processes import Interruption
from flagstone.records import cannot_write, read_record, utc, write_record


@dataclass(frozen=True)
class OpenedExperiment:
    """What every verb of an experiment needs. `start` is how it began."""

    home: Home
    spec: Spec
    subject: Subject
    contract: Contract
    start: Mapping[str, Any]

    @property
    def base(self) -> Snapshot:
        return Snapshot(self.start["tree"], self.start["commit"])


def facts_of(opened: OpenedExperiment, tree: str) -> dict[str, Any]:
    """What a table can show of a candidate that no proposer has described."""
    from flagstone.experiments.proposers import parameters_in

    files = opened.subject.files(tree)
    parameters = parameters_in(files.get(opened.spec.subject.entry, b""))
    return with_arguments({"parameters": parameters}, opened, tree)


def with_arguments(facts: Mapping[str, Any], opened: OpenedExperiment, tree: str) -> dict[str, Any]:
    """The facts, with what a candidate sets in the command line, as words too. {seed} and the like stay as they are."""
    arguments = opened.spec.subject.command_arguments
    if arguments is None:
        return dict(facts)
    content = opened.subject.files(tree).get(ARGUMENTS_FILE, b"")
    own = {} if any(arguments.problems(content)) else arguments.own_values(content)
    words = list(arguments.words(own, str))
    return {**facts, "parameters": {**(facts.get("parameters") or {}), **own}, "arguments": words}


def open_experiment(home: Home, schema_folder: Path, *, seconds: float | None = None) -> OpenedExperiment:
    """The experiment at a folder; where it was not yet begun, it begins now."""
    if home.anew.exists():
        with hold(home.lock, f"experiment {home.name}"):
            finish_starting_over(home)
    spec = load_spec(home.spec, home.base, schema_folder, compiled=home.compiled)
    contract, store = Contract(spec, home.spec), Store(home.candidates)
    subject = subject_of(spec.subject, store)
    if is_to_be_mended(home, subject):
        start_over(home)
    start = read_record(home.start)
    if start is None or is_outdated(home, subject, contract, start):
        start = begun_alone(home, spec, subject, contract)
    if seconds is not None:
        spec = replace(spec, harness=replace(spec.harness, seconds=seconds))
    return OpenedExperiment(home, spec, subject, contract, start)


def is_to_be_mended(home: Home, subject: Subject) -> bool:
    """Whether nothing ever ran, and the project has been changed since: then that is what is begun with."""
    start = read_record(home.start)
    if start is None or os.path.lexists(home.best) or home.origin.exists() or not home.ledger.exists():
        return False
    return History.read(home).progress.best is None and subject.has_changed(start["tree"])


def is_outdated(home: Home, subject: Subject, contract: Contract, start: Mapping[str, Any]) -> bool:
    """Whether the spec or the project was changed after it was set up, and before anything was run."""
    if home.ledger.exists() or home.origin.exists():
        return False
    return bool(contract.change_text(start["files"], start["contract"])) or subject.has_changed(start["tree"])


def begun_alone(home: Home, spec: Spec, subject: Subject, contract: Contract) -> dict[str, Any]:
    """Two that come at once begin it once."""
    with hold(home.lock, f"experiment {home.name}"):
        start = read_record(home.start)
        if start is not None and not is_outdated(home, subject, contract, start):
            return start
        return begin(home, spec, subject, contract)


def begin(home: Home, spec: Spec, subject: Subject, contract: Contract) -> dict[str, Any]:
    """Stores the base (the files as they stand, or the best of a parent) and the contract; lays out the files."""
    if not spec.subject.root.is_dir():
        raise FlagstoneError(
            f"the project folder {spec.subject.root} does not exist", hint=f"correct subject.root in {home.spec}"
        )
    home.root.mkdir(parents=True, exist_ok=True)
    os.chmod(home.root, 0o700)
    origin = read_record(home.origin)
    base = Snapshot(origin["tree"], origin["commit"]) if origin else subject.base()
    if not is_of_run(home):
        make_run_repository(spec.subject.root, subject.run_repository, has_every_file=spec.subject.kind == "git")
    working = Working(home, subject)
    if not (working.last_seen and home.working.is_dir()):  # noted last: without it, a kill may have left a half of them
        subject.lay_out(base.tree, home.working)
        working.note(base.tree)
    elif working.last_seen["tree"] != base.tree and working.is_unedited(base.tree):
        working.restore(base.tree)
    program = None if is_of_run(home) else program_path(spec.harness.argv[0], spec.subject.root, os.environ)
    files = contract.begun(program)
    start = {
        "tree": base.tree,
        "commit": base.commit,
        "contract": contract.digest(files),
        "files": files,
        "spec": spec.effective_values,
        "defaults": spec.defaults,
        "program": program,
        "began_at": utc(time.time()),
    }
    subject.survey(base.tree).begin()
    write_record(home.start, start)
    return start


def is_of_run(home: Home) -> bool:
    return (home.base / "run.yaml").is_file()


def refuse_if_tampered(opened: OpenedExperiment) -> None:
    """What decides about the number must be what it was when the experiment began."""
    changed = opened.contract.change_text(opened.start["files"], opened.start["contract"])
    if changed:
        raise FlagstoneError(
            f"what decides {opened.spec.metric.name} has changed since {opened.home.name} started: {changed}",
            hint=f"restore it, or start over with what is there now: {command_of(opened.home, 'run')} --fresh",
        )


def harness_of(opened: OpenedExperiment, interruption: Interruption, say: Callable[[str], None]) -> Harness:
    return Harness(
        spec=opened.spec,
        home=opened.home,
        subject=opened.subject,
        contract=opened.contract,
        start_digest=opened.start["contract"],
        start_files=opened.start["files"],
        base_tree=opened.base.tree,
        interruption=interruption,
        program=opened.start.get("program"),
        say=say,
    )


KEPT = {"experiment.yaml", "own", "findings.json", "history", "lock"}
KEPT |= {"candidates.git", "origin.json", "parent_ckpt", "chain_decision.json"}


def start_over(home: Home) -> None:
    """Moves what was done to history/<n>/; the spec and what a parent left stay."""
    if not home.spec.is_file():
        raise FlagstoneError(f"there is no experiment in {home.root}", hint="flagstone experiment new NAME starts one")
    with hold(home.lock, f"experiment {home.name}"):
        number = 1
        while (home.root / "history" / f"{number:03d}").exists():
            number += 1
        if not home.anew.exists():
            write_record(home.anew, {"folder": f"history/{number:03d}"})
        finish_starting_over(home)


def finish_starting_over(home: Home) -> None:
    """All of it, also where a kill came in between: no ledger goes on under a contract that it was not begun with."""
    folder = home.root / str((read_record(home.anew) or {}).get("folder", "history/unknown"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(os.listdir(home.root)):
            if name not in (*KEPT, home.anew.name):
                os.rename(home.root / name, unused_path(folder / name))
        home.anew.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def slots_for(lag: int) -> queue.SimpleQueue[int]:
    slots = queue.SimpleQueue[int]()
    for slot in range(max(1, lag - 1)):
        slots.put(slot)
    return slots
