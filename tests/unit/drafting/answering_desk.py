"""A stage worked on by an agent whose answers a test writes down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event
from flagstone.drafting.loop import StageContext, build
from flagstone.gates.runs.run_config import RunConfig, open_run
from flagstone.gates.sealing import approve_stage, command_decision
from flagstone.layout import Run
from flagstone.status import refresh_derived

SUMMARY = """# Stage {nr}: {title}

## Objective

{words}

## Previously Approved Stage Summaries

None that matter here.

## What I Did

Wrote one file.

## Key Results

One note.

## Files Produced

- `workspace/notes/{nr}.md` - the note

## Suggestions for Refinement

1. Say more.
2. Say less.
3. Say it otherwise.

## Your Options

1. Use suggestion 1
2. Use suggestion 2
3. Use suggestion 3
4. Refine with your own feedback
5. Approve and continue
6. Abort
"""

Answer = Callable[[AgentCall], AgentResult]


def good(call: AgentCall, words: str = "To write a note.") -> AgentResult:
    """Does what the contract asks for."""
    note = call.task.run_root / "workspace" / "notes" / f"{call.task.stage}.md"
    note.write_text(f"{words}\n")
    call.task.draft.write_text(SUMMARY.format(nr=call.task.stage, title=call.task.title, words=words))
    return ended(call)


def ended(
    call: AgentCall, outcome: CallOutcome = CallOutcome.OK, reason: str = "completed", **more: object
) -> AgentResult:
    result = AgentResult(outcome, reason, "", call.conversation.session_id, cost_usd=0.25)
    return result if not more else AgentResult(**{**vars(result), **more})


@dataclass
class Desk:
    """The run, the agent's answers in order (the last one repeats), and everything that was called and said."""

    opened: RunConfig
    answers: list[Answer] = field(default_factory=lambda: [good])
    calls: list[AgentCall] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    sleep: Callable[[float], object] = lambda _: None  # what happens meanwhile

    trouble: tuple[str, str] | None = None

    name = "fake"

    def fault(self) -> tuple[str, str] | None:
        return self.trouble

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        self.calls.append(call)
        on_event(Event.of("text", "thinking about it"))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(call)

    @property
    def run(self) -> Run:
        return self.opened.run

    def build(self, nr: str = "01") -> str:
        """Builds one stage as the stage's job does: the run is read anew, and what is derived is true."""
        self.opened = open_run(self.opened.project, self.run)

        def sleep(pause_s: float) -> None:
            self.waits.append(pause_s)
            self.sleep(pause_s)

        context = StageContext(lambda: self, self.said.append, lambda _: None, sleep)
        refresh_derived(self.opened)
        return build(self.opened, self.opened.table.stage(nr), context)

    def approve(self, nr: str = "01") -> None:
        self.opened = open_run(self.opened.project, self.run)
        approve_stage(self.opened, self.opened.table.stage(nr), command_decision())

    def summary(self, nr: str = "01") -> str:
        return self.run.summary(self.opened.table.stage(nr).key).read_text()
