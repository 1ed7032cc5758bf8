"""Waits for registries of works that cannot be asked: nothing that an agent writes would cure that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from flagstone.artifacts import RuleCheck
from flagstone.drafting.context import StageContext
from flagstone.drafting.outage import LONGEST_STEP_S, Outage
from flagstone.errors import Paused
from flagstone.gates import RunConfig
from flagstone.stages import Stage
from flagstone.text import clock_text, list_text

MOST_NAMED = 6


def checks_after_outage(
    find_faults: Callable[[], list[RuleCheck]], opened: RunConfig, stage: Stage, context: StageContext
) -> list[RuleCheck]:
    """What is found in a draft. While registries are away it stays without a judgement, and uses up no attempt."""
    outage = Outage(f"stage {stage.nr} {stage.name}", opened.run.name, opened.settings.for_stage(stage.nr).limits)
    while works := works_waited_for(opened, checks := find_faults()):
        wait_for_registries(outage, works, context)
    return checks


def works_waited_for(opened: RunConfig, checks: Iterable[RuleCheck]) -> list[str]:
    """The works that could not be asked for, if a draft fails for nothing else."""
    failed = {check.rule for check in checks if check.status == "failed"}
    if not failed:
        return []
    from flagstone.paper import citations  # here, not above: most stages write no paper

    return citations.unreachable_works(opened.run, opened.settings) if failed == {citations.RULE} else []


def wait_for_registries(outage: Outage, works: list[str], context: StageContext) -> None:
    """Waits as long as the limits allow. Then it raises Paused, which names the cures."""
    now_s, names = time.time(), list_text(works, MOST_NAMED)
    if outage.waited_s >= outage.limits.outage_s:
        until_s = now_s + LONGEST_STEP_S
        raise Paused(
            f"{outage.stage} is paused: no registry of works could be asked about {names}",
            hint=f"no attempt was used up; when the network is back: flagstone run {outage.run}; or let a work pass "
            f'without it: flagstone paper cite waive {works[0]} --run {outage.run} --why "…", then run it again',
            until_s=until_s,
        )
    step_s = outage.next_step_s()
    again = clock_text(now_s + step_s, now_s)
    context.say(f"waiting for the registries that know {names}; next try at {again}; this uses up no attempt")
    context.sleep(step_s)
