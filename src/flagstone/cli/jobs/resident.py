"""Runs Snakemake inside our own process, so that a gate opens in milliseconds. No other module imports it."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.cli.jobs.snakemake_imports import spare_pandas
from flagstone.errors import Interrupted, WorkFailed
from flagstone.gates import Resident, refuse_unwritable, session
from flagstone.layout import Project, Run
from flagstone.records import cannot_write


@dataclass(frozen=True)
class Evaluation:
    """The result of one pass of Snakemake over a run."""

    words: list[str]
    failure: dict[str, Any]
    is_done: bool
    is_due: bool


def evaluate(project: Project, run: Run, resident: Resident, cores: int) -> Evaluation:
    """Makes one pass: builds what may be built, and finds the run's state. Its errors are ours, not Snakemake's."""
    session.driver[:] = [resident]
    ended_well = False
    on_stop = signal.getsignal(signal.SIGTERM)
    try:
        ended_well = execute(Workflow(project.snakefile, run.root, {"run": run.name}), cores)
    except SystemExit as ended:
        raise resident.error or WorkFailed("Snakemake stopped", hint="see its output above") from ended
    finally:
        signal.signal(signal.SIGTERM, on_stop)  # Snakemake leaves its own handler behind, which stops nothing any more
        frontier = resident.session.frontier if resident.session else None
        if frontier:
            frontier.end()
    if frontier is None:
        raise WorkFailed("Snakemake could not read the workflow", hint=f"see: snakemake -n --config run={run.name}")
    failure = {} if run.aborted.exists() else frontier.failure()
    if not ended_well and not failure and not run.aborted.exists():
        refuse_unwritable(run)  # on a full disk a stage cannot record how it failed
        raise Interrupted(
            f"run {run.name} was interrupted", hint=f"continue where it stopped: flagstone run {run.name}"
        )
    return Evaluation(frontier.last_words(), failure, frontier.is_done, frontier.is_due)


@dataclass(frozen=True)
class Workflow:
    """Which Snakefile is run, where, and with which configuration. Without one, the folder is its working directory."""

    snakefile: Path
    root: Path
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """What does the same on the command line, with all of Snakemake's output."""
        words = [f"--config {name}={value}" for name, value in self.config.items()]
        alone = [f"--snakefile {self.snakefile}", f"--directory {self.root}"]
        return " ".join(["snakemake --cores 1", *(words or alone)])


def execute(asked: Workflow, cores: int) -> bool:
    """Runs a workflow through Snakemake's own interface, with the settings of profiles/default."""
    spare_pandas()
    from snakemake.api import SnakemakeApi
    from snakemake.scheduling.greedy import SchedulerSettings
    from snakemake.settings.enums import Quietness, RerunTrigger
    from snakemake.settings.types import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        ResourceSettings,
        SchedulingSettings,
    )

    triggers = frozenset({RerunTrigger.MTIME, RerunTrigger.PARAMS, RerunTrigger.INPUT})
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, enable_file_logging=False)) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=cores),
            config_settings=ConfigSettings(config=dict(asked.config)),
            snakefile=asked.snakefile,
            workdir=None if asked.config else asked.root,
        )
        try:
            workflow.dag(DAGSettings(rerun_triggers=triggers, force_incomplete=True)).execute_workflow(
                executor="local",
                scheduling_settings=SchedulingSettings(scheduler="greedy"),
                scheduler_settings=SchedulerSettings(),
            )
        except OSError as error:
            raise cannot_write(asked.root, error) from error
        except Exception as error:  # Snakemake raises many kinds
            if not is_failed_job(error):
                refuse_unwritable(Run(asked.root))
                raise snakemake_error(asked, error) from error
            return False
    return True


def snakemake_error(asked: Workflow, error: Exception) -> WorkFailed:
    """The error for a failure of Snakemake itself. Its own command shows all of it."""
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    return WorkFailed(f"Snakemake stopped: {first}", hint=f"see its full output: {asked.command}")


def is_failed_job(error: Exception) -> bool:
    """Whether Snakemake only repeats that a job failed. The job itself has said more."""
    return "At least one job did not complete successfully" in str(error)
