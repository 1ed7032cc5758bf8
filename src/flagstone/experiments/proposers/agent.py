"""Proposals made by a coding agent: one fresh conversation a run, in a private copy of the files that may change."""

from __future__ import annotations

import os
import select
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flagstone.agents import (
    Agent,
    AgentCall,
    AgentResult,
    CallFrame,
    CallOutcome,
    Conversation,
    Limits,
    Mode,
    Task,
    names,
)
from flagstone.agents.accounts import Patience
from flagstone.errors import Interrupted
from flagstone.experiments.candidates import LONGEST_NOTE, note_in, run_note
from flagstone.experiments.measuring import secret_paths
from flagstone.experiments.proposers.calls import (
    Neighbourhood,
    clean_leftovers,
    facts_of,
    issues_text,
    moment_in,
    remove_leaks,
    written_since,
)
from flagstone.experiments.proposers.constants import parameters_in
from flagstone.experiments.proposers.edits import Files, change_in_words, first_saying, grant, mutable_files, take_back
from flagstone.experiments.proposers.ideas import LessonStore
from flagstone.experiments.proposers.prompting import crash_to_fix, parts_of
from flagstone.experiments.proposers.protocol import Advice, AgentSetup, Proposed, View
from flagstone.plans import Home, run_id
from flagstone.processes import Interruption, Redactor
from flagstone.prompts import ExperimentParts, experiment_prompt
from flagstone.records import content_of
from flagstone.text import one_line

NOTE = 200
PATIENCE_S = 8 * 3600.0  # a night
FIRST_WAIT_S, LONGEST_WAIT_S = 15.0, 900.0
# nothing that a further proposal could cure: a person has to
FATAL = (CallOutcome.AUTH, CallOutcome.CONFIG, CallOutcome.BUDGET, CallOutcome.UNCLEAN)


def wait(seconds: float) -> None:
    """Waits, unless we are asked to stop."""
    asking = Interruption.of_this_process()
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if asking is None:
            time.sleep(left)
            continue
        select.select([asking.asked, asking.reader], [], [], left)
        asking.hear()
        if asking.is_asked:
            raise Interrupted("stopped while waiting for the agent's service", hint="run the same command again")


@dataclass(frozen=True)
class Request:
    """What an agent is asked once, in as many calls as its service needs. `undo` takes half an edit back."""

    what: str
    record_dir: Path
    home: Home
    project: Path
    call_in: Callable[[Path], AgentCall]
    undo: Callable[[], object] = lambda: None
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class AgentProposer:
    """Asks an agent for each edit. `prompts` is the folder of templates."""

    agent: Agent
    prompts: Path
    setup: AgentSetup = field(default_factory=AgentSetup)
    sleep: Callable[[float], None] = wait
    lessons: LessonStore = field(default_factory=LessonStore)
    neighbourhood: Neighbourhood = field(default_factory=Neighbourhood, compare=False)

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        """One edit of the draft. What the agent says of it is only a note; what counts is what it changed."""
        crash = view.rework or crash_to_fix(view)
        before = mutable_files(view.spec.subject, draft)
        parts = parts_of(view, self.lessons.at(view), crash, draft, before)
        parts = replace(parts, issues=issues_text(view, draft, record_dir))
        redactor = Redactor.of(os.environ, secret=self.setup.environment)
        clean_leftovers(record_dir.parent, draft, redactor)
        since_ns = moment_in(record_dir)
        try:
            calls = self.calls_for(view, draft, record_dir, self.prompt(view, parts, redactor), before)
        finally:
            leaks = remove_leaks(draft, written_since(since_ns, view.touched_in(draft)), before, redactor)
        after = mutable_files(view.spec.subject, draft)
        model = view.spec.agent.model or self.setup.model
        facts = {**facts_of(calls), "model": model, **({"fixes": crash.run_id} if crash else {})}
        if leaks:
            take_back(draft, before, after)
            return Proposed(violations=tuple(leaks), facts=facts)
        edit = Edit(before, after, refusal_in(folder_of_call(record_dir, len(calls) - 1) / "stderr.txt"))
        return proposal_of(view, draft, calls[-1][0], edit, facts)

    def prompt(self, view: View, parts: ExperimentParts, redactor: Redactor) -> str:
        """What it is asked, with what the setup says. No secret variable of the agent is in it."""
        tools = ", ".join(names(options_of(self.setup, view).get("tools")))
        parts = replace(parts, instructions=self.setup.instructions, further_tools=tools)
        text = experiment_prompt(self.prompts, parts)
        return redactor.clean(text.encode("utf-8", "replace")).decode() if self.setup.environment else text

    def calls_for(
        self, view: View, draft: Path, record_dir: Path, prompt: str, before: Files
    ) -> list[tuple[AgentResult, float]]:
        """Every call that was made for one proposal, with its seconds."""
        request = Request(
            what=run_id(view.number),
            record_dir=record_dir,
            home=view.home,
            project=view.spec.subject.root,
            call_in=lambda folder: call_of(self, view, draft, folder, prompt, before),
            # half an edit of the last try is nobody's idea
            undo=lambda: take_back(draft, before, mutable_files(view.spec.subject, draft)),
            say=view.say,
        )
        return self.until_answered(request)

    def until_answered(self, request: Request) -> list[tuple[AgentResult, float]]:
        """Every call that one request took, with its seconds: the service of the agent is given time."""
        calls: list[tuple[AgentResult, float]] = []
        waited_s = 0.0
        while True:
            folder = folder_of_call(request.record_dir, len(calls))
            began = time.monotonic()
            result = self.call(request.call_in(folder), request.home, request.project)
            calls.append((result, time.monotonic() - began))
            if result.outcome is CallOutcome.INTERRUPTED:
                raise Interrupted(f"{request.what} was interrupted", hint="run the same command again")
            if result.outcome is not CallOutcome.RETRYABLE or waited_s >= PATIENCE_S:
                return calls
            request.undo()
            step_s = pause_s(len(calls), result.retry_after_s)
            why = f"{request.what} waits {step_s:.0f} s for the agent's service: {one_line(result.reason, NOTE)}"
            request.say(why)
            self.sleep(step_s)
            waited_s += step_s

    def call(self, call: AgentCall, home: Home, project: Path) -> AgentResult:
        """One call, on record."""
        guard, patience = self.neighbourhood.guard(home, project), Patience(sleep=self.sleep)
        return CallFrame(self.agent, home.log, self.setup.budgets, guard, patience, is_durable=False).carry_out(call)


