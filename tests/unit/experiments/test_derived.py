"""What is read off the ledger into files: result.json, results.tsv, best.json."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from entries import entry_of, home_for, made_up, measured, spec_for, write_ledger

from flagstone import schemas
from flagstone.experiments.deciding.verdict import ConstraintCheck
from flagstone.experiments.ledger import derived
from flagstone.experiments.ledger.derived import (
    HEADER,
    append_derived,
    best_record,
    rebuild,
    repair,
    result_record,
    results_line,
)
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.ledger import History, entries_of
from flagstone.plans.folder import Home
from flagstone.plans.spec import Spec

PLUGIN_FIELDS = """
run_id started_at wall_seconds status verdict metrics primary constraints valid improved_over_best
previous_best_run_id wandb_run_id log_path note should_terminate terminated_by exit_code unclean
"""
PLUGIN = PLUGIN_FIELDS.split()
PLUGIN_COLUMNS = "run_id ts wall_s status verdict primary_name primary_value valid improved note"
WILD = 'a\ttab,\nlines\r\nand 🎉 "quotes" \u2028 more'


def written(home: Home, spec: Spec, entries: list[Entry]) -> None:
    """As the engine does it: the line of the ledger, then what follows from it."""
    home.root.mkdir(parents=True, exist_ok=True)
    history = History.read(home)
    for entry in entries:
        history.append(entry)
        append_derived(home, spec, entry)


def files(home: Home) -> dict[str, bytes]:
    found = [home.results, *sorted((home.root / "runs").rglob("result.json"))]
    return {str(path.relative_to(home.root)): path.read_bytes() for path in found if path.exists()}


def refuse_constant(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def test_a_result_begins_with_the_fields_of_the_plugin_in_its_order(tmp_path: Path) -> None:
    record = result_record(entry_of(2, "advance", 0.5, previous_best="r0001"), spec_for(tmp_path))
    assert list(record)[: len(PLUGIN)] == PLUGIN
    assert record["primary"] == {"name": "val_loss", "direction": "min", "value": 0.5}
    assert set(record["constraints"][0]) == {"name", "op", "threshold", "value", "passed"}
    assert (record["improved_over_best"], record["previous_best_run_id"]) == (True, "r0001")


def test_a_result_is_valid_json_whatever_was_measured(tmp_path: Path) -> None:
    odd = {"a": float("nan"), "b": float("inf"), "c": float("-inf")}
    first = measured(3, None, metrics=odd, status="invalid")
    rows = (ConstraintCheck("a", "<=", 1.0, float("nan"), passed=False),)
    judged = {"evidence": float("inf"), "deep": [{"gain": float("nan")}]}
    entry = entry_of(3, value=None, measurements=(first,), constraints=rows, judgement=judged)
    content = derived.result_bytes(entry, spec_for(tmp_path))
    record = json.loads(content, parse_constant=refuse_constant)
    assert record["metrics"] == {"a": "nan", "b": "inf", "c": "-inf"}
    assert record["constraints"][0]["value"] == "nan" and record["judgement"]["deep"] == [{"gain": "nan"}]


def test_a_result_keeps_the_note_word_for_word(tmp_path: Path) -> None:
    content = derived.result_bytes(entry_of(2, note=WILD), spec_for(tmp_path))
    assert json.loads(content)["note"] == WILD
    assert "🎉" in content.decode()


def test_the_result_of_a_failed_repeat_points_at_the_log_and_exit_code_of_that_repeat(tmp_path: Path) -> None:
    failed = measured(4, None, "repeat-1", status="crash", exit_code=3)
    entry = entry_of(4, "crash", None, status="crash", measurements=(measured(4, 0.5), failed))
    record = result_record(entry, spec_for(tmp_path))
    assert (record["exit_code"], record["log_path"]) == (3, "runs/r0004/measured-repeat-1.log")
    assert record["wall_seconds"] == 2.5


def test_a_result_without_a_measurement_is_told_as_well(tmp_path: Path) -> None:
    entry = entry_of(5, "invalid", None, status="violation", measurements=())
    record = result_record(entry, spec_for(tmp_path))
    assert (record["wall_seconds"], record["exit_code"], record["started_at"]) == (0, None, entry.ended_at)


def test_a_row_has_the_columns_of_the_plugin(tmp_path: Path) -> None:
    columns = PLUGIN_COLUMNS.split()
    assert HEADER.split("\t") == columns
    row = dict(zip(columns, results_line(entry_of(2, "advance", 1 / 3), spec_for(tmp_path)).split("\t"), strict=True))
    assert (row["run_id"], row["primary_value"], row["valid"], row["improved"]) == ("r0002", "0.333333", "true", "true")


def test_a_row_without_a_number_leaves_its_cell_empty(tmp_path: Path) -> None:
    assert results_line(entry_of(2, "crash", None), spec_for(tmp_path)).split("\t")[6] == ""


@pytest.mark.parametrize(
    ("note", "cell"),
    [
        ("lr 2e-4 🎉", "lr 2e-4 🎉"),
        ("a\tb\rc\nd", "~ a b c d"),
        ("x" * 201, "~ " + "x" * 200),
        ("x" * 200, "x" * 200),
        ("one\u2028two\x85three", "~ one two three"),
        ("", ""),
    ],
)
def test_the_note_of_a_row_is_one_cell_and_says_when_it_was_altered(note: str, cell: str, tmp_path: Path) -> None:
    assert results_line(entry_of(2, note=note), spec_for(tmp_path)).split("\t")[9] == cell


def test_the_best_tells_its_lineage_and_its_weights(tmp_path: Path) -> None:
    entry = entry_of(7, "advance", 0.5, previous_best="r0003", measurements=(measured(7, 0.5, checkpoint="state.pt"),))
    record = best_record(entry, spec_for(tmp_path))
    assert list(record)[:5] == ["run_id", "primary", "created_at", "ckpt_path", "parent_lineage"]
    assert (record["ckpt_path"], record["parent_lineage"]) == ("best_ckpt/state.pt", "r0003")


def test_everything_derived_is_the_same_byte_for_byte_after_it_was_deleted(tmp_path: Path) -> None:
    home, spec = home_for(tmp_path), spec_for(tmp_path)
    entries = made_up(60)
    entries[7] = entry_of(8, note=WILD, parent_run="r0001")
    written(home, spec, entries)
    before = files(home)
    assert len(before) == 61
    home.results.unlink()
    shutil.rmtree(home.root / "runs")
    rebuild(home, spec, list(entries_of(home.ledger)))
    assert files(home) == before


def test_a_rebuild_puts_right_what_was_altered_and_leaves_what_is_right(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(9)
    written(home, spec, entries)
    before = files(home)
    untouched = os.stat(home.run("r0002").result).st_ino
    home.run("r0005").result.write_text("{}")
    home.results.write_bytes(home.results.read_bytes().replace(b"r0003", b"r0033"))
    rebuild(home, spec, entries)
    assert files(home) == before
    assert os.stat(home.run("r0002").result).st_ino == untouched


def test_a_rebuild_puts_the_record_of_the_best_right(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(9)
    best = entries[-1].best_run
    (home.bests / best).mkdir(parents=True)
    rebuild(home, spec, entries)
    assert json.loads((home.bests / best / "best.json").read_bytes())["run_id"] == best


@pytest.mark.parametrize("cut", [1, 5, 60])
def test_a_torn_row_is_put_right_by_the_next_run(cut: int, tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(6)
    written(home, spec, entries[:5])
    home.results.write_bytes(home.results.read_bytes()[:-cut])
    written(home, spec, entries[5:])
    rows = home.results.read_text().splitlines()
    assert [row.split("\t")[0] for row in rows] == ["run_id", *(f"r{number:04d}" for number in range(1, 7))]


@pytest.mark.parametrize("cut", [0, 1, 5, 60])
def test_a_torn_row_and_a_missing_result_are_put_right_at_the_start(cut: int, tmp_path: Path) -> None:
    home, spec = home_for(tmp_path), spec_for(tmp_path)
    written(home, spec, made_up(6))
    before = files(home)
    content = home.results.read_bytes()
    home.results.write_bytes(content[: len(content) - cut])
    home.run("r0006").result.unlink()
    repair(home, spec, History.read(home))
    assert files(home) == before


def test_a_start_rebuilds_all_results_where_they_were_deleted(tmp_path: Path) -> None:
    home, spec = home_for(tmp_path), spec_for(tmp_path)
    write_ledger(home, made_up(250))
    repair(home, spec, History.read(home))
    assert len(files(home)) == 251


def test_a_rebuild_that_was_killed_is_finished_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(300)
    written(home, spec, entries)
    before = files(home)
    for entry in entries[:9]:
        home.run(entry.run_id).result.unlink()

    def killed(path: Path, content: bytes) -> None:
        path.write_bytes(content[:20])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(derived, "make", killed)
        rebuild(home, spec, entries)
    repair(home, spec, History.read(home))
    assert files(home) == before


def test_a_row_is_not_added_twice_when_a_verdict_is_followed_up_again(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(4)
    written(home, spec, entries)
    before = files(home)
    append_derived(home, spec, entries[-1])
    assert files(home) == before


def test_every_result_and_best_holds_to_the_published_schema(tmp_path: Path) -> None:
    spec, entries = spec_for(tmp_path), made_up(120, searched=True)
    wild = replace(measured(121, None), metrics={"a": float("nan"), "b": float("-inf")}, unclean=(17,))
    rows = (ConstraintCheck("a", "<=", 1.0, float("nan"), passed=False),)
    entries.append(entry_of(121, value=None, measurements=(wild,), constraints=rows, proposal={"cost_usd": None}))
    folder = Path(__file__).parents[3] / "schemas"
    for entry in entries:
        assert schemas.problems(folder, "result", derived.result_record(entry, spec)) == []
        assert schemas.problems(folder, "best", json.loads(derived.best_bytes(entry, spec))) == []
