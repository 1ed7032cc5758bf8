"""Records are whole or absent, ledgers are chained, digests follow content."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flagstone.errors import WorkFailed
from flagstone.records import (
    DigestCache,
    Ledger,
    canonical,
    decode,
    digest_file,
    encode,
    read_as,
    read_record,
    utc,
    write_atomic,
    write_record,
)


def test_equal_values_have_one_spelling() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1})


def test_a_write_that_fails_leaves_the_old_content_and_no_scrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    write_record(path, {"n": 1})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkFailed, match="No space left"):
        write_record(path, {"n": 2})
    assert read_record(path) == {"n": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["record.json"]


def test_a_record_that_is_torn_binary_or_nested_without_end_reads_as_none(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    for content in (b"", b"{", b"\xff\xfe", b"[1]", b"[" * 100_000):
        path.write_bytes(content)
        assert read_record(path) is None


def test_each_ledger_line_carries_the_digest_of_the_line_before(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in range(5):
        ledger.append({"n": number})
    assert [entry["n"] for entry in ledger.entries()] == [0, 1, 2, 3, 4]
    assert ledger.problems() == []


def test_a_torn_last_line_is_passed_over_and_the_next_line_stands_alone(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append({"n": 0})
    with open(ledger.path, "ab") as stream:
        stream.write(b'{"n": 1, "bef')
    ledger.append({"n": 2})
    assert [entry["n"] for entry in ledger.entries()] == [0, 2]
    assert ledger.problems() == ["line 2 of ledger.jsonl cannot be read and is passed over"]


def test_a_changed_ledger_line_breaks_the_chain(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number in range(3):
        ledger.append({"n": number})
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b'"n":1', b'"n":9'))
    assert ledger.problems() == ["line 3 of ledger.jsonl does not follow from the line before it"]


def test_a_line_longer_than_the_tail_that_is_read_is_still_chained(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append({"words": "x" * 300_000})
    ledger.append({"n": 1})
    assert ledger.problems() == []


def test_an_edit_is_seen_even_when_its_time_is_set_back(tmp_path: Path) -> None:
    path, cache = tmp_path / "data.csv", DigestCache(None)
    path.write_text("a")
    before, stat = cache.digest(path), path.stat()
    path.write_text("b")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert cache.digest(path) != before


def test_the_cache_answers_without_reading_and_survives_being_broken(tmp_path: Path) -> None:
    path, store = tmp_path / "data.csv", tmp_path / "cache.json"
    path.write_text("a")
    first = DigestCache(store)
    digest = first.digest(path)
    first.save()
    again = DigestCache(store)
    assert json.loads(store.read_text())
    assert again.digest(path) == digest
    assert not again.has_new
    store.write_text("garbage")
    assert DigestCache(store).digest(path) == digest == digest_file(path)


def test_times_are_utc_with_milliseconds() -> None:
    assert utc(0.25) == "1970-01-01T00:00:00.250Z"


def test_an_unwritable_place_is_two_lines_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkFailed) as caught:
        write_atomic(tmp_path / "file" / "record.json", b"x")
    assert str(caught.value).count("\n") == 1


@dataclass(frozen=True)
class Sample:
    name: str
    values: Mapping[str, float] = field(default_factory=dict)
    other: float | None = None


def test_a_number_that_json_cannot_hold_is_written_as_a_word_and_read_as_that_number() -> None:
    raw = encode(Sample("a", {"nan": math.nan, "high": math.inf, "low": -math.inf, "one": 1.5}))
    assert json.loads(raw)["values"] == {"nan": "nan", "high": "inf", "low": "-inf", "one": 1.5}
    values = decode(raw, Sample).values
    assert math.isnan(values["nan"]) and (values["high"], values["low"], values["one"]) == (math.inf, -math.inf, 1.5)


def test_a_record_of_another_version_is_read_without_the_keys_that_are_unknown() -> None:
    assert decode(b'{"name": "a", "strange": [1], "version": 7}', Sample) == Sample("a")


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_only_the_json_module_reads_are_read(number: str) -> None:
    assert str(decode(f'{{"name": "a", "other": {number}}}'.encode(), Sample).other) == str(float(number))


def test_what_is_no_record_of_a_kind_is_none(tmp_path: Path) -> None:
    for raw in (b"", b"{", b"[1]", b'{"name": 1}', b'{"values": {}}', b'{"name":' + b"[" * 100_000):
        (tmp_path / "record.json").write_bytes(raw)
        assert read_as(tmp_path / "record.json", Sample) is None
    assert read_as(tmp_path / "nothing.json", Sample) is None


def test_a_new_ledger_survives_a_power_cut_and_each_line_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}")))
    ledger = Ledger(tmp_path / "lr" / "ledger.jsonl")
    ledger.append({"n": 0})
    assert synced == [str(ledger.path), str(tmp_path / "lr"), str(tmp_path)]
    ledger.append({"n": 1})
    assert synced[3:] == [str(ledger.path)]


def test_a_name_that_is_no_utf_8_is_read_back_as_it_was() -> None:
    assert decode(encode(Sample(os.fsdecode(b"caf\xe9.py"))), Sample).name == os.fsdecode(b"caf\xe9.py")
