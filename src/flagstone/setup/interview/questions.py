"""Every question of setup in its fixed order, and the rounds in which the open ones are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from flagstone.setup.interview import program_questions as program, result_questions as result
from flagstone.setup.interview.question import SetupQuestion
from flagstone.setup.interview.settled import Settled

Ask = Literal["unclear", "all", "none"]
MOST_QUESTIONS = 4  # in a round
QUESTIONS = (
    program.entry_question,
    program.arguments_question,
    program.resume_question,
    program.framework_question,
    result.goal_question,
    result.backend_question,
    result.checkpoint_question,
    result.metric_question,
    result.constraints_question,
    result.mutable_question,
    result.seconds_question,
    program.runner_question,
    result.wandb_question,
)
FIRST = ("environment", "entry", "runner")  # what is found about the rest depends on them

LATER = (("entry", "runner"), ("environment", "framework"))  # the second can be answered after the first alone


def all_questions(settled: Settled) -> dict[str, SetupQuestion]:
    """The thirteen questions, each under its id; and that about the environment, if there is something to cure."""
    environment = program.environment_question(settled)
    found = {each.id: each for each in (question(settled) for question in QUESTIONS)}
    if not settled.look.program.entry and settled.look.program.argv:
        del found["entry"]  # the command starts no file of the project
    return {"environment": environment, **found} if environment.is_open else found


def open_questions(settled: Settled, ask: Ask = "unclear") -> list[SetupQuestion]:
    """The questions that nobody has answered: with "unclear" only those that the project leaves open."""
    questions = [each for each in all_questions(settled).values() if each.id not in settled.answers]
    questions = [each for each in questions if ask == "all" or each.is_open]
    is_open = {each.id for each in questions if each.is_open}
    # what was chosen for another entry, or without the packages of the project, would be no answer
    later = {name for first, name in LATER if first in is_open}
    return [each for each in questions if each.id not in later]


def open_rounds(settled: Settled, ask: Ask = "unclear") -> list[list[SetupQuestion]]:
    """The same in rounds. If what is started is open, that is asked first, and the rest after a new look."""
    questions = open_questions(settled, ask)
    questions = [each for each in questions if each.id in FIRST] or questions
    return [questions[at : at + MOST_QUESTIONS] for at in range(0, len(questions), MOST_QUESTIONS)]


def with_defaults(settled: Settled, questions: Mapping[str, SetupQuestion]) -> Settled:
    """The same with the default of every question that nobody has answered."""
    defaults = {name: each.default for name, each in questions.items() if each.default is not None}
    return replace(settled, answers={**defaults, **settled.answers})
