"""The next experiment, begun from the best of the one before: its source, its weights, and why."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine.opening import OpenedExperiment, open_experiment
from flagstone.experiments.ledger import Entry
from flagstone.experiments.measuring import checkpoint, link_or_copy, refuse_if_unclean
from flagstone.plans import Home, command_of, direction_of, with_end
from flagstone.records import digest_bytes, read_record, utc, write_atomic, write_record


@dataclass(frozen=True)
class NextExperiment:
    """What the child is to be: its name, why, and what differs from the parent."""

    name: str
    rationale: str
    goal: str = ""
    metric: str = ""
    direction: str = ""
    scope: tuple[str, ...] = ()
    budget: Mapping[str, float] | None = None


def begin_child(
    parent: OpenedExperiment, best: Entry | None, report: str, wanted: NextExperiment, schema_folder: Path
) -> OpenedExperiment:
    """Creates the next experiment, ready to run. If that fails, it leaves no folder behind."""
    refuse_if_unclean(parent.home)
    refuse(parent, best, wanted)
    assert best is not None
    child = Home(parent.home.root.with_name(wanted.name), parent.home.base)
    value = with_end(spec_of_child(parent, wanted))
    schemas.check(schema_folder, "experiment", value, f"the spec of {wanted.name}")
    half = child.root.with_name(f".{wanted.name}.new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    write_atomic(half / "experiment.yaml", yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode())
    shutil.copytree(parent.home.candidates, half / child.candidates.name, symlinks=True, copy_function=link_or_copy)
    if parent.home.own.is_dir():
        shutil.copytree(parent.home.own, half / child.own.name)
    write_record(half / child.origin.name, {"tree": best.tree, "commit": best.commit, "run": best.run_id})
    take_weights(parent, best, half)
    write_decision(half / child.decision.name, parent, best, report, wanted, value)
    os.rename(half, child.root)
    return open_experiment(child, schema_folder)


def child_of(home: Home) -> Home | None:
    """The experiment that was begun last from this one's best."""
    folder = home.root.parent
    siblings = (Home(folder / name, home.base) for name in sorted(os.listdir(folder)) if not name.startswith("."))
    decided = ((read_record(each.decision) or {}, each) for each in siblings)
    children = [(str(why["created_at"]), each) for why, each in decided if why.get("parent_expr") == home.name]
    return max(children, key=lambda row: row[0])[1] if children else None


def refuse(parent: OpenedExperiment, best: Entry | None, wanted: NextExperiment) -> None:
    if not wanted.rationale.strip():
        raise FlagstoneError("a chain needs a reason: the rationale is empty", hint='say why: --rationale "…"')
    if best is None:
        raise FlagstoneError(
            f"experiment {parent.home.name} has no best to start from",
            hint=f"run it first: {command_of(parent.home, 'run')}",
        )
    if parent.home.root.with_name(wanted.name).exists():
        raise FlagstoneError(f"experiment {wanted.name!r} already exists", hint="choose another name")
    for name, limit in (wanted.budget or {}).items():
        if limit <= 0:
            raise FlagstoneError(f"a budget of {limit:g} ({name}) leaves nothing to run", hint="give a budget above 0")
    left = parent.spec.stopping.cost_usd
    if left is not None and wanted.budget is not None and wanted.budget.get("cost_usd", left) > left:
        raise FlagstoneError(
            f"the parent has ${left:g} left for all children, but the child asks for more",
            hint="give a smaller --cost-usd",
        )


def spec_of_child(parent: OpenedExperiment, wanted: NextExperiment) -> dict[str, Any]:
    """The parent's spec with what differs. Threshold and direction of another metric mean nothing here."""
    value = {key: dict(row) if isinstance(row, dict) else row for key, row in parent.spec.merged.items()}
    value["parent"] = parent.home.name
    value["goal"] = wanted.goal or value["goal"]
    is_other = bool(wanted.metric) and wanted.metric != parent.spec.metric.name
    if is_other:
        kept = {key: row for key, row in value["metric"].items() if key not in ("tag", "key", "regex")}
        value["metric"] = {**kept, "name": wanted.metric}
        value["metric"]["direction"] = wanted.direction or direction_of(wanted.metric)
    elif wanted.direction:
        value["metric"]["direction"] = wanted.direction
    stopping = dict(value.get("stopping", {}))
    if is_other or (wanted.direction and wanted.direction != parent.spec.metric.direction):
        stopping.pop("threshold", None)
    value["stopping"] = {**stopping, **(wanted.budget or {})}
    if wanted.scope:
        value["scope"] = list(wanted.scope)
    return value


def take_weights(parent: OpenedExperiment, best: Entry, child: Path) -> None:
    """Links the checkpoint of the parent's best run into the child's folder. Refuses if the disk is nearly full."""
    saved = best.first.checkpoint if best.first else ""
    kept = checkpoint.of_run(parent.home.run(best.run_id), saved)
    if kept is None:
        return
    size = sum(path.stat().st_size for path in ([kept] if kept.is_file() else kept.rglob("*")) if path.is_file())
    if shutil.disk_usage(child).free < 2 * size:
        raise FlagstoneError(
            f"not enough disk space for the parent's checkpoint ({size // 1_000_000} MB)", hint="free some space"
        )
    (child / checkpoint.PARENT).mkdir()
    checkpoint.link(kept, child / checkpoint.PARENT / saved)


def write_decision(
    path: Path, parent: OpenedExperiment, best: Entry, report: str, wanted: NextExperiment, value: Mapping[str, Any]
) -> None:
    """Why the child exists, word for word; read-only."""
    above = read_record(parent.home.decision) or {}
    metric = parent.spec.metric
    write_record(
        path,
        {
            "parent_expr": parent.home.name,
            "parent_primary": {"name": metric.name, "direction": metric.direction, "best_value": best.value},
            "child_primary": {"name": value["metric"]["name"], "direction": value["metric"]["direction"]},
            "child_goal": value["goal"],
            "child_mutation_scope": list(value.get("scope", [])),
            "rationale": wanted.rationale,
            "parent_report_sha256": digest_bytes(report.encode()),
            "parent_best_run": best.run_id,
            "created_at": utc(time.time()),
            "chain_position": int(above.get("chain_position", 0)) + 1,
        },
    )
    path.chmod(0o444)
