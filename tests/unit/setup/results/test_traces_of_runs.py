"""What earlier runs have left tells names, backends and times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from result_projects import project

from flagstone.metrics import read_event_ends
from flagstone.metrics.event_file import first_event, scalars_event, whole_file
from flagstone.setup.results import metric_finding, seconds_finding

EVENTS = whole_file(1000.0, [scalars_event(1000.0 + step, step, {"val/loss": 1.0, "lr": 0.1}) for step in range(91)])


def test_the_tags_of_event_files_are_metrics_with_a_glob_that_fits_the_next_run(tmp_path: Path) -> None:
    files = {"train.py": "", "runs/try_3/events.out.tfevents.1.host": EVENTS}
    found = metric_finding(*project(tmp_path, files))
    assert found.value == {
        "name": "val/loss",
        "direction": "min",
        "backend": "tensorboard",
        "glob": "runs/*/events.out.tfevents.*",
        "tag": "val/loss",
    }
    assert found.confidence == "certain"


def test_the_span_of_event_files_is_the_time_of_a_run(tmp_path: Path) -> None:
    found = seconds_finding(*project(tmp_path, {"train.py": "", "runs/a/events.out.tfevents.1": EVENTS}))
    assert (found.value, found.confidence) == (110, "likely")  # 90 s, and a fifth more


def test_only_both_ends_of_an_event_file_are_read(tmp_path: Path) -> None:
    filler = scalars_event(1500.0, 1, {"x" * 200: 0.0}) * 4000  # about 1 MB
    middle = scalars_event(9000.0, 1, {"only/in/the/middle": 0.0})
    last = scalars_event(2000.0, 2, {"val/acc": 0.0})
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(first_event(1000.0) + filler + middle + filler + last)
    ends = read_event_ends(path)
    assert set(ends.tags) == {"x" * 200, "val/acc"}
    assert ends.seconds == 1000.0


@pytest.mark.parametrize("content", [b"", b"\0" * 300_000, b"rubbish" * 100_000, EVENTS[:-3], EVENTS[7:]])
def test_a_damaged_event_file_is_no_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(content)
    assert set(read_event_ends(tmp_path / "events.out.tfevents.1").tags) <= {"val/loss", "lr"}


def test_the_three_newest_summaries_of_wandb_count(tmp_path: Path) -> None:
    names = ["old/val_loss", "val_a_loss", "val_b_loss", "val_c_loss"]
    files = {f"wandb/run-{number}/files/wandb-summary.json": json.dumps({name: 1}) for number, name in enumerate(names)}
    found = metric_finding(*project(tmp_path, {"train.py": "", **files}))
    assert found.value["name"] == "val_c_loss"
    assert [each.value["name"] for each in found.lost] == ["val_b_loss", "val_a_loss"]


def test_a_table_with_a_step_is_of_a_run_and_another_is_data(tmp_path: Path) -> None:
    files = {
        "train.py": "",
        "lightning_logs/version_0/metrics.csv": "epoch,step,val_loss\n0,1,0.5\n",
        "iris.csv": "width,precision,val_loss_of_flower\n1,2,3\n",
        "data/epochs.csv": "epoch,val_precision\n1,2\n",
    }
    found = metric_finding(*project(tmp_path, files))
    assert (found.value["name"], found.value["path"]) == ("val_loss", "lightning_logs/*/metrics.csv")
    assert found.lost == ()


def test_the_folder_that_hydra_made_is_left_open(tmp_path: Path) -> None:
    run = "logs/train/runs/2026-01-01_10-00-00"
    files = {
        "train.py": "",
        f"{run}/.hydra/config.yaml": "",
        f"{run}/csv/version_0/metrics.csv": "epoch,val/acc\n1,1\n",
    }
    assert metric_finding(*project(tmp_path, files)).value["path"] == "hydra/csv/*/metrics.csv"


def test_results_of_the_trainer_are_read_with_the_key_that_the_reader_needs(tmp_path: Path) -> None:
    state = {"epoch": 1, "log_history": [{"loss": 1, "step": 1}, {"eval_loss": 0.5, "step": 2}]}
    found = metric_finding(*project(tmp_path, {"train.py": "", "out/trainer_state.json": json.dumps(state)}))
    assert found.value["name"] == "eval_loss"
    assert (found.value["path"], found.value["key"]) == ("out/trainer_state.json", "log_history.eval_loss")
    results = json.dumps({"eval_accuracy": 0.5, "train_runtime": 50.0}, indent=1)
    tree, program = project(tmp_path / "b", {"train.py": "", "out/all_results.json": results})
    assert metric_finding(tree, program).evidence == ("out/all_results.json:2",)
    assert seconds_finding(tree, program).value == 60


def test_files_of_mlflow_need_code_of_ones_own(tmp_path: Path) -> None:
    found = metric_finding(*project(tmp_path, {"train.py": "", "mlruns/0/abc/metrics/val_loss": "1 0.5 0"}))
    assert (found.value["backend"], found.confidence) == ("custom", "unclear")
    assert "--code" in found.note


@pytest.mark.parametrize("content", ["[" * 100_000, "{", "null", '{"val_loss": "x"}', '{"log_history": [1, null]}'])
def test_rubbish_that_a_run_left_is_no_error(tmp_path: Path, content: str) -> None:
    files = {"train.py": "", "all_results.json": content, "wandb/run-1/files/wandb-summary.json": content}
    assert metric_finding(*project(tmp_path, files)).value is None


def test_a_name_that_steers_a_terminal_is_no_name(tmp_path: Path) -> None:
    summary = json.dumps({"val_\x1b[31mloss": 1, "val_" + "x" * 100 + "_loss": 1})
    files = {"train.py": "", "wandb/run-1/files/wandb-summary.json": summary}
    assert metric_finding(*project(tmp_path, files)).value is None


def test_without_any_earlier_run_the_usual_time_is_proposed(tmp_path: Path) -> None:
    found = seconds_finding(*project(tmp_path, {"train.py": ""}))
    assert (found.value, found.confidence) == (300, "none")


def test_a_budget_in_the_code_is_told_with_what_comes_on_top(tmp_path: Path) -> None:
    files = {"train.py": "from prepare import TIME_BUDGET", "prepare.py": "TIME_BUDGET = 300  # seconds"}
    found = seconds_finding(*project(tmp_path, files, imports=("prepare.py",)))
    assert (found.value, found.confidence, found.evidence) == (300, "likely", ("prepare.py:1",))
    assert "on top" in found.note
