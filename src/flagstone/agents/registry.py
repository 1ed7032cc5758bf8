"""Finds the agent that the settings name; a driver is loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flagstone.agents.protocol import Agent
from flagstone.errors import FlagstoneError
from flagstone.plugins import find

Options = Mapping[str, object]


def agent_named(name: str, options: Options | None = None) -> Agent:
    """The agent of this name; `auto` is Claude Code where it can be used, and otherwise a clear error."""
    agent: Agent = find("agents", name, AGENTS)(options or {})
    return agent


def automatic(options: Options) -> Agent:
    agent = claude(options)
    fault = agent.fault()
    if fault is None:
        return agent
    problem, cure = fault
    # never silently something else: a demo is not research
    raise FlagstoneError(problem, hint=f"{cure}; or try the workflow without a model: --agent demo")


def claude(options: Options) -> Agent:
    from flagstone.agents.claude import ClaudeAgent

    return ClaudeAgent(options)


def command(options: Options) -> Agent:
    from flagstone.agents.template import CommandAgent

    return CommandAgent(options)


def demo(options: Options) -> Agent:
    if options.get("script"):  # in runs of version 0.1 the demo agent played the agent of the tests as well
        return agent_named("scripted", options)
    from flagstone.agents.demo import DemoAgent

    return DemoAgent()


def replay(options: Options) -> Agent:
    from flagstone.agents.replay import ReplayAgent

    return ReplayAgent(options)


AGENTS: dict[str, Callable[[Options], Agent]] = {
    "auto": automatic,
    "claude": claude,
    "command": command,
    "demo": demo,
    "replay": replay,
}
