"""Loads everything that a job needs, once. The jobs of one call are then forked from that process."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flagstone.gates import RunConfig

LOADED = (
    "csv",
    "glob",
    "resource",
    "subprocess",
    "flagstone.agents.demo.work",
    "flagstone.artifacts.rules.contract",
    "flagstone.artifacts.rules.manuscript",
    "flagstone.artifacts.formats.pictures",
    "flagstone.artifacts.rules.readiness",
    "flagstone.artifacts.rules.requirements",
    "flagstone.artifacts.formats.tables",
)
LOADED_FOR_TRIALS = (
    "ctypes",
    "resource",
    "flagstone.experiments.candidates.subject",
    "flagstone.metrics.log",
    "flagstone.metrics.own_files",
    "flagstone.trials.running.look",
    "flagstone.trials.running.measuring",
)
LOADED_FOR_BLOCKS = (
    *LOADED_FOR_TRIALS,
    "flagstone.experiments.proposers.agent",
    "flagstone.experiments.proposers.scripted",
    "flagstone.experiments.proposers.search",
    "flagstone.metrics.tensorboard",
)
SUMMARY = "# Stage\n\n## Key Results\n\nA *number* in `results/a.json`.\n\n```text\ncode\n```\n\n1. One\n   - two\n"


def load_stage(opened: RunConfig) -> Callable[[list[str]], int]:
    """Loads what builds a stage of this run. Returns the function that a forked process calls."""
    from flagstone.cli.jobs.stage import main

    for name in LOADED:
        importlib.import_module(name)
    with suppress(Exception):  # the stage that meets the same error reports it
        try_out(opened)
    gc.collect()
    gc.freeze()  # so that a collection in a stage does not touch, and so copy, what all stages share
    return main


def load_block() -> Callable[[list[str]], int]:
    """Loads what the jobs of experiments and trials need. Returns the function that a forked process calls."""
    from flagstone.cli.jobs import block, trial

    load_for_runs(LOADED_FOR_BLOCKS)
    return lambda words: (trial if words[0] in trial.JOBS else block).main(words)


def load_trial() -> Callable[[list[str]], int]:
    """The same for the jobs of one trial."""
    from flagstone.cli.jobs import trial

    load_for_runs(LOADED_FOR_TRIALS)
    return trial.main


def load_for_runs(names: Iterable[str]) -> None:
    from flagstone.agents import sandbox

    for name in names:
        importlib.import_module(name)
    sandbox.strength()
    gc.collect()
    gc.freeze()


def try_out(opened: RunConfig) -> None:
    """Does once what every stage does, so that the caches are filled before the fork."""
    from flagstone import prompts, schemas
    from flagstone.agents import sandbox
    from flagstone.artifacts.rules import parse_summary
    from flagstone.status import manifest

    prompts.compile_all(opened.run.pinned / "prompts")
    parse_summary(SUMMARY)
    for name in ("index", "offer"):
        schemas.problems(opened.project.schemas, name, {})
    manifest.environment("")
    sandbox.strength()
