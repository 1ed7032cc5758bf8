"""Names what changes around an experiment while an agent works that nothing holds to its grant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.agents.changed import Mark, different, marks_below
from flagstone.agents.protocol import Agent, AgentCall, AgentResult, Event
from flagstone.agents.sandbox import strength
from flagstone.loop.home import Home
from flagstone.loop.overlay import LEFT_OUT

# what git and we ourselves write to all the time, and what is too much to look at
PASSED_OVER = (LEFT_OUT - {".git"}) | {"objects", "logs", "drafts", "history", "index", ".venv", "node_modules"}


@dataclass(frozen=True)
class WatchedAgent:
    """An agent whose calls are followed by a look at the project and the run, where the kernel does not hold it.

    What changed is named in the record of the call and left as it is: a person may be at work there too.
    """

    agent: Agent
    home: Home
    project: Path

    @property
    def name(self) -> str:
        return self.agent.name

    def fault(self) -> tuple[str, str] | None:
        return self.agent.fault()

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """Carries out the call."""
        if call.sandbox != "off" and strength().keeps_files:
            return self.agent.call(call, on_event)
        before = self.marks(call)
        result = self.agent.call(call, on_event)
        named = different(before, self.marks(call), self.home.base)
        return replace(result, violations=(*result.violations, *(f"{name} (changed meanwhile)" for name in named)))

    def marks(self, call: AgentCall) -> dict[str, Mark]:
        """The project and the run, without what belongs to experiments."""
        own = {str(path) for path in (self.home.root.parent, call.task.run_root, call.record_dir)}
        return marks_below(dict.fromkeys((str(self.home.base), str(self.project))), PASSED_OVER, own)
