"""What the rule `iterate` runs: one block of one experiment, said live on the terminal and into the rule's log."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from flagstone.agents.budget import Purse
from flagstone.cli.aloud import aloud
from flagstone.errors import FlagstoneError, Interrupted
from flagstone.gates.experiments import Plan, plan_named
from flagstone.layout import Project, Run
from flagstone.loop.blocks import Job, run_block
from flagstone.loop.home import Home
from flagstone.loop.ledger import entries_of
from flagstone.loop.opening import Opened, open_experiment
from flagstone.loop.proposal import Proposer
from flagstone.loop.proposers.registry import Ways, proposer_for
from flagstone.records import write_record
from flagstone.settings import Settings, find_project, load_settings, pinned_table


def main(words: list[str]) -> int:
    """Exit codes: 0 the block is done, 2 yours to put right, 3 the work failed, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="iterate.py", description="Runs one block of an experiment.")
    parser.add_argument("block", type=Path, help="experiments/NAME/blocks/NNNN.json of the run")
    parser.add_argument("--log", required=True, type=Path, help="what is said is written here as well")
    asked = parser.parse_args(words)
    with aloud(asked.log) as say:
        return answered(asked.block.absolute(), say)


def answered(block: Path, say: Callable[[str], None]) -> int:
    """Runs the block; why it failed stays beside it, for the last words of whoever called Snakemake."""
    folder = block.parent.parent
    run, failure = Run(folder.parent.parent), folder / "failure.json"
    failure.unlink(missing_ok=True)
    try:
        plan = plan_named(run, folder.name)
        if plan is None:
            raise FlagstoneError(
                f"there is no plan workspace/experiments/{folder.name}.yaml", hint="put it back, then run again"
            )
        work(run, plan, block, say)
    except (Interrupted, KeyboardInterrupt):
        say(f"experiment {folder.name} was stopped; the same command goes on where it stopped")
        return Interrupted.exit_code
    except FlagstoneError as error:
        say(error.problem)
        say(error.hint)
        told = {"problem": f"experiment {folder.name}: {error.problem}", "hint": error.hint}
        write_record(failure, {**told, "exit_code": error.exit_code})
        return error.exit_code
    return 0


def work(run: Run, plan: Plan, block: Path, say: Callable[[str], None]) -> None:
    project = project_of(run)
    settings = load_settings(project, run, validate=False)
    stage = experimenter(project, run)
    purses = purses_of(run, settings, stage)

    def proposer(opened: Opened) -> Proposer | None:
        if opened.spec.proposer != "agent":
            return proposer_for(opened.spec, project.prompts)
        of_stage, own = settings.for_stage(stage), opened.spec.agent.driver
        # another agent than the stage's has nothing of its options
        ways = Ways({} if own else of_stage.options, of_stage.model, purses, stage)
        return proposer_for(opened.spec, project.prompts, own or of_stage.agent, ways)

    run_block(Job(plan, block, stage, purses), schemas_of(run), proposer, say)


def draw_picture(words: list[str]) -> int:
    """Draws every run of an experiment that has ended; what the rule `picture` calls."""
    from flagstone.loop.picture import draw  # here, not above: a block draws nothing

    (target,) = map(Path, words)
    run = Run(target.absolute().parents[2])
    opened = open_experiment(Home(target.absolute().parent, run.root), schemas_of(run))
    draw(list(entries_of(opened.home.ledger)), opened.spec, target)
    return 0


def project_of(run: Run) -> Project:
    scripts = os.environ.get("FLAGSTONE_SCRIPTS")
    return find_project(Path(scripts) if scripts else run.root)


def schemas_of(run: Run) -> Path:
    """The schemas that the run is pinned to, or the project's where it was made before these were."""
    pinned = run.pinned / "schemas"
    return pinned if (pinned / "experiment.schema.yaml").is_file() else project_of(run).schemas


def purses_of(run: Run, settings: Settings, stage: str) -> tuple[Purse, ...]:
    """The budgets that an experiment draws on: the run's, and its stage's."""
    found = (
        Purse.of(f"run {run.name}", settings.budget),
        Purse.of(f"stage {stage}", settings.for_stage(stage).budget, stage=stage),
    )
    return tuple(purse for purse in found if purse.limits)


def experimenter(project: Project, run: Run) -> str:
    """The stage whose settings hold for the agents of experiments."""
    return next((stage.nr for stage in pinned_table(project, run, validate=False) if stage.runs_experiments), "")
