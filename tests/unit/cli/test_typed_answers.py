"""What a person types at a question of setup: the number of a choice, or words of their own."""

from __future__ import annotations

import pytest

from flagstone.cli.setup.terminal import labels_of
from flagstone.errors import FlagstoneError
from flagstone.setup.interview import SetupQuestion
from flagstone.setup.interview.question import choices_of


def question(*values: object, is_several: bool = False) -> SetupQuestion:
    choices = choices_of((f"choice {each}", each, "") for each in values)
    return SetupQuestion("id", "Which?", "Which", choices, "--flag", is_several=is_several)


@pytest.mark.parametrize("words", ["0", "4", "9", "1, 4"])
def test_a_number_that_no_choice_has_is_refused(words: str) -> None:
    with pytest.raises(FlagstoneError, match="1 to 3"):
        labels_of(question("a", "b", "c", is_several=True), words)


@pytest.mark.parametrize(("words", "expected"), [("2", "choice b"), ("val_loss min", "val_loss min"), ("f1", "f1")])
def test_the_number_of_a_choice_is_that_choice_and_words_stay_words(words: str, expected: str) -> None:
    assert labels_of(question("a", "b", "c"), words) == expected


@pytest.mark.parametrize(("words", "expected"), [("600", "600"), ("9", "9"), ("2", "choice 900")])
def test_a_number_of_seconds_may_be_any(words: str, expected: str) -> None:
    assert labels_of(question(300, 900, 1800), words) == expected
