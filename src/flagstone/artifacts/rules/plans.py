"""The plans of experiments that a stage leaves: each must be one that the engine can run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from flagstone import schemas
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.errors import FlagstoneError
from flagstone.layout import PLAN_FILE, Run
from flagstone.plans import Spec, excesses, spec_of
from flagstone.text import escaped_text, list_text

RULE = "experiment-plans"
MANY = 200
MOST_GPUS = 4096
NAMES = (
    "is never run: the name of a plan is that of its experiment, at most 64 letters, digits, dots, hyphens and "
    "underscores, the first a letter or digit, then .yaml, and no subfolder; rename it"
)


def plan_checks(run: Run) -> Iterator[RuleCheck]:
    """One row if the stage left plans, otherwise none."""
    folder, paths = run.pinned / "schemas", plan_files(run)
    names = [path for path in paths if PLAN_FILE.match(path)]
    if not paths or not (folder / "experiment.schema.yaml").is_file():
        return
    problems = [f"workspace/experiments/{escaped_text(path, 120)} {NAMES}" for path in paths if path not in names]
    problems += [f"{stem}.yaml and {stem}.yml are two plans of one name" for stem in repeated_stems(names)]
    problems += [problem for name in names[:MANY] for problem in problems_of_plan(run.plans / name, run, folder)]
    if problems:
        yield failed_check(RULE, f"correct these plans, so that they can be run: {list_text(problems)}")
    else:
        yield passed_check(RULE, f"every plan has the form that it needs: {escaped_text(', '.join(names), 200)}")


def plan_files(run: Run) -> list[str]:
    """Every file that somebody may mean as a plan, by its path below the folder of the plans."""
    found = []
    for place, _, names in os.walk(run.plans):
        paths = (os.path.relpath(os.path.join(place, name), run.plans) for name in names)
        found += [path for path in paths if path.lower().endswith((".yaml", ".yml"))]
    return sorted(found)


def repeated_stems(names: list[str]) -> list[str]:
    stems = [name.rpartition(".")[0] for name in names]
    return sorted({stem for stem in stems if stems.count(stem) > 1})


def problems_of_plan(path: Path, run: Run, folder: Path) -> Iterator[str]:
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
    try:
        spec = spec_of(path.stem, run.root, value)
    except FlagstoneError as error:
        yield f"{where}: {error.problem}"
        return
    yield from (f"{where}: {problem}" for problem in (*excesses(spec, run), *problems_of_spec(spec, run)))


def problems_of_spec(spec: Spec, run: Run) -> Iterator[str]:
    """What no run could begin without, or no machine has."""
    if spec.proposer == "scripted" and not spec.script:
        yield "`proposer: scripted` needs `script`: a folder with one edit a run (0002/, …), or a Python file"
    if spec.proposer == "search" and not spec.search.get("parameters"):
        yield "`proposer: search` needs `search: {parameters: {NAME: {low: …, high: …}}}`"
    if not spec.has_end:
        yield "stopping sets nothing that ends it for certain: give max_runs, plateau or wall_h"
    if spec.harness.gpus > MOST_GPUS:
        yield f"harness.gpus: {spec.harness.gpus} are more than any machine has"
    if spec.parent:
        yield "no plan begins from another experiment; leave `parent` out"
    if not spec.subject.root.is_relative_to(run.root.resolve()):
        yield "subject.root leads out of the run"
    elif not spec.subject.root.is_dir():
        yield f"the folder {spec.merged['subject'].get('root')} (subject.root) does not exist"
