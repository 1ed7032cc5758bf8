"""What is around an experiment while an agent that nothing holds edits its draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.agents import AgentCall, AgentResult, Guard, WatchedFiles, differences, strength
from flagstone.experiments.candidates import LEFT_OUT
from flagstone.plans import Home

# what git and we ourselves write to all the time, and what is too much to look at
PASSED_OVER = (LEFT_OUT - {".git"}) | {"objects", "logs", "drafts", "history", "index", ".venv", "node_modules"}


@dataclass
class Neighbourhood:
    """The project and the run, which are looked at if the kernel does not keep an agent from writing there.

    What changed is named in the record of the call and left as it is: a person may be at work there too.
    """

    watched: dict[tuple[str, ...], WatchedFiles] = field(default_factory=dict)

    def guard(self, home: Home, project: Path) -> Guard:
        def begin(call: AgentCall) -> Callable[[AgentResult | None], Sequence[str]]:
            if call.sandbox != "off" and strength().keeps_files:
                return lambda result: ()
            files = self.files(home, project, call)
            before = files.stats()
            return lambda result: [
                f"{name} (changed meanwhile)" for name in differences(before, files.stats(), home.base)
            ]

        return begin

    def files(self, home: Home, project: Path, call: AgentCall) -> WatchedFiles:
        """All but the experiment's own."""
        places, own = dict.fromkeys((str(home.base), str(project))), home.root.parent
        further = (path for path in (call.task.run_root, call.record_dir) if not path.is_relative_to(own))
        left_out = tuple(map(str, (own, *further)))
        key = (*places, *left_out)
        if key not in self.watched:
            self.watched[key] = WatchedFiles(places, PASSED_OVER, left_out)
        return self.watched[key]
