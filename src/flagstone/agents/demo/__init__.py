"""The demo agent: a script, not a model, that carries out one small study for real; offline, repeatable."""

from flagstone.agents.demo.driver import DemoAgent

__all__ = ["DemoAgent"]
