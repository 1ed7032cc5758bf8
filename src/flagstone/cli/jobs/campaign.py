"""What the jobs of a campaign do besides: they make ideas in a trial, and Flagstone's own part of its stages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flagstone.cli.jobs.owner import owner_of, schemas_of
from flagstone.drafting import StageWork
from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Snapshot
from flagstone.experiments.proposers import AgentProposer
from flagstone.layout import Run
from flagstone.plans import TrialFolder, TrialPlan, trial_plans
from flagstone.stages import Stage
from flagstone.trials import IdeaLine, read_story
from flagstone.trials.campaign import (
    Campaign,
    CampaignRecord,
    ask_for_lessons,
    checks_of_setup,
    complete,
    idea_number,
    make_attempt,
    write_idea_log,
)
from flagstone.trials.planning import load_trial
from flagstone.trials.running import OpenedTrial, TrialStep, open_trial

Say = Callable[[str], None]


def campaign_of(opened: OpenedTrial, say: Say) -> Campaign:
    """The campaign that a trial belongs to, with the agent that its run names."""
    proposer = owner_of(opened.plan.base, validate=False).proposer(opened.spec.experiment)
    assert isinstance(proposer, AgentProposer)
    return Campaign(
        folder=opened.folder,
        spec=opened.spec,
        story=opened.state().story,
        subject=opened.subject,
        base=Snapshot(opened.start.tree, opened.start.commit),
        proposer=proposer,
        say=say,
    )


def idea_for(say: Say, opened: OpenedTrial, step: TrialStep) -> IdeaLine:
    """The idea that a step of a trial asks for."""
    arm = step.arms[0]
    checked = opened.state().of("checks").get(arm.removesuffix("r")) if arm.endswith("r") else None
    return make_attempt(campaign_of(opened, say), idea_number(arm), checked.checks if checked else ())


def stage_work(run: Run, stage: Stage, say: Say) -> StageWork:
    """Flagstone's own part of a stage of a campaign; of any other stage nothing."""
    match stage.work:
        case "setup":
            return StageWork(checks=lambda: tuple(checks_of_setup(run, schemas_of(run.root))))
        case "discovery":
            return StageWork(begin=partial(end_discovery, run, say))
        case "completion":
            return StageWork(begin=lambda: complete(record_of(run)))
    return StageWork()


def end_discovery(run: Run, say: Say) -> None:
    """Has every idea's lesson said, once its outcome is known."""
    campaign = campaign_of(open_trial(plan_of(run), schemas_of(run.root)), say)
    ask_for_lessons(campaign)
    write_idea_log(campaign)


def plan_of(run: Run) -> TrialPlan:
    """The plan of the campaign's trial."""
    found = trial_plans(run)
    if len(found) != 1:
        raise FlagstoneError(
            f"run {run.name} has {len(found)} trials, and a campaign has one", hint="look at workspace/trials"
        )
    return found[0]


def record_of(run: Run) -> CampaignRecord:
    """What is on disk of the campaign of a run."""
    plan = plan_of(run)
    folder = TrialFolder(plan.folder.root, run.root)
    path = folder.spec if folder.spec.is_file() else plan.path
    spec = load_trial(path, run.root, schemas_of(run.root))
    return CampaignRecord(folder=folder, spec=spec, story=read_story(folder.ledger))
