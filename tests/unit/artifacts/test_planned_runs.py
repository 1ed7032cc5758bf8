"""Whatever was planned before the runs has a row among them."""

from __future__ import annotations

import pytest
from material import outcome

from flagstone.layout import Run
from flagstone.stages import NamedFile

PLANNED = "experiment,arm,seed,role\na,control,1,baseline\na,treated,1,confirmation\n"
LEAVES = tuple(NamedFile(f"workspace/results/{name}.csv", ()) for name in ("planned", "runs"))


def found(run: Run, planned: str, made: str) -> tuple[str, str]:
    folder = run.root / "workspace" / "results"
    (folder / "planned.csv").write_text(planned)
    (folder / "runs.csv").write_text(made)
    assert "planned-runs" not in outcome(run), "only if the stage must leave both tables"
    check = outcome(run, leaves=LEAVES).get("planned-runs")
    return (check.status, check.message) if check else ("", "")


def test_a_failed_run_with_a_row_is_no_gap(run: Run) -> None:
    made = "experiment,arm,seed,status\na,treated,1,crash\na,control,1,ok\na,extra,9,ok\n"
    assert found(run, PLANNED, made) == ("passed", "each of 2 planned runs has a row in workspace/results/runs.csv")


def test_a_run_that_was_dropped_is_named(run: Run) -> None:
    status, message = found(run, PLANNED, "experiment,arm,seed,status\na,control,1,ok\n")
    assert status == "failed" and message.endswith(": a treated 1")


@pytest.mark.parametrize("made", ["", "x\n1\n", "experiment,arm,seed\n"])
def test_tables_that_cannot_be_compared_are_left_to_other_rules(run: Run, made: str) -> None:
    assert found(run, PLANNED, made) == ("", "")


def test_a_row_with_too_few_cells_is_no_run(run: Run) -> None:
    assert found(run, PLANNED, "experiment,arm,seed\na,control\na\n")[0] == "failed"
