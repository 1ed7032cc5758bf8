"""A run, an experiment or a trial for a notebook, as typed values and pandas tables. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger import LedgerRow, entries_of, rows_of
from flagstone.gates import chosen_run, open_run
from flagstone.layout import Run
from flagstone.plans import (
    Home,
    TrialPlan,
    experiment_named,
    experiment_names,
    experiments_around,
    is_run_folder,
    trial_named,
    trial_plan_at,
    trials_around,
)
from flagstone.settings import find_project, project_keys
from flagstone.status import RunOverview, run_status
from flagstone.trials import Story, read_story

if TYPE_CHECKING:
    import pandas as pd

Where = str | Path | None


@dataclass(frozen=True)
class ExperimentReader:
    """One experiment, as its ledger tells it."""

    home: Home

    @property
    def name(self) -> str:
        return self.home.name

    @property
    def path(self) -> Path:
        return self.home.root

    def rows(self) -> list[LedgerRow]:
        """Every run in order, without its measurements."""
        return list(rows_of(self.home.ledger))

    def best(self) -> LedgerRow | None:
        """The best run so far. Returns None if no run has a valid number."""
        best = ""
        found: dict[str, LedgerRow] = {}
        for row in rows_of(self.home.ledger):
            best = row.best_run
            if row.improved:
                found[row.run_id] = row
        return found.get(best)

    def table(self) -> pd.DataFrame:
        """One row a run, indexed by its id. Metrics and parameters are columns such as `metrics.val_loss`."""
        from flagstone.experiments.reporting import frame_of

        return frame_of(entries_of(self.home.ledger))


@dataclass(frozen=True)
class TrialReader:
    """One trial, as its ledger tells it."""

    plan: TrialPlan

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def path(self) -> Path:
        return self.plan.folder.root

    def story(self) -> Story:
        """Runs, looks, ideas, pre-registration and verdict. The verdict is None until there is one."""
        return read_story(self.plan.folder.ledger)

    def table(self) -> pd.DataFrame:
        """One row a run, indexed as `control-a1`. Metrics are columns such as `metrics.val_loss`."""
        import pandas as pd

        rows = {f"{run.arm}-{run.slot}": vars(run) for run in self.story().runs.values()}
        found = pd.json_normalize([{"run": name, **row} for name, row in rows.items()])
        return found.set_index("run").drop(columns="kind") if rows else pd.DataFrame()


@dataclass(frozen=True)
class RunReader:
    """One run of the workflow: its stages, its experiments and what it has cost."""

    run: Run

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def path(self) -> Path:
        return self.run.root

    def status(self) -> RunOverview:
        """What `flagstone status` shows."""
        project = find_project(self.path)
        return run_status(open_run(project, self.run, validate=False), self.path)

    def table(self) -> pd.DataFrame:
        """One row a stage, indexed by its number."""
        import pandas as pd

        return pd.DataFrame([vars(stage) for stage in self.status().stages]).set_index("nr")

    def experiments(self) -> list[ExperimentReader]:
        folder = self.path / "experiments"
        return [ExperimentReader(Home(folder / name, self.path)) for name in experiment_names(folder)]

    def experiment(self, name: str | None = None) -> ExperimentReader:
        """The experiment of this name, or the only one."""
        return ExperimentReader(experiment_named(self.path / "experiments", self.path, name))


def run(where: Where = None) -> RunReader:
    """The run of this name in the project around, the run in this folder, or the only run.

    Example: `flagstone.run("attn").table()`
    """
    here = Path.cwd()
    if where is not None and is_run_folder(here / where):
        return RunReader(Run((here / where).resolve()))
    if isinstance(where, Path):
        raise FlagstoneError(f"there is no run in {where}", hint="name a folder that contains run.yaml")
    project = find_project(here)
    return RunReader(chosen_run(project, where, project_keys(project.root), here))


def experiment(where: Where = None) -> ExperimentReader:
    """The experiment of this name in the run or project around, the one in this folder, or the only one.

    Example: `flagstone.experiment("lr").table().value.cummin().plot()`
    """
    here = Path.cwd()
    if where is not None and (here / where / "experiment.yaml").is_file():
        root = (here / where).resolve()
        return ExperimentReader(Home(root, experiments_around(root)[1]))
    if isinstance(where, Path):
        raise FlagstoneError(f"there is no experiment in {where}", hint="name a folder that contains experiment.yaml")
    return ExperimentReader(experiment_named(*experiments_around(here), where))


def trial(where: Where = None) -> TrialReader:
    """The trial of this name in the run or project around, the one in this folder, or the only one.

    Example: `flagstone.trial("clip").table().groupby("arm").value.mean()`
    """
    here = Path.cwd()
    if where is not None and (here / where / "trial.yaml").is_file():
        return TrialReader(trial_plan_at((here / where).resolve()))
    if isinstance(where, Path):
        raise FlagstoneError(f"there is no trial in {where}", hint="name a folder that contains trial.yaml")
    return TrialReader(trial_named(*trials_around(here), where))
