"""GPU time in the books of a run, and held to its budget."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from laboratory import Edits, Laboratory, set_x

from flagstone.agents.accounts.budget import Balance, Budget
from flagstone.agents.accounts.calls import lines_of
from flagstone.errors import WorkFailed
from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.ledger.accounts import Accounts


def test_gpu_time_is_written_down_and_a_used_up_budget_begins_no_further_run(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGSTONE_GPUS", "0")
    laboratory.make()
    value = laboratory.home.spec.read_text().replace("harness:\n", "harness:\n  gpus: 1\n")
    laboratory.home.spec.write_text(value)
    budget = Budget.of("run t", {"gpu_h": 1e-6})
    accounts = Accounts(laboratory.home, "05", (budget,))
    edits = Edits({2: set_x(2.0), 3: set_x(2.5)})
    with (
        pytest.raises(WorkFailed, match="the budget of run t is used up: gpu_h"),
        engine_of(laboratory.open(), edits, laboratory.said.append, accounts) as engine,
    ):
        engine.run(3)
    assert [each.run_id for each in laboratory.entries()] == ["r0001"]
    lines = lines_of(laboratory.home.log)
    assert [(line.kind, line.stage, line.experiment) for line in lines] == [("use", "05", "one")]
    assert lines[0].gpu_s == round(laboratory.entries()[0].wall_s, 3) > 0
    assert Balance.of(laboratory.home.log).use(budget, "gpu_h") > 0


def test_a_kill_between_the_verdict_and_its_line_in_the_books_is_mended_once(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({}), limit=1)
    books, entry = Accounts(laboratory.home), replace(laboratory.entries()[-1], run_id="r0001")
    used = replace(entry, measurements=tuple(replace(each, gpus=1, wall_s=2.0) for each in entry.measurements))
    books.note_missing(used)
    books.note_missing(used)
    books.note_missing(replace(used, ended_at="later"))  # of the same name, after it was begun anew
    lines = [json.loads(line) for line in laboratory.home.log.read_text().splitlines()]
    assert [(line["run"], line["gpu_s"]) for line in lines] == [
        (f"r0001 {used.ended_at}", used.gpu_s),
        ("r0001 later", used.gpu_s),
    ]
