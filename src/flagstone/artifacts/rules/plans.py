"""The plans of experiments that a stage leaves: each must be one that the engine can run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.artifacts.rules.findings import Check, failed, passed
from flagstone.errors import FlagstoneError
from flagstone.layout import PLAN_FILE, Run
from flagstone.settings import PERSONS_OPTIONS, sandbox_of, sandbox_word
from flagstone.text import escaped_text, list_text

RULE = "experiment-plans"
MANY = 200
MOST_GPUS = 4096
NAMES = (
    "is never run: the name of a plan is that of its experiment, at most 64 letters, digits, dots, hyphens and "
    "underscores, the first a letter or digit, then .yaml, and no subfolder; rename it"
)


def plan_checks(run: Run) -> Iterator[Check]:
    """One row where there are plans; none where there are none."""
    folder, paths = run.pinned / "schemas", plan_files(run)
    names = [path for path in paths if PLAN_FILE.match(path)]
    if not paths or not (folder / "experiment.schema.yaml").is_file():
        return
    problems = [f"workspace/experiments/{escaped_text(path, 120)} {NAMES}" for path in paths if path not in names]
    problems += [f"{stem}.yaml and {stem}.yml are two plans of one name" for stem in twice(names)]
    problems += [problem for name in names[:MANY] for problem in problems_of(run.plans / name, run, folder)]
    if problems:
        yield failed(RULE, f"correct these plans, so that they can be run: {list_text(problems)}")
    else:
        yield passed(RULE, f"every plan has the form that the engine asks for: {escaped_text(', '.join(names), 200)}")


def plan_files(run: Run) -> list[str]:
    """Every file that somebody may mean as a plan, by its path below the folder of the plans."""
    found = []
    for place, _, names in os.walk(run.plans):
        paths = (os.path.relpath(os.path.join(place, name), run.plans) for name in names)
        found += [path for path in paths if path.lower().endswith((".yaml", ".yml"))]
    return sorted(found)


def twice(names: list[str]) -> list[str]:
    stems = [name.rpartition(".")[0] for name in names]
    return sorted({stem for stem in stems if stems.count(stem) > 1})


def problems_of(path: Path, run: Run, folder: Path) -> Iterator[str]:
    where = run.relative(path)
    try:
        value = schemas.read_yaml(path)
        found = schemas.problems(folder, "experiment", value)
    except FlagstoneError as error:
        yield error.problem
        return
    yield from (f"{where}: {problem}" for problem in found[:5])
    if found:
        return
    yield from (f"{where}: {problem}" for problem in freedoms(value, sandbox_of(run)))
    yield from (f"{where}: {problem}" for problem in lacks(value))
    if value.get("parent"):
        yield f"{where}: no plan begins from another experiment; leave `parent` out"
    root = run.root / value["subject"].get("root", ".")
    if not os.path.realpath(root).startswith(os.path.realpath(run.root)):
        yield f"{where}: subject.root leads out of the run"
    elif not root.is_dir():
        yield f"{where}: the folder {value['subject'].get('root')} (subject.root) is not there"


def lacks(plan: Mapping[str, Any]) -> Iterator[str]:
    """What no run could begin without, or no machine has."""
    proposer = plan.get("proposer", "agent")
    if proposer == "scripted" and not plan.get("script"):
        yield "`proposer: scripted` needs `script`: a folder with one edit a run (0002/, …), or a Python file"
    if proposer == "search" and not plan.get("search", {}).get("parameters"):
        yield "`proposer: search` needs `search: {parameters: {NAME: {low: …, high: …}}}`"
    if plan["harness"].get("gpus", 0) > MOST_GPUS:
        yield f"harness.gpus: {plan['harness']['gpus']} are more than any machine has"


def freedoms(plan: Mapping[str, Any], sandbox: str) -> Iterator[str]:
    """What a plan takes that only a person may give; `sandbox` is what the run is set to."""
    if sandbox_word(plan.get("sandbox", "auto")) == "off" and sandbox != "off":
        yield f"`sandbox: off` is for a person to set in run.yaml, which says {sandbox}: leave the line out"
    if plan["harness"].get("writable"):
        yield "harness.writable: in a run nothing outside an experiment's own folder may be written: leave it out"
    options = plan.get("agent", {}).get("options", {})
    yield from (
        f"agent.options.{name} is for a person to set in run.yaml: leave it out"
        for name in PERSONS_OPTIONS
        if name in options
    )
