"""A line of the ledger is told and read again as the same."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError

import pytest
from entries import entry_of, made_up, measured

from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.measuring.measurement import Measurement
from flagstone.records import canonical


def through_json(entry: Entry) -> Entry:
    return Entry.from_record(json.loads(canonical({**entry.to_record(), "before": "0" * 64})))


def test_a_run_is_read_as_it_was_written() -> None:
    for entry in made_up(60, searched=True):
        assert through_json(entry) == entry
    assert through_json(entry_of(2)) == entry_of(2) and hash(through_json(entry_of(2)).run_id)


def test_a_run_that_was_read_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        through_json(entry_of(2)).value = 1.0  # type: ignore[misc]


def test_numbers_that_are_none_are_read_again() -> None:
    first = measured(2, None, metrics={"a": math.inf, "b": math.nan})
    read = through_json(entry_of(2, measurements=(first,))).measurements[0]
    assert read.metrics["a"] == math.inf and math.isnan(read.metrics["b"])


def test_a_line_of_an_older_form_is_read_with_what_it_left_out() -> None:
    record = entry_of(2).to_record()
    for name in ("terminated_by", "proposal"):
        del record[name]
    del record["measurements"][0]["wandb_run_id"]
    read = Entry.from_record(record)
    assert (read.terminated_by, read.proposal, read.measurements[0].wandb_run_id) == ("", {}, None)


@pytest.mark.parametrize("change", [{"strange": 1}, {"run_id": None, "number": None}])
def test_a_line_that_tells_of_no_run_is_refused(change: dict[str, object]) -> None:
    record = {**entry_of(2).to_record(), **change}
    for name, value in change.items():
        if value is None:
            del record[name]
    with pytest.raises(TypeError):
        Entry.from_record(record)
    with pytest.raises(KeyError):
        Measurement.from_record({"part": "first"})