def folder_of_call(record_dir: Path, retry: int) -> Path:
    return record_dir / f"retry-{retry}" if retry else record_dir


def pause_s(calls: int, asked_s: float | None) -> float:
    """How long to wait after so many calls: as the service asks, and longer each time if it asks for nearly nothing."""
    growing_s = FIRST_WAIT_S * 2.0 ** min(calls - 1, 10)
    return min(growing_s if asked_s is None else max(asked_s, growing_s / FIRST_WAIT_S), LONGEST_WAIT_S)


def call_of(
    proposer: AgentProposer, view: View, draft: Path, record_dir: Path, prompt: str, before: Files
) -> AgentCall:
    asked = view.spec.agent
    record_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return AgentCall(
        prompt=prompt,
        conversation=Conversation(str(uuid.uuid4()), resume=False),
        task=Task(
            stage=proposer.setup.stage,
            title=f"experiment {view.home.name}, {run_id(view.number)}",
            attempt=view.number,
            run_root=draft,
            draft=draft / view.spec.subject.entry,
            experiment=view.home.name,
        ),
        mode=Mode(asked.mode),
        writable=grant(view.spec.subject, draft, before),
        model=asked.model or proposer.setup.model,
        limits=Limits(asked.wall_s, min(asked.silence_s, asked.wall_s), asked.turns, asked.cost_usd, view.tokens),
        record_dir=record_dir,
        options=options_of(proposer.setup, view),
        sandbox=view.spec.sandbox,
        hidden=secret_paths(view.home, view.spec),
        environment=proposer.setup.environment,
    )


def options_of(setup: AgentSetup, view: View) -> dict[str, object]:
    """The options of the driver, with the tools for searching at the step that asks for it."""
    options, tools = {**setup.options, **view.spec.agent.options}, view.spec.agent.search_tools
    if view.level is not Advice.SEARCH or not tools:
        return options
    return {**options, "tools": [*names(options.get("tools")), *tools]}


@dataclass(frozen=True)
class Edit:
    """The files that may change, before and after, and the last line on what the agent was not allowed to write."""

    before: Files
    after: Files
    refusal: str = ""

    @property
    def is_made(self) -> bool:
        return self.before != self.after


def refusal_in(log: Path) -> str:
    """Why the system refused a write of the agent, and the cure. Returns '' if it refused none.

    Many programs write a new file and rename it. That needs more rights than those to the mutable files.
    """
    lines = (content_of(log) or b"").decode("utf-8", "replace").splitlines()
    refused = [line for line in lines if "Permission denied" in line or "Read-only file system" in line]
    return (
        f"{one_line(refused[-1], NOTE)}: it may write the mutable files in place, and none beside them"
        if refused
        else ""
    )


def proposal_of(view: View, draft: Path, result: AgentResult, edit: Edit, facts: dict[str, Any]) -> Proposed:
    """What is handed on: the edit that was made, however the call ended, or why there is none."""
    outcome = result.outcome
    if outcome in FATAL:
        return Proposed(failure=f"the agent cannot continue: {result.reason}", is_fatal=True, facts=facts)
    if outcome is CallOutcome.RETRYABLE:
        why = f"the agent's service was away for {PATIENCE_S / 3600:.0f} hours: {one_line(result.reason, NOTE)}"
        return Proposed(failure=why, is_fatal=True, facts=facts)
    if not edit.is_made:
        why = "nothing was changed" if outcome is CallOutcome.OK else f"{outcome.value}: {result.reason}"
        said = edit.refusal or one_line(first_saying(result.text), NOTE)
        why = f"{why} ({said})" if said and outcome is CallOutcome.OK else why
        return Proposed(failure=why, facts=facts)
    full = note_of(view, draft, result, edit)
    changed = {
        "change": change_in_words(edit.before, edit.after),
        "note_full": full,
        "parameters": parameters_in(edit.after.get(view.spec.subject.entry, b"")),
    }
    ended = {} if outcome is CallOutcome.OK else {"used_although": f"{outcome.value}: {one_line(result.reason)}"}
    return Proposed(note=one_line(full, NOTE), facts={**facts, **changed, **ended})


def note_of(view: View, draft: Path, result: AgentResult, edit: Edit) -> str:
    """RUN_NOTE if the agent changed it, or else how the answer begins."""
    entry = view.spec.subject.entry
    now = run_note(draft / entry) if entry in edit.after else ""
    was = note_in(edit.before.get(entry, b"").decode("utf-8", "replace"))
    return now if now and now != was else first_saying(result.text)[:LONGEST_NOTE]
