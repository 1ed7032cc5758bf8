"""What a reader of metrics is given, and what it answers."""

from __future__ import annotations

import math
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whoever only looks starts no process
    from flagstone.processes import Command

SLACK_S = 2.0
STEPS = 20  # of the last values of a metric that are kept


@dataclass(frozen=True)
class Place:
    """Where one finished run left its things, and when it ran.

    `printed` is all that it printed, where that is kept. A command that looks at the run is started like `shell`.
    """

    run_dir: Path
    log: Path
    began_at: float
    ended_at: float
    is_laid_out: Callable[[Path], bool] = field(default=lambda _: False, compare=False)  # and holds the same
    printed: Path | None = None
    shell: Command | None = None

    def is_own(self, path: Path) -> bool:
        """Whether a plain file is in the run's folder, is no link out of it, and was written while it ran."""
        try:
            real, status = path.resolve(strict=True), path.stat()
        except (OSError, RuntimeError):  # the second is a link to itself
            return False
        # whoever opened a pipe would wait for someone at its other end
        is_inside = real.is_relative_to(self.run_dir.resolve()) and stat.S_ISREG(status.st_mode)
        is_new = self.began_at - SLACK_S <= status.st_mtime <= self.ended_at + SLACK_S
        return is_inside and is_new and not self.is_laid_out(path)


@dataclass(frozen=True)
class Reading:
    """What was found: the last value of each name (not finite ones too), by which reader, and what was in its way.

    A `failure` is a problem that makes the run a crash.
    """

    values: Mapping[str, float]
    backend: str
    problems: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    last_steps: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    failure: str = ""


def divergence_text(reading: Reading, name: str) -> str:
    """Why a metric can never be the best: its last value is not finite. Returns '' if it is."""
    value = reading.values.get(name)
    if value is None or math.isfinite(value):
        return ""
    steps = [each for each in reading.last_steps.get(name, ()) if math.isfinite(each)]
    return f"{name} is {value}" + (f" at the end; its last finite value was {steps[-1]:g}" if steps else "")
