"""kill -9 at every change of the file system, and what stands there afterwards."""

from __future__ import annotations

import json
import os

import pytest
from laboratory import Edits, Laboratory, killed_at, set_x, whole

from flagstone.experiments.ledger import ledger
from flagstone.experiments.ledger.ledger import History, state_file
from flagstone.records import Ledger

EDITS = {2: set_x(2.0), 3: whole("raise SystemExit(1)\n"), 4: set_x(2.5), 5: set_x(0.0)}
CHECKPOINT = {"glob": "state.pt"}
SAVING = 'open("state.pt", "w").write(str(X))\n'
EXPECTED = [("r0001", "advance"), ("r0002", "advance"), ("r0003", "crash"), ("r0004", "advance"), ("r0005", "revert")]


def prepared(laboratory: Laboratory) -> Laboratory:
    source = laboratory.files["train.py"] + SAVING
    laboratory.files = {**laboratory.files, "train.py": source}
    laboratory.make(checkpoint=CHECKPOINT)
    laboratory.open()
    return laboratory


def best_agrees(laboratory: Laboratory) -> None:
    """Pointer, source, checkpoint and history tell of one and the same run."""
    home, entries = laboratory.home, laboratory.entries()
    last = entries[-1]
    record = json.loads(home.best_record.read_text())
    source = (home.best / "source" / "train.py").read_text()
    saved = home.best_checkpoint / "state.pt"
    meta = json.loads((home.best_checkpoint / "meta.json").read_text())
    assert record["run_id"] == meta["run_id"] == last.best_run
    assert f"X = {saved.read_text()}" in source
    assert (home.working / "train.py").read_text() == source


@pytest.mark.parametrize("share", [0, *(pytest.param(share, marks=pytest.mark.slow) for share in range(1, 8))])
def test_every_run_is_there_exactly_once_after_a_kill_at_any_change(laboratory: Laboratory, share: int) -> None:
    prepared(laboratory)
    for moment in range(share + 1, 2000, 24):
        there = laboratory.copy(f"moment-{moment}")
        was_killed = killed_at(moment, lambda here=there: here.run(Edits(EDITS), limit=5))  # type: ignore[misc]
        edits = Edits(EDITS)
        there.run(edits, limit=5 - len(there.entries()))
        assert [(each.run_id, each.verdict) for each in there.entries()] == EXPECTED, f"killed at change {moment}"
        assert [each.number for each in there.entries()] == [1, 2, 3, 4, 5]
        assert not Ledger(there.home.ledger).problems()
        best_agrees(there)
        if not was_killed:
            return
    pytest.fail("the work never came to its end")


def test_a_finished_measurement_is_not_lost_and_no_agent_is_asked_twice(laboratory: Laboratory) -> None:
    prepared(laboratory)
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    count = laboratory.project / "count"
    source = f"open({str(count)!r}, 'a').write('x')\nprint('val_loss: 0.6')\n"

    def killed() -> None:
        from flagstone.experiments.engine import engine

        engine.Engine.conclude = lambda *_: os.kill(os.getpid(), 9)  # type: ignore[method-assign,assignment]
        laboratory.run(Edits({3: whole(source)}), limit=1)

    assert killed_at(10**9, killed)
    edits = Edits({3: set_x(9.0)})
    laboratory.run(edits, limit=1)
    assert edits.asked == []
    assert count.read_text() == "x"
    assert laboratory.entries()[-1].value == 0.6


def test_a_torn_last_line_is_recognised_and_its_run_is_done_again(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(9.0)}), limit=3)
    whole_ledger = laboratory.home.ledger.read_bytes()
    laboratory.home.ledger.write_bytes(whole_ledger[:-100])
    laboratory.run(Edits({4: set_x(2.5)}), limit=2)
    assert [each.run_id for each in laboratory.entries()] == ["r0001", "r0002", "r0003", "r0004"]


def test_what_was_remembered_of_a_ledger_that_was_rewritten_is_not_believed(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "REMEMBER_EVERY", 1)
    laboratory.make()
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(2.5)}), limit=3)
    lines = laboratory.home.ledger.read_bytes().splitlines(keepends=True)
    laboratory.home.ledger.write_bytes(b"".join(lines[:2]))
    assert History.read(laboratory.home).progress.best_run == "r0002"
    state_file(laboratory.home).write_text("{}")
    assert History.read(laboratory.home).progress.best_run == "r0002"


@pytest.mark.parametrize("every", [1, 3, 8, 100])
def test_the_quick_way_into_a_ledger_and_the_long_one_come_to_the_same(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setattr(ledger, "REMEMBER_EVERY", every)
    laboratory.make()
    laboratory.run(Edits({number: set_x(1 + number / 10) for number in range(2, 9)}), limit=8)
    assert state_file(laboratory.home).is_file() is (every <= 8)
    quick = History.read(laboratory.home)
    assert quick.unremembered == 8 % every
    state_file(laboratory.home).unlink(missing_ok=True)
    long = History.read(laboratory.home)
    assert (quick.progress, list(quick.recent)) == (long.progress, list(long.recent))


def test_somebody_elses_line_in_the_ledger_halts_the_loop(laboratory: Laboratory) -> None:
    laboratory.make()
    evil = f"open({str(laboratory.home.ledger)!r}, 'a').write('{{}}\\n')\nprint('val_loss: 0.1')\n"
    with pytest.raises(Exception, match="another process wrote to"):
        laboratory.run(Edits({2: whole(evil)}), limit=2)


def test_a_best_that_somebody_changed_is_put_back_from_the_ledger(laboratory: Laboratory) -> None:
    prepared(laboratory)
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    record = laboratory.home.best_record
    record.unlink()
    record.write_text('{"run_id": "r0001"}')
    laboratory.home.best.unlink()
    laboratory.run(Edits({3: set_x(9.0)}), limit=1)
    best_agrees(laboratory)


def test_a_best_that_a_power_cut_left_empty_is_written_again(laboratory: Laboratory) -> None:
    prepared(laboratory)
    laboratory.run(Edits({2: set_x(2.0)}), limit=2)
    for path in (laboratory.home.best / "source" / "train.py", laboratory.home.best / "best.json"):
        os.truncate(path, 0)
    laboratory.run(Edits({3: set_x(9.0)}), limit=1)
    best_agrees(laboratory)
