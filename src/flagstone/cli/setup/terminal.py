"""Asks the questions of setup in a terminal. Enter takes the default; nothing is written meanwhile."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from flagstone.errors import FlagstoneError
from flagstone.setup.interview import Settled, SetupQuestion, checked_answers, question_lines

NUMBERS = re.compile(r"\d+(?:[ ,]+\d+)*\Z")


def is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask_questions(settled: Settled, questions: Iterable[SetupQuestion], schemas: Path) -> Settled:
    """The same with the answers of the person to these questions."""
    for question in questions:
        click.echo()
        for line in question_lines(question):
            click.echo(line)
        settled = replace(settled, answers={**settled.answers, **ask_one(settled, question, schemas)})
    return settled


def ask_one(settled: Settled, question: SetupQuestion, schemas: Path) -> Mapping[str, Any]:
    """Asks until the answer is one."""
    several = ", or several" if question.is_several else ""
    numbers = f"1 to {len(question.choices)}"
    while True:
        prompt = f"{question.header}: {numbers}{several}, or your own words"
        words = str(click.prompt(prompt, default="1" if question.has_default else None)).strip()
        try:
            return checked_answers(
                {question.text: labels_of(question, words)}, settled, {question.id: question}, schemas
            )
        except FlagstoneError as error:
            click.echo(f"  {error.problem}")


def labels_of(question: SetupQuestion, words: str) -> str:
    """The labels of the choices whose numbers were given. Anything else stays what it is.

    Raises an error for a number that no choice has, unless the answer is a number itself.
    """
    numbers = [int(each) for each in re.findall(r"\d+", words)] if NUMBERS.match(words) else []
    is_outside = not all(1 <= number <= len(question.choices) for number in numbers)
    takes_numbers = all(isinstance(each.value, int | float) for each in question.choices)
    if is_outside and not takes_numbers:
        raise FlagstoneError(f"{words} is none of the choices: type 1 to {len(question.choices)}", hint="or words")
    if not numbers or is_outside or (len(numbers) > 1 and not question.is_several):
        return words
    return ", ".join(question.choices[number - 1].label for number in numbers)


def ask_name(name: str, free: str) -> str:
    """The name to take although there is an experiment of this name: the same to go on with it, or another."""
    click.echo(f"\nexperiment {name!r} already exists\n  1  go on with it\n  2  {free}  a new one\n  3  stop")
    choice = click.prompt("Name: a number", default=2, type=click.IntRange(1, 3))
    if choice == 3:
        raise FlagstoneError("nothing was written", hint=f"look at it: flagstone experiment status {name}")
    return name if choice == 1 else free
