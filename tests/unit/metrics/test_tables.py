"""Metrics in files of the run's own, and by a person's own code."""

from __future__ import annotations

import math
import os

import pytest

from flagstone.metrics.registry import read_metrics
from flagstone.metrics.series import Place


def test_a_json_object_is_read_with_its_nested_names(place: Place) -> None:
    (place.run_dir / "metrics.json").write_text('{"val": {"loss": 0.5, "ok": true}, "lr": 1e-3, "bad": NaN}')
    found = read_metrics("json", {"path": "metrics.json"}, place, ["val/loss"])
    assert (found.values["val/loss"], found.values["val.loss"], found.values["lr"]) == (0.5, 0.5, 1e-3)
    assert math.isnan(found.values["bad"]) and "val/ok" not in found.values
    assert found.sources == ("metrics.json",)


def test_of_json_lines_the_last_value_counts(place: Place) -> None:
    (place.run_dir / "log.jsonl").write_text('{"loss": 0.5}\n{"loss": 0.4, "acc": 0.9}\n{"lo')
    assert read_metrics("json", {"path": "*.jsonl"}, place, []).values == {"loss": 0.4, "acc": 0.9}


def test_a_key_says_where_the_metric_stands(place: Place) -> None:
    (place.run_dir / "out.json").write_text('{"results": {"a": 3}}')
    assert read_metrics("json", {"path": "out.json", "key": "results.a"}, place, ["score"]).values["score"] == 3


def test_of_a_table_the_last_filled_cell_of_each_column_counts(place: Place) -> None:
    (place.run_dir / "metrics.csv").write_text("step,loss,val_loss\n1,0.9,\n2,0.8,0.7\n3,0.6,\n")
    assert read_metrics("csv", {"path": "metrics.csv"}, place, []).values == {"step": 3, "loss": 0.6, "val_loss": 0.7}


def test_a_file_of_another_run_or_outside_is_not_read(place: Place) -> None:
    (place.run_dir / "old.json").write_text('{"loss": 0.1}')
    os.utime(place.run_dir / "old.json", (1, 1))
    (place.run_dir.parent / "outside.json").write_text('{"loss": 0.1}')
    (place.run_dir / "link.json").symlink_to(place.run_dir.parent / "outside.json")
    for path in ("old.json", "link.json", "../outside.json", str(place.run_dir.parent / "outside.json")):
        assert read_metrics("json", {"path": path}, place, ["loss"]).values == {}


@pytest.mark.parametrize("content", [b"", b"\xff\x00garbage", b"[1, 2", b'"text"'])
def test_a_broken_file_is_a_problem_and_no_crash(place: Place, content: bytes) -> None:
    (place.run_dir / "metrics.json").write_bytes(content)
    found = read_metrics("json", {"path": "metrics.json"}, place, ["loss"])
    assert found.values.get("loss") is None


EXTRACT = "def extract(run_dir, log_text):\n    return {'loss': len(log_text), 'word': 'x'}\n"


def test_a_persons_own_code_is_asked_in_a_process_of_its_own(place: Place) -> None:
    place.log.write_text("four")
    found = read_metrics("custom", {"code": EXTRACT}, place, ["loss"])
    assert found.values == {"loss": 4.0} and "word" in found.problems[0]


@pytest.mark.parametrize(
    "body", ["import sys; sys.exit(0)", "raise ValueError('no')", "return 3", "import os; os.kill(os.getpid(), 9)"]
)
def test_code_that_fails_or_leaves_is_a_problem_and_never_ours(place: Place, body: str) -> None:
    place.log.write_text("")
    code = f"def extract(run_dir, log_text):\n    {body}\n"
    found = read_metrics("custom", {"code": code}, place, ["loss"])
    assert found.values == {} and found.problems
