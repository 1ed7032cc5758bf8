"""The next experiment as an agent designs it: it reads the report, and says what is to be looked at, and why."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flagstone.agents import AgentCall, AgentResult, CallOutcome, Conversation, Limits, Mode, Task
from flagstone.errors import Interrupted, WorkFailed
from flagstone.experiments.engine.chain import NextExperiment
from flagstone.experiments.engine.opening import OpenedExperiment
from flagstone.experiments.ledger import Progress
from flagstone.experiments.proposers import FIRST_WAIT_S, AgentProposer
from flagstone.layout import RUN_NAME
from flagstone.plans import Home, command_of, numbered_path
from flagstone.prompts import NextParts, next_prompt
from flagstone.text import one_line

TRIES = 2
REPLY: Mapping[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "goal", "rationale"],
    "properties": {
        "name": {"type": "string", "pattern": RUN_NAME.pattern.removesuffix("\\Z") + "$", "maxLength": 40},
        "goal": {"type": "string", "minLength": 1},
        "rationale": {"type": "string", "minLength": 1},
        "scope": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
        "metric": {"type": "string"},
        "direction": {"enum": ["min", "max"]},
    },
}


@dataclass(frozen=True)
class Designer:
    """Asks the agent of an experiment. The answer is a design only: what comes of it is measured like all else."""

    proposer: AgentProposer
    parent: OpenedExperiment
    progress: Progress

    def design(self, report: str, names: list[str]) -> NextExperiment:
        """What is to follow. Limits in money and hours hold for the whole chain: the child gets what is left."""
        left = budget_left(self.parent, self.progress)
        for number in range(1, TRIES + 1):
            allowed = self.allowed_usd(left)
            result = self.ask(report, names, allowed)
            left = budget_after(left, result, allowed)
            if result.outcome is CallOutcome.INTERRUPTED:
                raise Interrupted("stopped during the design of the next experiment", hint="run the same command again")
            if result.outcome is CallOutcome.OK and isinstance(result.structured, dict):
                self.allowed_usd(left)
                return design_in(result.structured, names, left)
            if result.outcome is CallOutcome.RETRYABLE and number < TRIES:
                self.proposer.sleep(result.retry_after_s or FIRST_WAIT_S)
        name = self.parent.home.name
        raise WorkFailed(
            f"the agent designed no experiment after {name}: {result.outcome.value}, {one_line(result.reason)}",
            hint=f'start it yourself: {command_of(self.parent.home, "chain")} NEXT --rationale "…"',
        )

    def allowed_usd(self, left: Mapping[str, float]) -> float | None:
        """What one call may cost; nothing is asked once the money is used up, or may be."""
        if left.get("cost_usd", 1.0) <= 0:
            raise no_money(self.parent.home)
        caps = (self.parent.spec.agent.cost_usd, left.get("cost_usd"))
        return min((limit for limit in caps if limit is not None), default=None)

    def ask(self, report: str, names: list[str], cost_usd: float | None) -> AgentResult:
        spec, folder = self.parent.spec, numbered_path(self.parent.home.root / "design")
        folder.mkdir(parents=True, mode=0o700)
        asked = spec.agent
        call = AgentCall(
            prompt=next_prompt(
                self.proposer.prompts,
                NextParts(
                    experiment=spec.name,
                    goal=spec.goal,
                    metric=spec.metric.name,
                    direction=spec.metric.direction,
                    scope="\n".join(spec.scope),
                    names="\n".join(names),
                    report=report,
                ),
            ),
            conversation=Conversation(str(uuid.uuid4()), resume=False),
            task=Task(
                stage=self.proposer.setup.stage,
                title=f"the experiment after {spec.name}",
                attempt=1,
                run_root=folder,
                draft=folder,
                experiment=spec.name,
            ),
            mode=Mode.JUDGE,
            writable=(),
            model=asked.model or self.proposer.setup.model,
            limits=Limits(asked.wall_s, min(asked.silence_s, asked.wall_s), asked.turns, cost_usd),
            record_dir=folder,
            options={**self.proposer.setup.options, **asked.options},
            reply_schema=REPLY,
            sandbox=spec.sandbox,
        )
        return self.proposer.call(call, self.parent.home, spec.subject.root)


def budget_after(left: dict[str, float], result: AgentResult, allowed: float | None) -> dict[str, float]:
    """What a call leaves: the design is paid for as well. An unknown cost counts as all that was allowed."""
    if "cost_usd" not in left or allowed is None:
        return left
    cost = allowed if result.cost_usd is None else result.cost_usd
    return {**left, "cost_usd": max(left["cost_usd"] - cost, 0.0)}


def no_money(home: Home) -> WorkFailed:
    return WorkFailed(
        f"the budget (cost_usd) for designing the experiment after {home.name} may be used up, "
        "because some calls reported no cost",
        hint=f'start it yourself: {command_of(home, "chain")} NEXT --rationale "…" --cost-usd …',
    )


def budget_left(parent: OpenedExperiment, progress: Progress) -> dict[str, float]:
    """The hours and the money that an experiment may still use."""
    stopping = parent.spec.stopping
    used = {"wall_h": progress.wall_s / 3600, "gpu_h": progress.gpu_s / 3600, "cost_usd": progress.cost_usd}
    limits: dict[str, float | None] = {name: getattr(stopping, name) for name in used}
    return {name: limit - used[name] for name, limit in limits.items() if limit is not None}


def spent_limit(parent: OpenedExperiment, progress: Progress) -> str:
    """The limit that leaves nothing for a further experiment; '' if there is none."""
    return next((name for name, amount in budget_left(parent, progress).items() if amount <= 0), "")


def design_in(answer: dict[str, Any], names: list[str], left: dict[str, float]) -> NextExperiment:
    """The design as `chain` takes it; a name that is taken gets a number."""
    name, number = str(answer["name"]), 2
    while name in names:
        name, number = f"{answer['name']}-{number}", number + 1
    return NextExperiment(
        name=name,
        rationale=str(answer["rationale"]),
        goal=str(answer["goal"]),
        metric=str(answer.get("metric", "")),
        direction=str(answer.get("direction", "")),
        scope=tuple(map(str, answer.get("scope", ()))),
        budget=left or None,
    )
