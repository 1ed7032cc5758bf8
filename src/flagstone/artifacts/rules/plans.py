"""The plans of experiments and trials that a stage leaves: each must be one that Flagstone can run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check, skipped_check
from flagstone.errors import FlagstoneError
from flagstone.layout import PLAN_FILE, Run
from flagstone.plans import Spec, excesses, missing_data, spec_of, trial_plan_problems, trial_spec_of
from flagstone.text import escaped_text, list_text

MANY = 200
MOST_GPUS = 4096
MOST_PROBLEMS = 30  # of all plans of a kind, in one message
NAMES = (
    "at most 64 letters, digits, dots, hyphens and underscores, the first a letter or digit, then .yaml, "
    "and no subfolder; rename it"
)
SEALED = "sealed"  # the folder of a trial with its confirmation seeds


@dataclass(frozen=True)
class PlanKind:
    """Plans of one kind: the rule that judges them, what they plan, and what is wrong with one beyond its schema."""

    rule: str
    noun: str
    problems: Callable[[Path, Mapping[str, Any], Run], Iterator[str]]
    rules: Callable[[Mapping[str, Any]], list[str]] = lambda value: []  # for a plan that breaks its schema too

    def folder(self, run: Run) -> Path:
        return run.workspace / f"{self.noun}s"


def plan_checks(run: Run, *, makes_ideas: bool = False) -> Iterator[RuleCheck]:
    """One row for each kind of plan that the stage left. In a campaign (`makes_ideas`) a trial has no treatment yet."""
    yield from checks_of(PlanKind("experiment-plans", "experiment", problems_of_experiment), run)
    problems = problems_of_trial if makes_ideas else problems_of_treated_trial
    yield from checks_of(PlanKind("trial-plans", "trial", problems, trial_plan_problems), run)


def checks_of(kind: PlanKind, run: Run) -> Iterator[RuleCheck]:
    folder = kind.folder(run)
    paths = plan_files(folder)
    if not paths:
        return
    if not (run.pinned / "schemas" / f"{kind.noun}.schema.yaml").is_file():
        if kind.noun == "trial":  # a run of an earlier version, whose prompts ask for no trial
            yield skipped_check(kind.rule, f"the run has no schema of trials; take it over: flagstone repin {run.name}")
        return
    names = [path for path in paths if PLAN_FILE.match(path)]
    unnamed = f"is never run: the name of a plan is that of its {kind.noun}, {NAMES}"
    problems = [f"{run.relative(folder)}/{escaped_text(path, 120)} {unnamed}" for path in paths if path not in names]
    problems += [f"{stem}.yaml and {stem}.yml are two plans of one name" for stem in repeated_stems(names)]
    problems += [problem for name in names[:MANY] for problem in problems_of_plan(folder / name, run, kind)]
    if problems:
        listed = list_text(problems, MOST_PROBLEMS)
        yield failed_check(kind.rule, f"correct these plans, so that they can be run: {listed}")
    else:
        yield passed_check(kind.rule, f"every plan has the form that it needs: {escaped_text(', '.join(names), 200)}")


def plan_files(folder: Path) -> list[str]:
    """Every file that somebody may mean as a plan, by its path below the folder of the plans."""
    found = []
    for place, _, names in os.walk(folder):
        paths = (os.path.relpath(os.path.join(place, name), folder) for name in names)
        found += [path for path in paths if path.lower().endswith((".yaml", ".yml"))]
    return sorted(found)


def repeated_stems(names: list[str]) -> list[str]:
    stems = [name.rpartition(".")[0] for name in names]
    return sorted({stem for stem in stems if stems.count(stem) > 1})


def problems_of_plan(path: Path, run: Run, kind: PlanKind) -> Iterator[str]:
    where = run.relative(path)
    try:
        value = schemas.read_yaml(path)
        found = schemas.problems(run.pinned / "schemas", kind.noun, value)
    except FlagstoneError as error:
        yield error.problem
        return
    found += kind.rules(value) if isinstance(value, dict) else []
    try:
        found = found or list(kind.problems(path, value, run))
    except FlagstoneError as error:
        found = [error.problem]
    yield from (f"{where}: {problem}" for problem in dict.fromkeys(found))


def problems_of_experiment(path: Path, value: Mapping[str, Any], run: Run) -> Iterator[str]:
    """What no run could begin without, or no machine has."""
    spec = spec_of(path.stem, run.root, value)
    yield from excesses(spec, run)
    if spec.proposer == "scripted" and not spec.script:
        yield "`proposer: scripted` needs `script`: a folder with one edit a run (0002/, …), or a Python file"
    if spec.proposer == "search" and not spec.search.get("parameters"):
        yield "`proposer: search` needs `search: {parameters: {NAME: {low: …, high: …}}}`"
    if not spec.has_end:
        yield "stopping sets nothing that ends it for certain: give max_runs, plateau or wall_h"
    if spec.parent:
        yield "no plan begins from another experiment; leave `parent` out"
    yield from problems_of_place(spec, run.root)


def problems_of_trial(path: Path, value: Mapping[str, Any], run: Run) -> Iterator[str]:
    """What would let a trial see more than it may, or run nothing."""
    spec = trial_spec_of(path.stem, run.root, value)
    yield from excesses(spec.experiment, run)
    if any(is_sealed_path(word) for key, row in value.items() if key != "question" for word in words_in(row)):
        yield "it names a file below `sealed`, where Flagstone keeps the confirmation seeds: leave that out"
    for arm in spec.arms:
        if arm.tree and not (run.root / arm.tree).resolve().is_relative_to(run.workspace.resolve()):
            yield f"arms.{arm.name}.tree leads out of the workspace"
    faults = list(problems_of_place(spec.experiment, run.workspace))
    yield from faults or missing_data(spec, path.read_text(encoding="utf-8", errors="replace"))


def problems_of_treated_trial(path: Path, value: Mapping[str, Any], run: Run) -> Iterator[str]:
    yield from problems_of_trial(path, value, run)
    if not trial_spec_of(path.stem, run.root, value).arms:
        yield "it has no treatment: give it a `switch`, or `arms`"


def words_in(value: object) -> Iterator[str]:
    """Every text within a value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        yield from (word for row in (value.values() if isinstance(value, Mapping) else value) for word in words_in(row))


def is_sealed_path(word: str) -> bool:
    return "/" in word and SEALED in re.split(r"[/=:\s]", word)


def problems_of_place(spec: Spec, within: Path) -> Iterator[str]:
    """What is wrong with the machine or the folder that a run needs."""
    if spec.harness.gpus > MOST_GPUS:
        yield f"harness.gpus: {spec.harness.gpus} are more than any machine has"
    if not spec.subject.root.is_relative_to(within.resolve()):
        yield f"subject.root leads out of the {'workspace' if within.name == 'workspace' else 'run'}"
    elif not spec.subject.root.is_dir():
        yield f"the folder {spec.merged['subject'].get('root')} (subject.root) does not exist"
