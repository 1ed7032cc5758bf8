"""Finds the agent that the settings name; a driver is loaded only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flagstone.agents.protocol import Agent
from flagstone.errors import FlagstoneError
from flagstone.plugins import find, plugin_names

Options = Mapping[str, object]


def agent_named(name: str, options: Options | None = None) -> Agent:
    """The agent of this name; `auto` is Claude Code if it can be used, and otherwise a clear error."""
    agent: Agent = find("agents", name, AGENTS)(options or {})
    return agent


def find_claude(options: Options) -> Agent:
    """Claude Code if it can be used here. Nothing replaces it silently: a demo is not research."""
    agent = agent_named("claude", options)
    fault = agent.fault()
    if fault:
        raise FlagstoneError(fault[0], hint=f"{fault[1]}; or try the workflow without a model: --agent demo")
    return agent


def demo(options: Options) -> Agent:
    if options.get("script"):  # in runs of version 0.1 the demo agent played the agent of the tests as well
        if "scripted" not in plugin_names("agents"):
            raise FlagstoneError(
                "run.yaml sets demo.script, and the agent that plays scripts is not installed",
                hint="set PYTHONPATH to tests/doubles of the checkout, or remove `script` for a real study",
            )
        return agent_named("scripted", options)
    from flagstone.agents.demo import DemoAgent

    return DemoAgent()


AGENTS: dict[str, str | Callable[[Options], Agent]] = {
    "auto": find_claude,
    "claude": "flagstone.agents.claude:ClaudeAgent",
    "command": "flagstone.agents.template:CommandAgent",
    "demo": demo,
    "replay": "flagstone.agents.replay:ReplayAgent",
}
