"""The loop as TensorBoard shows it, read back with TensorBoard itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from entries import entry_of, home_for, made_up, spec_for, write_ledger
from laboratory import TRAIN, Edits, Laboratory, set_x
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from flagstone.experiments.ledger.derived import rebuild
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.scalars import CODES, NAME, Scalars
from flagstone.metrics import event_file
from flagstone.plans.folder import Home
from flagstone.plans.spec import Spec

Series = dict[str, list[tuple[int, float]]]


def series(home: Home) -> Series:
    """Every tag with its steps and values, as TensorBoard reads them."""
    read = EventAccumulator(str(home.events), size_guidance={"scalars": 0}).Reload()
    return {tag: [(each.step, each.value) for each in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def added(home: Home, spec: Spec, entries: list[Entry]) -> Scalars:
    """Written by one process, run after run."""
    scalars = Scalars(home)
    for entry in entries:
        scalars.add(entry, spec)
    return scalars


def expected(entries: list[Entry]) -> list[tuple[int, float]]:
    return [(each.number, pytest.approx(each.value)) for each in entries if each.value is not None]


def test_tensorboard_reads_what_each_run_came_to(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(80)
    added(home, spec, entries)
    found = series(home)
    assert found["candidate/val_loss"] == expected(entries)
    assert found["best/val_loss"] == [(each.number, pytest.approx(each.best_value)) for each in entries]
    assert found["run/verdict"] == [(each.number, CODES[each.verdict]) for each in entries]
    assert found["run/wall_s"][0] == (1, pytest.approx(entries[0].wall_s))
    assert {"run/peak_rss_mb", "run/cost_usd"} <= found.keys()


def test_a_number_of_any_size_is_told(tmp_path: Path) -> None:
    home, spec = home_for(tmp_path), spec_for(tmp_path)
    added(home, spec, [entry_of(1, value=1e300), entry_of(2, value=-1e300), entry_of(3, value=0.0)])
    assert [value for _, value in series(home)["candidate/val_loss"]] == [float("inf"), float("-inf"), 0.0]


def test_a_step_has_the_time_at_which_its_run_ended(tmp_path: Path) -> None:
    home, spec = home_for(tmp_path), spec_for(tmp_path)
    added(home, spec, [entry_of(1)])
    read = EventAccumulator(str(home.events)).Reload()
    assert read.Scalars("run/verdict")[0].wall_time == 1_767_225_612.0


@pytest.mark.parametrize("at", [1, 2, 30])
def test_another_process_goes_on_without_a_gap_or_a_repetition(at: int, tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(60)
    added(home, spec, entries[:at])
    added(home, spec, entries[at - 1 :])
    assert series(home)["candidate/val_loss"] == expected(entries)


def test_runs_that_were_not_written_down_are_taken_from_the_ledger(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(60)
    added(home, spec, entries[:20])
    write_ledger(home, entries)
    Scalars(home).add(entries[-1], spec)
    assert series(home)["candidate/val_loss"] == expected(entries)


@pytest.mark.parametrize("cut", [1, 3, 20, 150, 5000])
def test_a_file_that_was_cut_off_is_readable_and_gone_on_with(cut: int, tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(60)
    write_ledger(home, entries)
    added(home, spec, entries[:50])
    path = home.events / NAME
    path.write_bytes(path.read_bytes()[:-cut])
    whole = series(home).get("candidate/val_loss", [])
    assert whole == expected(entries)[: len(whole)]
    added(home, spec, entries[50:])
    assert series(home)["candidate/val_loss"] == expected(entries)


def test_a_file_that_is_taken_away_under_a_running_loop_comes_back_whole(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(30)
    write_ledger(home, entries)
    scalars = added(home, spec, entries[:20])
    shutil.rmtree(home.events)
    scalars.add(entries[20], spec)
    assert series(home)["run/verdict"][:21] == [(each.number, CODES[each.verdict]) for each in entries[:21]]


def test_a_rebuild_gives_the_same_files_byte_for_byte(tmp_path: Path) -> None:
    home, spec, entries = home_for(tmp_path), spec_for(tmp_path), made_up(40, searched=True)
    added(home, spec, entries[:13])
    added(home, spec, entries[13:])
    before = {path: path.read_bytes() for path in home.events.rglob("*") if path.is_file()}
    assert list(before) == [home.events / NAME]
    shutil.rmtree(home.events)
    rebuild(home, spec, entries)
    assert {path: path.read_bytes() for path in home.events.rglob("*") if path.is_file()} == before


def test_the_end_of_a_long_file_is_found_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, spec = home_for(tmp_path), spec_for(tmp_path)
    added(home, spec, made_up(300))
    path = home.events / NAME
    assert path.stat().st_size > 2 * event_file.TAIL
    seen: list[int] = []
    walk = event_file.walk
    monkeypatch.setattr(event_file, "walk", lambda content: seen.append(len(content)) or walk(content))
    assert event_file.last_step(path) == (300, path.stat().st_size)
    assert seen == [event_file.TAIL]


def test_writing_needs_no_heavy_package() -> None:
    code = "import sys, flagstone.experiments.ledger.scalars; print(*{'numpy', 'tensorboard', 'google.protobuf'} & set(sys.modules))"  # noqa: E501
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []


def test_edits_that_nobody_described_have_their_constants_in_the_table(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0)}), limit=1)
    (laboratory.home.working / "train.py").write_text(TRAIN.replace("X = 1.0", "X = -2\nKIND = 'adam'\nWIDTH = [1]"))
    laboratory.step("by hand")
    baseline, by_hand = laboratory.entries()
    assert baseline.proposal["parameters"] == {"X": 1.0}
    assert by_hand.proposal["parameters"] == {"X": -2, "KIND": "adam"}
