"""One job of Snakemake: some runs of an experiment that a run has planned, and what is left when it has ended."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.agents.accounts import Budget
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine.engine import Engine, engine_of
from flagstone.experiments.engine.opening import OpenedExperiment, open_experiment, start_over
from flagstone.experiments.ledger import Accounts, entries_of, head_of
from flagstone.experiments.proposers import Proposer
from flagstone.plans import Home, Plan, Spec, command_of, unused_path
from flagstone.records import digest_bytes, read_record, write_atomic, write_record

COLUMNS = ("experiment", "run", "parent", "status", "verdict", "value", "best_so_far", "note")


@dataclass(frozen=True)
class Job:
    """One block of one plan, for a stage; `budgets` are the budgets that its GPU time is taken from."""

    plan: Plan
    block: Path
    stage: str = ""
    budgets: Sequence[Budget] = ()


def run_block(
    job: Job,
    schemas: Path,
    proposer: Callable[[OpenedExperiment], Proposer | None],
    say: Callable[[str], None],
) -> None:
    """Runs what is left of a block. A killed one is taken up where it stopped, each run exactly once."""
    plan, block = job.plan, job.block
    home = Home(plan.folder, plan.run.root)
    adopt_plan(home, plan)
    opened = open_experiment(home, schemas)
    accounts = Accounts(home, job.stage, job.budgets)
    with engine_of(opened, proposer(opened), say, accounts, tells_interruptions=False) as engine:
        first = first_number(home, plan, block, engine.history.progress.number)
        done = engine.history.progress.number - first
        ended = engine.run(opened.spec.block - done) if done < opened.spec.block else engine.ended_by()
        if ended == "manual":
            raise FlagstoneError(
                f"experiment {home.name} was stopped by a person",
                hint=f"continue it: {command_of(home, 'resume')}",
            )
        if ended:
            finish(plan, opened, engine, ended)
        write_block(plan, block, engine, first, ended)


def adopt_plan(home: Home, plan: Plan) -> None:
    """The approved plan is the spec; another design than before begins a new experiment, and the old one is kept."""
    if home.anew.exists():
        start_over(home)  # a kill came in between
    design, text = plan.digest, plan.text
    begun = (read_record(home.design) or {}).get("plan")
    if begun not in (None, design):
        start_over(home)
    elif is_edited(home, text):
        set_aside(home, plan)
    if not home.spec.is_file() or is_edited(home, text):
        write_atomic(home.spec, text.encode())
    if begun != design or not home.design.is_file():
        write_record(home.design, {"plan": design})


def is_edited(home: Home, text: str) -> bool:
    return home.spec.is_file() and home.spec.read_text(encoding="utf-8", errors="replace") != text


def set_aside(home: Home, plan: Plan) -> None:
    """What a person wrote into experiment.yaml is kept, and gives way to the plan; runs made under it never are."""
    where = plan.run.relative(plan.path)
    if Spec.digest_in(home.spec) != Spec.digest_in(plan.path) and home.ledger.exists():
        raise FlagstoneError(
            f"{home.spec} was edited and differs from the approved plan {where} in what decides the number",
            hint=f"to start over with it, edit {where} and approve it again (these runs are kept); "
            f"to restore the plan: cp {plan.path} {home.spec}",
        )
    home.aside.mkdir(parents=True, exist_ok=True)
    os.replace(home.spec, unused_path(home.aside / home.spec.name))


def naming_plan(words: str, plan: Plan) -> str:
    """The same words with the plan in the place of experiment.yaml, which is only a copy of it in a run."""
    where, spec = plan.run.relative(plan.path), plan.folder / "experiment.yaml"
    for named in (f"in {spec}", f"in {spec.name}"):
        words = words.replace(named, f"in {where} (to be approved again)")
    return where + words.removeprefix(str(spec)) if words.startswith(f"{spec}: ") else words


def first_number(home: Home, plan: Plan, block: Path, number: int) -> int:
    """How many runs there were when this block was begun, however often it was killed since."""
    path = home.root / "state" / "block.json"
    known = read_record(path) or {}
    if known.get("plan") == plan.digest and known.get("block") == block.stem:
        return int(known["first"])
    write_record(path, {"plan": plan.digest, "block": block.stem, "first": number})
    return number


def write_block(plan: Plan, block: Path, engine: Engine, first: int, ended: str) -> None:
    progress = engine.history.progress
    write_record(
        block,
        {
            "plan": plan.digest,
            "block": block.stem,
            "runs": [first + 1, progress.number],
            "best_run": progress.best_run,
            "best_value": progress.best_value,
            "should_terminate": bool(ended),
            "terminated_by": ended,
            "ledger": head_of(engine.opened.home.ledger),
        },
        durable=False,
    )


def finish(plan: Plan, opened: OpenedExperiment, engine: Engine, ended: str) -> None:
    """Puts the results where stages look for them, with a copy of our own, and says that the experiment has ended."""
    facts = {"plan": plan.digest, "terminated_by": ended, "ledger": head_of(opened.home.ledger)}
    files = {
        f"workspace/results/{plan.name}/experiment.json": as_json(outcome(opened, engine, ended)),
        f"workspace/results/{plan.name}/iterations.csv": table(plan.name, opened.home.ledger),
    }
    for path, content in files.items():
        write_atomic(plan.run.root / path, content)
        write_atomic(opened.home.root / "exports" / Path(path).name, content)
    plan.picture.unlink(missing_ok=True)  # drawn again from these runs
    exports = {path: digest_bytes(content) for path, content in files.items()}
    write_record(plan.done_file, {**facts, "summary": summary_text(opened, engine, ended), "exports": exports})


def summary_text(opened: OpenedExperiment, engine: Engine, ended: str) -> str:
    progress, name = engine.history.progress, opened.spec.metric.name
    best = f"best {name} {progress.best_value:.6g} in {progress.best_run}" if progress.best else "no valid run"
    return f"{progress.number} runs, {best}, ended by {ended}"


def outcome(opened: OpenedExperiment, engine: Engine, ended: str) -> dict[str, Any]:
    """The result as one record, every number of it measured by us."""
    progress, metric = engine.history.progress, opened.spec.metric
    best = progress.best
    return {
        "experiment": opened.home.name,
        "goal": opened.spec.goal,
        "metric": {"name": metric.name, "direction": metric.direction},
        "runs": progress.number,
        "terminated_by": ended,
        "baseline": list(progress.baseline),
        "best": {
            "run": progress.best_run,
            "value": progress.best_value,
            "note": best.note if best else "",
            "repeats": [each.value for each in best.measurements] if best else [],
            "evidence": dict(best.judgement) if best else {},
            "tree": best.tree if best else "",
        },
        "ledger_head": head_of(opened.home.ledger)[1],
    }


def as_json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def table(name: str, ledger: Path) -> bytes:
    """The ledger as CSV: one row a run, failed runs too."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries_of(ledger):
        parent, note = entry.parent_run or "base", " ".join(entry.note.split())
        row = (name, entry.run_id, parent, entry.status, entry.verdict, entry.value, entry.best_value, note)
        writer.writerow(row)
    return stream.getvalue().encode()
