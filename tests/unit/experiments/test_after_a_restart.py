"""What a later engine may take from an earlier one: finished measurements of the same thing, and no later verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from laboratory import TRAIN, Edits, Laboratory, set_x

from flagstone.experiments.engine.engine import Engine, engine_of
from flagstone.experiments.measuring import Order
from flagstone.plans import RunFolder

LAG = 3


@pytest.mark.parametrize("before", [2, 4, 6])
def test_proposals_after_a_restart_see_what_they_would_have_seen_without_one(
    laboratory: Laboratory, before: int
) -> None:
    laboratory.make(lag=LAG)
    values = {number: set_x(1.0 + number / 10) for number in range(2, 10)}
    laboratory.run(Edits(values), limit=before)
    edits = Edits(values)
    laboratory.run(edits, limit=9 - before)
    seen = {view.number: [entry.number for entry in view.entries][-1] for view in edits.views}
    assert seen == {number: max(number - LAG, 1) for number in range(before + 1, 10)}
    parents = {view.number: view.best and view.best.number for view in edits.views}
    assert parents == seen, "each run is better than the one before, so that the newest verdict names the best"


@pytest.fixture
def counted(laboratory: Laboratory) -> Laboratory:
    """A program that leaves one letter each time it is run."""
    laboratory.files = {
        **laboratory.files,
        "train.py": f"open({str(laboratory.folder / 'count')!r}, 'a').write('x')\n{TRAIN}",
    }
    return laboratory.make()


def other_seed(order: Order) -> Order:
    return replace(order, seed=order.seed + 1)


def other_contract(order: Order) -> Order:
    record(order, contract="0" * 64)
    return order


def other_tree(order: Order) -> Order:
    record(order, tree="0" * 40)
    return order


def same(order: Order) -> Order:
    return order


def record(order: Order, **changes: str) -> None:
    """Writes the measurement down as if it had been one of something else."""
    path = order.run.measurement_file(order.part)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(("change", "runs"), [(same, 1), (other_seed, 2), (other_contract, 2), (other_tree, 2)])
def test_a_finished_measurement_is_taken_up_only_for_the_same_tree_contract_and_seed(
    counted: Laboratory, change: Callable[[Order], Order], runs: int
) -> None:
    with engine_of(counted.open(), None, counted.said.append) as engine:
        order = order_of_the_base(engine)
        first = engine.harness.measure(order)
    with engine_of(counted.open(), None, counted.said.append) as engine:
        again = engine.harness.measure(change(order))
    assert (counted.folder / "count").read_text() == "x" * runs
    assert (again.started_at == first.started_at) is (runs == 1)
    aside = [
        path.name for path in order.run.root.iterdir() if path.name.startswith(order.run.measurement_file("first").stem)
    ]
    assert len(aside) == runs, "what was measured before is kept beside it"


def order_of_the_base(engine: Engine) -> Order:
    run: RunFolder = engine.opened.home.run("r0001")
    return Order(run, engine.opened.base.tree, "first", 7)
