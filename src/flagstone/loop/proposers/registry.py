"""Finds the proposer that a spec names; what it needs is loaded only when it is asked for."""

from __future__ import annotations

from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.loop.proposal import Proposer
from flagstone.loop.spec import Spec


def proposer_for(spec: Spec, prompts: Path, driver: str = "") -> Proposer:
    """The proposer of an experiment. `driver` names the agent where a person, or the run, has chosen one."""
    if spec.proposer == "scripted":
        from flagstone.loop.proposers.scripted import ScriptedProposer, script_of

        return ScriptedProposer(script_of(spec))
    raise FlagstoneError(
        f"experiment {spec.name} has nobody to propose edits (proposer: {spec.proposer})",
        hint=f"edit its working files and give: flagstone experiment step {spec.name}",
    )
