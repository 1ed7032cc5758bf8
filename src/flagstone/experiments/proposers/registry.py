"""Finds the proposer that a spec names; what it needs is loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers.protocol import Proposer
from flagstone.plans import Spec

if TYPE_CHECKING:
    from flagstone.agents.accounts import Purse


@dataclass(frozen=True)
class Ways:
    """What a run says of the agent of an experiment: options of its driver, model, budgets, and the stage it is for."""

    options: Mapping[str, object] = field(default_factory=dict)
    model: str | None = None
    purses: Sequence[Purse] = ()
    stage: str = ""


def proposer_for(spec: Spec, prompts: Path, driver: str = "", ways: Ways | None = None) -> Proposer:
    """The proposer of an experiment. `driver` names the agent where a person, or the run, has chosen one."""
    if spec.proposer == "scripted":
        from flagstone.experiments.proposers.scripted import ScriptedProposer, script_of

        return ScriptedProposer(script_of(spec))
    if spec.proposer == "agent":
        return by_agent(spec, prompts, driver, ways or Ways())
    if spec.proposer == "search":
        from flagstone.experiments.proposers.search import search_of

        return search_of(spec)
    raise FlagstoneError(
        f"experiment {spec.name} has nobody to propose edits (proposer: {spec.proposer})",
        hint=f"edit its working files and give: flagstone experiment step {spec.name}",
    )


def by_agent(spec: Spec, prompts: Path, driver: str, ways: Ways) -> Proposer:
    """The agent that is named, ready to be called; an error where it cannot be."""
    from flagstone.agents import agent_named
    from flagstone.experiments.proposers.agent import AgentProposer

    agent = agent_named(driver or spec.agent.driver or "auto", {**ways.options, **spec.agent.options})
    fault = agent.fault()
    if fault:
        raise FlagstoneError(fault[0], hint=fault[1])
    return AgentProposer(agent, prompts, ways.options, ways.model, ways.purses, ways.stage)
