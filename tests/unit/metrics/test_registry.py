"""Which reader is asked, and what a spec can get wrong."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.metrics.registry import READERS, faults, nearest_names, read_metrics
from flagstone.metrics.series import Place, Reading, divergence_text

Write = Callable[[float], None]


@pytest.fixture
def summary(place: Place) -> Write:
    """A wandb run with this loss."""

    def write(loss: float) -> None:
        files = place.run_dir / "wandb" / "offline-run-20260101_000000-abcd1234" / "files"
        files.mkdir(parents=True)
        (files / "wandb-summary.json").write_text(json.dumps({"loss": loss}))

    return write


@pytest.fixture
def events(place: Place) -> Write:
    """An event file with this loss."""

    def write(loss: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(place.run_dir / "logs"))
        writer.add_event(Event(step=1, summary=Summary(value=[Summary.Value(tag="loss", simple_value=loss)])))
        writer.close()

    return write


def test_auto_takes_the_first_that_knows_the_metric_and_says_which(place: Place, summary: Write, events: Write) -> None:
    place.log.write_text("loss: 4\n")
    assert read_metrics("auto", {}, place, ["loss"]) == read_metrics("log", {}, place, ["loss"])
    (place.run_dir / "m.csv").write_text("loss\n3\n")
    (place.run_dir / "m.json").write_text('{"loss": 3.5}')
    for path, value in (("m.csv", 3), ("m.json", 3.5), ("none.json", 4)):
        found = read_metrics("auto", {"path": path}, place, ["loss"])
        assert (found.backend, found.values["loss"]) == ("log" if value == 4 else path[2:], value)
    events(2)
    found = read_metrics("auto", {"path": "m.csv"}, place, ["loss"])
    assert (found.backend, found.values["loss"]) == ("tensorboard", 2)
    summary(1)
    found = read_metrics("auto", {"path": "m.csv"}, place, ["loss"])
    assert (found.backend, found.values["loss"]) == ("wandb", 1)
    code = "def extract(run_dir, log_text):\n    return {'loss': 0}\n"
    assert read_metrics("auto", {"code": code}, place, ["loss"]).backend == "custom"


def test_auto_passes_over_what_does_not_know_the_metric(place: Place, summary: Write) -> None:
    summary(1)
    place.log.write_text("acc: 4\n")
    assert read_metrics("auto", {}, place, ["acc"]).backend == "log"


def test_auto_takes_a_number_that_is_not_finite(place: Place, summary: Write) -> None:
    summary(math.nan)
    place.log.write_text("loss: 4\n")
    assert read_metrics("auto", {}, place, ["loss"]).backend == "wandb"


def test_auto_says_what_was_in_the_way_and_nothing_of_what_nobody_uses(place: Place) -> None:
    place.log.write_text("nothing\n")
    assert read_metrics("auto", {}, place, ["loss"]).problems == ()
    found = read_metrics("auto", {"path": "m.json"}, place, ["loss"])
    assert found.problems == ("the run wrote no file that matches m.json",)


@pytest.mark.parametrize(
    ("path", "text", "value", "backend"),
    [
        ("out/metrics.json", '{"eval": {"loss": 2}, "loss": 3}', 3, "json"),
        ("history.jsonl", '{"loss": 3}\n{"loss": 2}\n', 2, "json"),
        ("logs/v_0/metrics.csv", "epoch,loss\n1,3\n2,1.5\n", 1.5, "csv"),
        ("m[0].tsv", "epoch\tloss\n2\t1.5\n", 1.5, "csv"),
    ],
)
def test_auto_looks_into_what_the_run_wrote_after_the_log(
    place: Place, path: str, text: str, value: float, backend: str
) -> None:
    place.log.write_text("acc: 4\n")
    target = place.run_dir / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    found = read_metrics("auto", {}, place, ["loss", "acc"])
    assert (found.values["loss"], found.backend, found.sources) == (value, backend, (path,))
    assert found.values["acc"] == 4, "what the log says of other names still counts"
    place.log.write_text("loss: 4\n")
    assert read_metrics("auto", {}, place, ["loss"]).backend == "log"


def test_files_that_disagree_are_named_and_none_is_believed(place: Place) -> None:
    place.log.write_text("")
    (place.run_dir / "a.json").write_text('{"loss": 1}')
    (place.run_dir / "b.csv").write_text("loss\n1\n")
    assert read_metrics("auto", {}, place, ["loss"]).values["loss"] == 1
    (place.run_dir / "b.csv").write_text("loss\n2\n")
    found = read_metrics("auto", {}, place, ["loss"])
    assert "loss" not in found.values
    assert "a.json (1), b.csv (2); name one in metric.path" in found.problems[0]


def test_a_file_that_was_there_before_the_run_is_not_its_own(place: Place) -> None:
    place.log.write_text("")
    (place.run_dir / "a.json").write_text('{"loss": 1}')
    laid_out = replace(place, is_laid_out=lambda path: path.name == "a.json")
    assert "loss" not in read_metrics("auto", {}, laid_out, ["loss"]).values
    assert "loss" not in read_metrics("json", {"path": "a.json"}, laid_out, ["loss"]).values


def test_every_reader_says_that_it_was_the_one(place: Place) -> None:
    place.log.write_text("")
    for backend in READERS:
        found = read_metrics(backend, {}, place, ["loss"])
        assert (found.backend, dict(found.values)) == (backend, {})


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: os.symlink(path, path), lambda path: os.symlink("/dev/zero", path)]
)
def test_what_is_no_plain_file_is_not_opened_by_any_reader(place: Place, make: Callable[[str], None]) -> None:
    """A pipe would be waited for, and a device never ends."""
    place.log.write_text("")
    files = place.run_dir / "wandb" / "run-20260101_000000-abcd1234" / "files"
    files.mkdir(parents=True)
    wandb = (files / "wandb-summary.json", files.parent / "run-abcd1234.wandb")
    for path in (*wandb, place.run_dir / "events.out.tfevents.1.x", place.run_dir / "m.json", place.run_dir / "m.csv"):
        make(str(path))
    for backend in (*READERS, "auto"):
        for path in ("m.json", "m.csv", "m*"):
            assert read_metrics(backend, {"path": path}, place, ["loss"]).values == {}


def test_a_reader_that_does_not_exist_is_an_error_with_the_choice(place: Place) -> None:
    with pytest.raises(FlagstoneError, match="mlflow"):
        read_metrics("mlflow", {}, place, ["loss"])


@pytest.mark.parametrize(
    ("backend", "options", "why"),
    [
        ("mlflow", {}, "there is no metric backend 'mlflow'"),
        ("log", {"regex": "("}, "cannot be used"),
        ("auto", {"regex": "("}, "cannot be used"),
        ("json", {}, "needs metric.path"),
        ("csv", {}, "needs metric.path"),
        ("custom", {}, "needs metric.code"),
        ("custom", {"code": "def extract("}, "no Python"),
        ("custom", {"code": "x = 1\n"}, "defines no extract"),
        ("json", {"path": "/abs.json"}, "leads out of the run's folder"),
        ("tensorboard", {"glob": "../logs/*"}, "leads out of the run's folder"),
        ("wandb", {"dir": "~/wandb"}, "leads out of the run's folder"),
    ],
)
def test_what_is_wrong_with_a_spec_is_said_before_anything_runs(
    backend: str, options: dict[str, object], why: str
) -> None:
    (said,) = faults(backend, options)
    assert why in said


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        *((backend, {}) for backend in ("auto", "log", "tensorboard", "wandb")),
        ("log", {"regex": "x=(.*)"}),
        ("json", {"path": "out/*.json", "key": "a.b"}),
        ("custom", {"code": "measure/extract.py"}),
        ("custom", {"code": "def extract(run_dir, log_text):\n    return {}\n"}),
    ],
)
def test_nothing_is_said_of_what_is_right(backend: str, options: dict[str, object]) -> None:
    assert faults(backend, options) == []


def test_the_nearest_keys_are_named_in_their_order() -> None:
    seen = ["lr", "val/loss", "train_loss", "epoch", "val/loss"]
    assert nearest_names("val_loss", seen)[:2] == ["val/loss", "train_loss"]
    assert nearest_names("val_loss", seen, 1) == ["val/loss"]
    assert nearest_names("val_loss", []) == []


def test_a_metric_that_diverged_at_the_end_is_told() -> None:
    def of(*steps: float) -> str:
        return divergence_text(Reading({"loss": steps[-1]}, "log", last_steps={"loss": steps}), "loss")

    assert of(0.5, math.nan) == "loss is nan at the end; its last finite value was 0.5"
    assert of(-math.inf) == "loss is -inf"
    assert of(math.nan, 0.5) == "" == divergence_text(Reading({}, "log"), "loss")


def test_a_reader_is_loaded_only_when_it_is_asked(tmp_path: Path) -> None:
    heavy = "{'tensorboard', 'numpy', 'pandas', 'google', 'wandb', 'flagstone.metrics.log', 'flagstone.processes'}"
    code = f"import sys, flagstone.metrics.registry\nprint(sorted({heavy} & set(sys.modules)))"
    source = Path(__file__).parents[3] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["log", "tensorboard", "wandb", "tables", "custom"])
def test_no_reader_loads_what_is_heavy(module: str) -> None:
    heavy = "{'tensorboard', 'numpy', 'pandas', 'google', 'wandb'}"
    code = f"import sys, flagstone.metrics.{module}\nprint(sorted({heavy} & set(sys.modules)))"
    source = Path(__file__).parents[3] / "src"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
