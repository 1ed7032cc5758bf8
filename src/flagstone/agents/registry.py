"""Finds the agent that the settings name; a driver is loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from flagstone.agents.protocol import Agent
from flagstone.errors import FlagstoneError

DRIVERS = {
    "claude": ("flagstone.agents.claude", "ClaudeAgent"),
    "demo": ("flagstone.agents.demo", "DemoAgent"),
    "replay": ("flagstone.agents.replay", "ReplayAgent"),
}
AUTO = "auto"


def agent_named(name: str, options: Mapping[str, object] | None = None) -> Agent:
    """The agent of this name; `auto` is Claude Code where it can be used, and otherwise a clear error."""
    if name == AUTO:
        return automatic(options)
    if name not in DRIVERS:
        raise FlagstoneError(
            f"there is no agent called {name!r}",
            hint=f"choose one of these: {', '.join((*DRIVERS, AUTO))}",
        )
    module, driver = DRIVERS[name]
    return cast(Agent, getattr(import_module(module), driver)(options or {}))


def automatic(options: Mapping[str, object] | None) -> Agent:
    agent = agent_named("claude", options)
    fault = agent.fault()
    if fault is None:
        return agent
    problem, cure = fault
    # never silently something else: a demo is not research
    raise FlagstoneError(problem, hint=f"{cure}; or try the workflow without a model: --agent demo")
