"""The guard and the hidden check: what has to hold before a gain is kept, by exit code or by number."""

from __future__ import annotations

from typing import Any

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.errors import FlagstoneError, WorkFailed


def shell(line: str, **more: Any) -> dict[str, Any]:
    return {"argv": ["bash", "-c", line], **more}


PRINTS_X = "sed -n 's/^X = //p' train.py"


@pytest.mark.parametrize(("direction", "kept"), [("max", 2.5), ("min", 2.0)])
def test_a_guard_passes_by_its_number(laboratory: Laboratory, direction: str, kept: float) -> None:
    threshold = 1.0 if direction == "max" else 2.0
    guard = shell(PRINTS_X, extract="cat", threshold=threshold, direction=direction)
    laboratory.make(guard=guard).run(Edits({2: set_x(2.0), 3: set_x(2.5)}), limit=3)
    entries = laboratory.entries()
    assert entries[1].verdict == "advance"
    assert [each.value for each in entries[1].tries_of("guard")] == [2.0]
    assert entries[2].verdict == ("advance" if direction == "max" else "revert")
    if direction == "min":
        assert entries[2].reason == "the guard gave 2.5, and has to give at most 2"
        assert entries[2].refused_by == "guard"


def test_with_a_number_the_exit_code_of_the_guard_does_not_decide(laboratory: Laboratory) -> None:
    laboratory.make(guard=shell("echo 5; exit 1", extract="cat", threshold=5))
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    assert [each.verdict for each in laboratory.entries()] == ["advance", "advance"]


def test_a_guard_without_a_number_fails(laboratory: Laboratory) -> None:
    laboratory.make(guard=shell("grep -q 'X = 1.0' train.py && echo 5", extract="cat", threshold=5))
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    assert laboratory.entries()[1].refused_by == "guard"
    assert "printed nothing" in laboratory.entries()[1].reason


def test_the_hidden_check_comes_last_and_its_number_stays_with_people(laboratory: Laboratory) -> None:
    hidden = shell(PRINTS_X, extract="cat", threshold=2.25, direction="min")
    laboratory.make(hidden=hidden, guard=shell("true")).run(Edits({2: set_x(2.0), 3: set_x(2.5)}), limit=3)
    kept, refused = laboratory.entries()[1:]
    assert (kept.verdict, refused.verdict, refused.refused_by) == ("advance", "revert", "hidden")
    assert refused.reason == "hidden check"
    assert [(each.part, each.value) for each in refused.beside] == [("guard", None), ("hidden", 2.5)]
    assert not refused.valid and refused.best_run == "r0002"


def test_a_guard_that_refuses_spares_the_hidden_check(laboratory: Laboratory) -> None:
    laboratory.make(hidden=shell("true"), guard=shell("grep -q 'X = 1.0' train.py"))
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    assert [each.part for each in laboratory.entries()[1].beside] == ["guard"]


def test_unedited_files_that_fail_the_hidden_check_end_the_loop_at_once(laboratory: Laboratory) -> None:
    with pytest.raises(WorkFailed, match=r"do not pass the hidden check.*hidden\.log"):
        laboratory.make(hidden=shell("false")).run(Edits({2: set_x(2.0)}))


FLAKY = "n=$(cat {count} 2>/dev/null || echo 0); echo $((n + 1)) > {count}; case $n in {fails}) exit 1;; esac"


@pytest.mark.parametrize(
    ("passes", "fails", "verdict", "tries"),
    [
        ({"of": 3, "need": 3}, "99", "advance", 3),
        ({"of": 3, "need": 3}, "4", "revert", 2),
        ({"of": 3, "need": 1}, "1|2", "advance", 3),
        ({"of": 3, "need": 2}, "2", "advance", 3),
        ({"of": 3, "need": 2}, "99", "advance", 2),
        ({"of": 3, "need": 2}, "2|3", "revert", 2),
    ],
)
def test_a_flaky_guard_is_tried_until_it_is_decided(
    laboratory: Laboratory, passes: dict[str, int], fails: str, verdict: str, tries: int
) -> None:
    count = laboratory.folder / "count"
    laboratory.make(guard=shell(FLAKY.format(count=count, fails=fails), passes=passes))
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    entry = laboratory.entries()[1]
    assert (entry.verdict, len(entry.tries_of("guard"))) == (verdict, tries)
    assert len({each.log for each in entry.tries_of("guard")}) == tries
    if verdict == "revert":
        assert "tries succeeded" in entry.reason


@pytest.mark.parametrize(
    ("guard", "words"),
    [
        (shell("true", extract="cat"), "guard.extract needs guard.threshold"),
        (shell("true", extract="cat", threshold=None), "guard.extract needs guard.threshold"),
        (shell("true", threshold=5), "guard.threshold needs guard.extract"),
        (shell("true", passes={"of": 2, "need": 3}), "guard.passes.need is 3"),
        (shell("true", passes={"need": 2}), "guard.passes.need is 2"),
        (shell("true", extract="cat", threshold=1, locale="e"), "guard.locale"),
    ],
)
def test_a_check_that_cannot_be_meant_is_refused_before_anything_runs(
    laboratory: Laboratory, guard: dict[str, Any], words: str
) -> None:
    with pytest.raises(FlagstoneError, match=words):
        laboratory.make(guard=guard).open()
