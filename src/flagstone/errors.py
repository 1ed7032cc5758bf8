"""Every error a user can meet: what is wrong, what to do next, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable


class FlagstoneError(Exception):
    """Something that the user can fix (exit code 2)."""

    exit_code = 2

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem}\n{self.hint}"


class WorkFailed(FlagstoneError):
    """The work itself failed, although the request was correct (exit code 3)."""

    exit_code = 3


class Interrupted(FlagstoneError):
    """A person, or a signal, asked us to stop (exit code 130)."""

    exit_code = 130


class Paused(FlagstoneError):
    """The work waits for a time that somebody else has set (exit code 0)."""

    exit_code = 0

    def __init__(self, problem: str, *, hint: str, until_s: float) -> None:
        super().__init__(problem, hint=hint)
        self.until_s = until_s


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean 'model'?` if one of the known words is close, otherwise nothing."""
    import difflib

    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""
