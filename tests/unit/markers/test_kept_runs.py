"""Which runs led to the best of a marker, and what each was edited from."""

from __future__ import annotations

from typing import Any

import pytest

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger import Entry
from flagstone.markers.finalizing.keeps import kept_runs
from flagstone.plans import run_id


def entry(number: int, parent: int = 0, *, is_kept: bool = True, **proposal: Any) -> Entry:
    return Entry(
        number=number,
        run_id=run_id(number),
        parent_run=run_id(parent) if parent else "",
        tree=f"tree {number}",
        commit="",
        note="",
        status="ok",
        verdict="advance" if is_kept else "revert",
        reason="",
        value=float(number),
        valid=True,
        improved=is_kept,
        previous_best="",
        best_run="",
        best_value=None,
        proposal=proposal,
    )


def numbers(*entries: Entry) -> list[tuple[int, int]]:
    return [(before.number, now.number) for before, now in kept_runs(entries)]


def test_each_kept_run_stands_after_the_one_it_was_edited_from() -> None:
    assert numbers(entry(1), entry(2, 1), entry(3, 2, is_kept=False), entry(4, 2)) == [(1, 2), (2, 4)]


def test_a_keep_that_the_best_was_not_made_from_is_no_part_of_it() -> None:
    assert numbers(entry(1), entry(2, 1), entry(3, 1)) == [(1, 3)]


def test_a_rework_is_one_edit_with_the_run_that_it_repairs() -> None:
    refused = entry(3, 2, is_kept=False)
    repaired = entry(4, 3, rework=1, fixes="r0003", base={"run": "r0002", "tree": "tree 2"})
    assert numbers(entry(1), entry(2, 1), refused, repaired) == [(1, 2), (2, 4)]


def test_an_edit_of_a_run_that_was_not_kept_is_one_edit_with_that_run() -> None:
    assert numbers(entry(1), entry(2, 1, is_kept=False), entry(3, 2)) == [(1, 3)]


def test_without_a_keep_there_is_nothing() -> None:
    assert numbers(entry(1), entry(2, 1, is_kept=False)) == []
    assert numbers() == []


def test_a_ledger_that_lost_a_line_is_named() -> None:
    with pytest.raises(FlagstoneError, match="does not say what r0003 was edited from"):
        kept_runs([entry(1), entry(3, 2)])
