"""Finds the proposer that a spec names; what it needs is loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.proposers.protocol import AgentSetup, Proposer
from flagstone.plans import Spec
from flagstone.plugins import find


def proposer_for(spec: Spec, prompts: Path, driver: str = "", setup: AgentSetup | None = None) -> Proposer:
    """The proposer of an experiment. `driver` names the agent if a person, or the run, has chosen one."""
    own: dict[str, str | Callable[[Spec], Proposer]] = {
        "agent": partial(by_agent, prompts, driver, setup or AgentSetup()),
        "population": partial(by_population, prompts, driver, setup or AgentSetup()),
        "scripted": "flagstone.experiments.proposers.scripted:scripted_proposer",
        "search": "flagstone.experiments.proposers.search:search_of",
        "none": by_nobody,
    }
    proposer: Proposer = find("proposers", spec.proposer, own)(spec)
    return proposer


def by_agent(prompts: Path, driver: str, setup: AgentSetup, spec: Spec) -> Proposer:
    """The agent that is named, ready to be called; an error if it cannot be."""
    from flagstone.agents import agent_named
    from flagstone.experiments.proposers.agent import AgentProposer

    agent = agent_named(driver or spec.agent.driver or "claude", {**setup.options, **spec.agent.options})
    fault = agent.fault()
    if fault:
        raise FlagstoneError(
            fault[0], hint=f"{fault[1]}; or search without a model: flagstone setup NAME --param KEY=LOW:HIGH"
        )
    return AgentProposer(agent, prompts, setup)


def by_population(prompts: Path, driver: str, setup: AgentSetup, spec: Spec) -> Proposer:
    """The agent, or the script if one is named, starting from many candidates."""
    from flagstone.experiments.proposers.population import PopulationProposer
    from flagstone.experiments.proposers.scripted import scripted_proposer

    return PopulationProposer(scripted_proposer(spec) if spec.script else by_agent(prompts, driver, setup, spec))


def by_nobody(spec: Spec) -> Proposer:
    raise FlagstoneError(
        f"experiment {spec.name} has no proposer (proposer: {spec.proposer})",
        hint=f"edit its working files and run: flagstone experiment step {spec.name}",
    )
