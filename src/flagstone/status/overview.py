"""What is known of a run, as `flagstone status`, the report and the manifest show it."""

from __future__ import annotations

from dataclasses import dataclass

from flagstone.text import one_line

SIGNS = {
    "done": "✓",
    "running": "▶",
    "waits for you": "●",
    "stale": "~",
    "failed": "✗",
    "paused": "◌",
    "held": "‖",
    "not yet": "·",
}


@dataclass(frozen=True)
class ExperimentStatus:
    """One experiment that has not ended, as `flagstone status` shows it."""

    name: str
    state: str  # planned | running | stopped | failed | under way | starts over
    reason: str
    runs: int
    max_runs: int | None
    metric: str
    best_run: str
    best_value: float | None

    @property
    def words(self) -> str:
        """Such as `tune: under way, 3/40 runs, best val_loss 0.25 in r0003`."""
        limit = f"/{self.max_runs}" if self.max_runs else ""
        best = f", best {self.metric} {self.best_value:.6g} in {self.best_run}" if self.best_value is not None else ""
        reason = f": {one_line(self.reason, 160)}" if self.reason else ""
        return f"{self.name}: {self.runs}{limit} runs{best}, {self.state}{reason}"


@dataclass(frozen=True)
class StageStatus:
    """One stage as `flagstone status` shows it."""

    nr: str
    name: str
    title: str
    state: str  # done | running | waits for you | stale | failed | paused | held | not yet
    reason: str
    attempts: int
    attempt: int
    digest: str
    session_id: str
    approved_by: str
    approved_at: str
    cost_usd: float | None
    known_usd: float
    calls: int


@dataclass(frozen=True)
class RunOverview:
    """One run as `flagstone status` shows it."""

    name: str
    goal: str
    agent: str
    created_at: str
    state: str
    stages: tuple[StageStatus, ...]
    next_command: str
    cost_usd: float | None
    known_usd: float
    holder: str
    sandbox: str
    experiments: tuple[ExperimentStatus, ...]
    notices: tuple[str, ...] = ()  # files of a person that no stage reads under this name
    trials: tuple[str, ...] = ()  # what each planned trial came to, in one line


def cost_text(cost_usd: float | None, known_usd: float) -> str:
    """What is known of a cost. An unknown cost is never shown as $0."""
    if cost_usd is not None:
        return f"${cost_usd:.2f}"
    return f"at least ${known_usd:.2f}" if known_usd else "cost unknown"
