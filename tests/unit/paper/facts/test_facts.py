"""Facts are computed from files of the run, and whatever cannot be computed is named with its line and its cure."""

from __future__ import annotations

from pathlib import Path

import pytest
from paper_runs import facts_of, make_run

from flagstone.layout import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path)


ONE = 'one: {from: "workspace/results/runs.csv#accuracy?where=arm=plain&seed=2", format: ".2f"}\n'
PLAIN = 'plain: {from: "workspace/results/runs.csv#accuracy?where=arm=plain"}\n'


def test_a_cell_of_a_table_is_a_fact_with_its_file_seed_and_digest(run: Run) -> None:
    fact = facts_of(run, ONE).facts["one"]
    assert (fact.value, fact.printed, fact.n, fact.seeds, fact.kind) == (0.6, "0.60", 1, (2,), "measured")
    (path,) = fact.inputs
    assert path == "workspace/results/runs.csv" and len(fact.inputs[path]) == 64


def test_rows_are_reduced_to_one_number_with_their_n_and_seeds(run: Run) -> None:
    book = facts_of(
        run,
        'm: {from: "workspace/results/runs.csv#accuracy?where=arm=plain", reduce: mean, format: ".2f"}\n'
        'sd: {from: "workspace/results/runs.csv#accuracy?where=arm=plain", reduce: sd, format: ".2f"}\n'
        'low: {from: "workspace/results/runs.csv#accuracy?where=arm=plain", reduce: ci_low, format: ".4f"}\n'
        'all: {from: "workspace/results/runs.csv#seed", reduce: count}\n',
    )
    assert book.problems == ()
    assert {key: fact.printed for key, fact in book.facts.items()} == {
        "m": "0.60",
        "sd": "0.10",
        "low": "0.3516",
        "all": "7",
    }
    assert (book.facts["m"].n, book.facts["m"].seeds) == (3, (1, 2, 3))
