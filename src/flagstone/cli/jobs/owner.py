"""The owner of an experiment: a run, with its agent, budgets, prompts and schemas, or a project."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.agents.accounts import Budget
from flagstone.cli.jobs.pinned import pinned_or_ours
from flagstone.experiments.ledger import Accounts
from flagstone.experiments.proposers import AgentSetup, Proposer, proposer_for
from flagstone.layout import Project, Run, shipped_files
from flagstone.plans import Home, Spec, load_spec
from flagstone.settings import Settings, find_project, load_settings, pinned_table


@dataclass(frozen=True)
class Owner:
    """What every experiment of a run shares. For a project's experiment nothing but the prompts is set."""

    prompts: Path
    agent: str = ""
    model: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    budgets: Sequence[Budget] = ()
    stage: str = ""

    def proposer(self, spec: Spec, driver: str = "", profile: AgentSetup | None = None) -> Proposer | None:
        """Who proposes edits. `driver` names the agent that a person chose for this call, `profile` sets it up."""
        if spec.proposer == "none":
            return None
        chosen = driver or spec.agent.driver
        # the run's options are those of its own agent, and of no other
        is_own = chosen in ("", self.agent)
        if profile is not None:
            return proposer_for(spec, self.prompts, chosen or self.agent, profile)
        setup = AgentSetup(self.options if is_own else {}, self.model if is_own else None, self.budgets, self.stage)
        return proposer_for(spec, self.prompts, chosen or self.agent, setup)

    def accounts(self, home: Home) -> Accounts:
        return Accounts(home, self.stage, self.budgets)


def owner_of(base: Path, *, validate: bool = True) -> Owner:
    """The owner of the experiments that belong to `base`, which is a run or a project."""
    prompts = pinned_or_ours(base, "prompts", "experiment.md.j2")
    run = Run(base)
    if not run.settings.is_file():
        return Owner(prompts)
    project = project_of(run)
    settings, stage = load_settings(project, run, validate=validate), experimenter(project, run)
    of_stage = settings.for_stage(stage)
    budgets = budgets_of(run, settings, stage)
    return Owner(prompts, of_stage.agent, of_stage.model, of_stage.options, budgets, stage)


def schemas_of(base: Path) -> Path:
    """The schemas that a run pinned; this checkout's for everything else."""
    return pinned_or_ours(base, "schemas", "experiment.schema.yaml")


def spec_at(home: Home) -> Spec:
    """The spec of an experiment, checked by the schemas of its owner."""
    return load_spec(home.spec, home.base, schemas_of(home.base), compiled=home.compiled)


def project_of(run: Run) -> Project:
    scripts = os.environ.get("FLAGSTONE_SCRIPTS")
    return find_project(*([Path(scripts)] if scripts else []), run.root, shipped_files())


def budgets_of(run: Run, settings: Settings, stage: str) -> tuple[Budget, ...]:
    """The budgets that an experiment uses: the run's, and its stage's."""
    found = (
        Budget.of(f"run {run.name}", settings.budget),
        Budget.of(f"stage {stage}", settings.for_stage(stage).budget, stage=stage),
    )
    return tuple(budget for budget in found if budget.limits)


def experimenter(project: Project, run: Run) -> str:
    """The stage whose settings the agents of experiments use."""
    return next((stage.nr for stage in pinned_table(project, run, validate=False) if stage.runs_experiments), "")
