"""A line of the ledger is told and read again as the same."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from entries import entry_of, made_up, measured

from flagstone.experiments.deciding.verdict import ConstraintCheck
from flagstone.experiments.ledger.entry import Entry
from flagstone.records import Ledger, canonical, decode, encode


def through_json(entry: Entry) -> Entry:
    return decode(encode({**vars(entry), "before": "0" * 64}), Entry)


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


def test_a_line_of_an_older_or_newer_form_is_read() -> None:
    record = json.loads(encode(entry_of(2)))
    for name in ("terminated_by", "proposal"):
        del record[name]
    del record["measurements"][0]["wandb_run_id"]
    read = decode(json.dumps({**record, "strange": 1}).encode(), Entry)
    assert (read.terminated_by, read.proposal, read.measurements[0].wandb_run_id) == ("", {}, None)


@pytest.mark.parametrize("change", [{"run_id": None}, {"number": "two"}, {"measurements": [{"part": "first"}]}])
def test_a_line_that_tells_of_no_run_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Expected|required"):
        decode(encode({**vars(entry_of(2)), **change}), Entry)


def test_a_ledger_as_an_earlier_version_wrote_it_reads_to_the_same_and_its_chain_holds(tmp_path: Path) -> None:
    """The json module with sorted keys, `1e-05` for a small number, a bare NaN, and no version."""
    rows = (ConstraintCheck("a", "<=", 1e-05, math.nan, passed=False),)
    first = measured(2, None, metrics={"a": math.inf, "b": 1e-05}, reason="ü\u2028")
    entries = [*made_up(40, searched=True), entry_of(41, measurements=(first,), constraints=rows)]
    ledger, before = Ledger(tmp_path / "ledger.jsonl"), "0" * 64
    with open(ledger.path, "wb") as stream:
        for entry in entries:
            measurements = [vars(each) | {"metrics": words(each.metrics)} for each in entry.measurements]
            checks = [vars(each) for each in entry.constraints]
            line = canonical({**vars(entry), "measurements": measurements, "constraints": checks, "before": before})
            before = hashlib.sha256(line).hexdigest()
            stream.write(line + b"\n")
    assert b"NaN" in line and b"1e-05" in line and b"version" not in line
    read = ledger.entries(Entry)
    assert read[:-1] == entries[:-1] and read[-1].measurements == (first,)
    ledger.append(entry_of(42))
    assert ledger.problems() == [] and ledger.entries(Entry)[-1] == entry_of(42)


def words(metrics: Mapping[str, float]) -> dict[str, float | str]:
    return {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}
