"""Whether the verdict of a trial is what was recorded: for whoever approves by it, and for whoever looks."""

from __future__ import annotations

from flagstone.gates import RunConfig
from flagstone.plans import TrialPlan


def check_trial(opened: RunConfig, plan: TrialPlan) -> str:
    """Why the verdict is not what was recorded. Returns '' if it is."""
    from flagstone.trials import trial_fault  # here, not above: a status without trials stays light

    pinned = opened.run.pinned / "schemas"
    is_pinned = (pinned / "trial.schema.yaml").is_file()
    return trial_fault(plan, pinned if is_pinned else opened.project.schemas)
