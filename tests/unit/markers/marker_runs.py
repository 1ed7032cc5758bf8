"""Ledgers of a marker, made up: for tests of what is read off them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flagstone.experiments.ledger.entry import Entry
from flagstone.markers.folder import MarkerFolder
from flagstone.plans import run_id
from flagstone.records import Ledger


def entry(number: int, note: str = "", value: float | None = 1.0, *, improved: bool = False, **more: Any) -> Entry:
    made = Entry(
        number=number,
        run_id=run_id(number),
        parent_run="r0001" if number > 1 else "",
        tree="t",
        commit="c",
        note=note,
        status="crash" if value is None else "ok",
        verdict="advance" if improved else "revert",
        reason="exit code 1" if value is None else "no better than r0001",
        value=value,
        valid=value is not None,
        improved=improved,
        previous_best="",
        best_run="r0001",
        best_value=1.0,
    )
    return replace(made, **more)


def write(folder: MarkerFolder, home: int, *entries: Entry) -> None:
    for each in entries:
        Ledger(folder.home(home).ledger).append(each)
