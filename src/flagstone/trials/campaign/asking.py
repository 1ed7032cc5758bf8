"""Asks one role of a campaign, once: an answer that is on disk is never asked for again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.agents import AgentCall, AgentResult, CallOutcome, Conversation, Limits, Mode, Task
from flagstone.errors import WorkFailed
from flagstone.experiments.candidates import Snapshot, Subject
from flagstone.experiments.proposers import FATAL, AgentProposer, Request
from flagstone.plans import Home, TrialFolder, TrialSpec, numbered_path
from flagstone.prompts import RoleParts, role_prompt
from flagstone.records import digest_value, read_record, write_record
from flagstone.schemas import misfits
from flagstone.text import one_line
from flagstone.trials.campaign.roles import Role
from flagstone.trials.story import Story

TRIES = 2  # of an answer that has not the form that was asked for
REASON = 300
ANSWER = "answer.json"


def idea_number(arm: str) -> int:
    """The number of an idea, whose arm is idea1, or idea1r once it was repaired."""
    return int(arm.removeprefix("idea").removesuffix("r"))


@dataclass(frozen=True, kw_only=True)
class CampaignRecord:
    """What is on disk of a campaign: its trial with the story so far, and the answers of the roles."""

    folder: TrialFolder
    spec: TrialSpec
    story: Story = field(default_factory=Story)

    def role_folder(self, number: int, role: str) -> Path:
        """Where one role's answers for an idea are."""
        return self.folder.idea(f"idea{number}") / role

    @property
    def numbers(self) -> list[int]:
        """The numbers of all ideas that have a line."""
        return sorted({idea_number(arm) for arm in self.story.ideas})

    def arm(self, number: int) -> str:
        """The arm that an idea came to: its repair, if it had one."""
        return f"idea{number}r" if f"idea{number}r" in self.story.ideas else f"idea{number}"

    def answer(self, number: int, role: Role) -> Mapping[str, Any] | None:
        """The last answer of a role, whatever it was asked. Returns None if it has not answered."""
        return next((answer for _, answer in answers_in(self.role_folder(number, role.name))), None)


@dataclass(frozen=True, kw_only=True)
class Campaign(CampaignRecord):
    """What an attempt works with besides: the baseline, and the agent that plays all roles."""

    subject: Subject
    base: Snapshot
    proposer: AgentProposer
    say: Callable[[str], None] = field(default=lambda _: None, compare=False)


@dataclass(frozen=True)
class Question:
    """One question to a role: about which idea, in which words, and which files it may write."""

    role: Role
    number: int
    parts: RoleParts
    root: Path
    writable: tuple[Path, ...] = ()
    undo: Callable[[], object] = lambda: None


def ask(campaign: Campaign, question: Question) -> Mapping[str, Any]:
    """The answer of a role, checked against its schema. It is read from disk if the same was asked before."""
    prompt, request = request_of(campaign, question)
    folder = campaign.role_folder(question.number, question.role.name)
    known = known_answer(folder, request)
    if known is not None:
        return known
    for _ in range(TRIES):
        record_dir = numbered_path(folder)
        result = last_result(campaign, question, prompt, record_dir)
        reply = question.role.reply
        answer: Any = result.structured if reply else {"text": one_line(result.text, REASON)}
        if result.outcome is CallOutcome.OK and not (reply and misfits(reply, answer)):
            write_record(record_dir / ANSWER, {"request": request, "answer": answer})
            return dict(answer)
        if result.outcome in FATAL or question.role.mode is Mode.EDIT:
            break
    raise WorkFailed(
        f"idea {question.number}: the {question.role.name} gave no answer: {result.outcome.value}, "
        f"{one_line(result.reason, REASON)}",
        hint="cure that, then run the same command again; nothing that was answered is asked again",
    )


def ask_reader(campaign: Campaign, role: Role, parts: RoleParts) -> Mapping[str, Any]:
    """The answer of a role that reads nothing but its prompt."""
    folder = campaign.folder.idea(f"idea{parts.number}") / "empty"
    folder.mkdir(parents=True, exist_ok=True)
    return ask(campaign, Question(role, parts.number, parts, folder))


def request_of(campaign: Campaign, question: Question) -> tuple[str, str]:
    """The words of a question, and their digest."""
    prompt = role_prompt(campaign.proposer.prompts, question.role.name, question.parts)
    return prompt, digest_value([question.role.name, prompt])


def known_answer(folder: Path, request: str) -> Mapping[str, Any] | None:
    """The answer that is on disk to a request with this digest."""
    return next((answer for asked, answer in answers_in(folder) if asked == request), None)


def answers_in(folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every answer of a role with the digest of its request, the last one first."""
    for path in sorted(folder.glob(f"[0-9][0-9]/{ANSWER}"), reverse=True):
        record = read_record(path) or {}
        if isinstance(record.get("answer"), dict):
            yield str(record.get("request")), record["answer"]


def last_result(campaign: Campaign, question: Question, prompt: str, record_dir: Path) -> AgentResult:
    """How the last of the calls ended that one request took."""
    what = f"idea {question.number}, {question.role.name}"
    campaign.say(f"{what}: asking {campaign.proposer.agent.name}")
    request = Request(
        what=what,
        record_dir=record_dir,
        home=Home(campaign.folder.root, campaign.folder.base),
        project=campaign.spec.experiment.subject.root,
        call_in=lambda folder: call_of(campaign, question, prompt, folder),
        undo=question.undo,
        say=campaign.say,
    )
    return campaign.proposer.until_answered(request)[-1][0]


def call_of(campaign: Campaign, question: Question, prompt: str, record_dir: Path) -> AgentCall:
    asked, setup = campaign.spec.experiment.agent, campaign.proposer.setup
    record_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return AgentCall(
        prompt=prompt,
        conversation=Conversation(str(uuid.uuid4()), resume=False),
        task=Task(
            stage=setup.stage,
            title=f"idea {question.number}: {question.role.name}",
            attempt=question.number,
            run_root=question.root,
            draft=question.root,
            experiment=campaign.spec.name,
        ),
        mode=question.role.mode,
        writable=question.writable,
        model=asked.model or setup.model,
        limits=Limits(asked.wall_s, min(asked.silence_s, asked.wall_s), asked.turns, asked.cost_usd),
        record_dir=record_dir,
        options={**setup.options, **asked.options},
        reply_schema=question.role.reply,
        sandbox=campaign.spec.experiment.sandbox,
        hidden=(campaign.folder.sealed,),
    )
