"""The next experiment, begun from the best of the one before; and one that is begun anew."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from laboratory import ROOT, TRAIN, Edits, Laboratory, set_x

from flagstone.errors import FlagstoneError
from flagstone.experiments.engine.chain import NextExperiment, begin_child
from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.engine.opening import OpenedExperiment, start_over
from flagstone.experiments.ledger.ledger import History, entries_of
from flagstone.records import digest_bytes

WANTED = NextExperiment("two", "the first\tknob moved it most 🎉\nso a second one is next")
SAVING = TRAIN + "import os\nopen('state.pt', 'w').write(os.environ.get('AR_RESUME_CKPT', 'none'))\n"


@pytest.fixture
def parent(laboratory: Laboratory) -> Laboratory:
    """An experiment with a best of X = 2, that saved something."""
    laboratory.files = {**laboratory.files, "train.py": SAVING}
    changes = {"checkpoint": {"glob": "state.pt"}, "stopping": {"threshold": 0.5, "max_runs": 9}}
    laboratory.make(constraints=["wall_s <= 60"], **changes)
    laboratory.run(Edits({2: set_x(2.0), 3: set_x(9.0)}), limit=3)
    return laboratory


def chain(parent: Laboratory, wanted: NextExperiment = WANTED, report: str = "# report") -> OpenedExperiment:
    best = History.read(parent.home).progress.best
    return begin_child(parent.open(), best, report, wanted, ROOT / "schemas")


def test_an_unedited_first_run_of_the_child_is_the_parents_best(parent: Laboratory) -> None:
    child = chain(parent)
    with engine_of(child, Edits({}), parent.said.append) as engine:
        engine.run(1)
    (entry,) = entries_of(child.home.ledger)
    assert (entry.verdict, entry.value) == ("advance", 1.5)
    assert "X = 2.0" in (child.home.working / "train.py").read_text()
    assert child.spec.constraints == parent.open().spec.constraints
    assert child.spec.stopping.threshold == 0.5


def test_the_child_takes_up_the_parents_weights(parent: Laboratory) -> None:
    child = chain(parent)
    with engine_of(child, Edits({}), parent.said.append) as engine:
        engine.run(1)
    assert Path((child.home.best_checkpoint / "state.pt").read_text()) == child.home.root / "parent_ckpt" / "state.pt"


def test_the_decision_is_kept_word_for_word_and_read_only(parent: Laboratory) -> None:
    child = chain(parent, report="# report")
    record = json.loads(child.home.decision.read_text())
    assert record["rationale"] == WANTED.rationale
    assert (record["parent_expr"], record["chain_position"]) == ("one", 1)
    assert record["parent_primary"] == {"name": "val_loss", "direction": "min", "best_value": 1.5}
    assert record["parent_report_sha256"] == digest_bytes(b"# report")
    assert stat.S_IMODE(child.home.decision.stat().st_mode) == 0o444


def test_a_threshold_of_another_metric_is_not_inherited(parent: Laboratory) -> None:
    child = chain(parent, replace(WANTED, metric="accuracy", direction="max", budget={"max_runs": 5}))
    assert (child.spec.metric.name, child.spec.metric.direction) == ("accuracy", "max")
    assert (child.spec.stopping.threshold, child.spec.stopping.max_runs) == (None, 5)


def test_another_metric_has_the_direction_of_its_name_and_not_the_parents(parent: Laboratory) -> None:
    child = chain(parent, replace(WANTED, metric="accuracy"))
    assert (child.spec.metric.name, child.spec.metric.direction) == ("accuracy", "max")
    assert chain(parent, replace(WANTED, name="three", metric="val_loss")).spec.metric.direction == "min"
    with pytest.raises(FlagstoneError, match="is a lower or a higher zeal better"):
        chain(parent, replace(WANTED, name="four", metric="zeal"))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (replace(WANTED, rationale=" \n"), "the rationale is empty"),
        (replace(WANTED, budget={"max_runs": 0}), "leaves nothing to run"),
        (replace(WANTED, name="one"), "already"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused_and_leaves_nothing(
    parent: Laboratory, wanted: NextExperiment, words: str
) -> None:
    before = sorted(path.name for path in parent.home.root.parent.iterdir())
    with pytest.raises(FlagstoneError, match=words):
        chain(parent, wanted)
    assert sorted(path.name for path in parent.home.root.parent.iterdir()) == before
    assert chain(parent).home.name == "two"


def test_beginning_anew_keeps_everything_that_was_done(parent: Laboratory) -> None:
    ledger = parent.home.ledger.read_bytes()
    start_over(parent.home)
    assert parent.entries() == []
    assert (parent.home.root / "history" / "001" / "ledger.jsonl").read_bytes() == ledger
    parent.run(Edits({}), limit=1)
    assert [(each.run_id, each.value) for each in parent.entries()] == [("r0001", 4.5)]
