"""A trial whose process dies again and again, just after a line of its ledger or just before another file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from lone_trials import LoneProject

from flagstone.records import Ledger
from flagstone.trials.lines import IdeaLine, LookLine, RunLine
from flagstone.trials.running import look
from flagstone.trials.story import lines_in


class ProcessDied(BaseException):
    """Nobody catches this, as nobody catches SIGKILL."""


def test_a_trial_that_dies_after_every_line_has_each_line_once(
    project: LoneProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Ledger.append

    def append_and_die(ledger: Ledger, entry: object) -> None:
        append(ledger, entry)
        raise ProcessDied

    monkeypatch.setattr(Ledger, "append", append_and_die)
    deaths = live_on(project)
    assert deaths > 20
    refuse_if_doubled(project)


@pytest.mark.parametrize("name", ["write_record", "write_derived", "finish", "reveal", "seal_prereg"])
def test_a_trial_that_dies_before_a_file_is_written_goes_on(
    project: LoneProject, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every other call dies before it does anything."""
    write, calls = getattr(look, name), Counter[str]()

    def die_or_write(*words: Any, **more: Any) -> Any:
        calls[name] += 1
        if calls[name] % 2:
            raise ProcessDied
        return write(*words, **more)

    monkeypatch.setattr(look, name, die_or_write)
    assert live_on(project) >= 1
    refuse_if_doubled(project)


def live_on(project: LoneProject) -> int:
    """Runs the trial to its end. Returns how often it died."""
    deaths = 0
    while not project.plan.is_done:
        try:
            project.go_on(1)
        except ProcessDied:
            deaths += 1
            assert deaths < 200
    return deaths


def refuse_if_doubled(project: LoneProject) -> None:
    lines = lines_in(project.folder / "ledger.jsonl")
    keys: Callable[[Any], object] = key_of
    assert [key for key, count in Counter(map(keys, lines)).items() if count > 1] == []
    assert Ledger(project.folder / "ledger.jsonl").problems() == []
    story = project.story
    assert story.verdict and story.verdict.ideas[0].confirmation
    assert len(story.verdict.seeds) == 8 and not list((project.folder / "sealed" / "runs").iterdir())
    assert (project.folder / "report.md").read_text().count(str(story.verdict.outcome)) >= 1


def key_of(line: Any) -> object:
    match line:
        case RunLine():
            return line.arm, line.slot
        case LookLine():
            return line.what, line.arm, line.step
        case IdeaLine():
            return "idea", line.arm
    return line.kind
