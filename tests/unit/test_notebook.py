"""What a notebook is handed: tables of a ledger and of a run, without writing anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import flagstone
from flagstone.errors import FlagstoneError
from flagstone.plans.folder import Home
from flagstone.records import Ledger
from flagstone.trials.lines import RunLine

sys.path.append(str(Path(__file__).parent / "experiments"))
from entries import entry_of, made_up, measured, write_ledger

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one experiment of 40 runs; we stand in a folder below it."""
    home = Home(tmp_path / ".flagstone" / "experiments" / "lr", tmp_path)
    write_ledger(home, made_up(40, searched=True))
    home.spec.write_text("goal: less\n")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def files_of(folder: Path) -> dict[Path, int]:
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_an_experiment_is_a_table_with_one_row_a_run(project: Path) -> None:
    before = files_of(project)
    table = flagstone.experiment("lr").table()
    entries = made_up(40, searched=True)
    assert list(table.index) == [entry.run_id for entry in entries]
    assert table.value.dtype == float and table.improved.dtype == bool
    assert table.value.dropna().tolist() == [entry.value for entry in entries if entry.value is not None]
    assert table["parameters.LR"].notna().sum() == 39 and table["metrics.val_loss"].notna().any()
    assert str(table.ended_at.dtype).startswith("datetime64") and table.repeats["r0001"] == 4
    assert files_of(project) == before


def test_the_best_is_a_typed_row(project: Path) -> None:
    best = flagstone.experiment("lr").best()
    assert best is not None and best.run_id == made_up(40, searched=True)[-1].best_run
    assert min(row.value for row in flagstone.experiment().rows() if row.value and row.valid) == best.value


def test_an_experiment_is_found_by_its_folder_as_well(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project / ".flagstone" / "experiments" / "lr"
    monkeypatch.chdir("/")
    assert flagstone.experiment(folder).path == flagstone.experiment(str(folder)).path == folder
    assert len(flagstone.experiment(folder).table()) == 40


def test_a_wrong_name_says_which_there_are(project: Path) -> None:
    with pytest.raises(FlagstoneError, match="no experiment 'rl'") as caught:
        flagstone.experiment("rl")
    assert "name one of: lr" in str(caught.value)
    with pytest.raises(FlagstoneError, match="no experiment in"):
        flagstone.experiment(project / "nowhere")
    with pytest.raises(FlagstoneError, match="no run in"):
        flagstone.run(project / "nowhere")


def test_an_experiment_without_a_run_is_an_empty_table(project: Path) -> None:
    (project / ".flagstone" / "experiments" / "lr" / "ledger.jsonl").unlink()
    table = flagstone.experiment("lr").table()
    assert table.empty and {"value", "verdict", "ended_at"} <= set(table.columns)
    assert flagstone.experiment("lr").best() is None


def test_a_run_without_a_number_has_missing_cells(project: Path) -> None:
    first = measured(2, None, metrics={"val_loss": float("nan")}, status="invalid")
    home = Home(project / ".flagstone" / "experiments" / "lr", project)
    write_ledger(home, [entry_of(1), entry_of(2, value=None, measurements=(first,), proposal={"cost_usd": None})])
    row = flagstone.experiment("lr").table().loc["r0002"]
    assert pd.isna(row.value) and pd.isna(row["metrics.val_loss"]) and pd.isna(row.cost_usd)


def test_importing_flagstone_loads_nothing() -> None:
    code = "import sys, flagstone; print([m for m in sys.modules if m.startswith(('flagstone.', 'pandas', 'msgspec'))])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    assert answer.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="strange"):
        _ = flagstone.strange  # type: ignore[attr-defined]


def test_a_run_is_a_table_with_one_row_a_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Snakefile", "config", "schemas", "prompts", "workflow"):
        (tmp_path / name).symlink_to(CHECKOUT / name)
    (tmp_path / "runs").mkdir()
    made = CHECKOUT / "tests" / "data" / "made-by" / "e144a5e" / "runs" / "experiment-finished.tar.gz"
    subprocess.run(["tar", "--no-same-owner", "-xzf", made, "-C", tmp_path / "runs"], check=True)
    before = files_of(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    run = flagstone.run("experiment-finished")
    table = run.table()
    assert list(table.index) == [f"{nr:02d}" for nr in range(1, 9)]
    assert table.name["01"] == "literature_survey" and table.state["01"] == "done"
    assert run.status().name == flagstone.run(tmp_path / "runs" / "experiment-finished").name == "experiment-finished"
    [experiment] = run.experiments()
    assert len(experiment.table()) == len(run.experiment().rows()) > 1
    assert files_of(tmp_path / "runs") == before


def test_a_trial_is_a_table_with_one_row_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ".flagstone" / "trials" / "clip"
    folder.mkdir(parents=True)
    (folder / "trial.yaml").write_text("question: better?\n")
    monkeypatch.chdir(tmp_path)
    assert flagstone.trial("clip").table().empty and flagstone.trial().story().verdict is None
    for slot, value in (("a1", 0.5), ("a2", None)):
        status = "ok" if value else "crash"
        metrics = {"val_loss": value} if value else {}
        Ledger(folder / "ledger.jsonl").append(RunLine("control", slot, status, "basis", "now", value, metrics))
    table = flagstone.trial(folder).table()
    assert list(table.index) == ["control-a1", "control-a2"] and table.value.isna().tolist() == [False, True]
    assert table["metrics.val_loss"]["control-a1"] == 0.5 and list(table.status) == ["ok", "crash"]
    with pytest.raises(FlagstoneError, match="no trial 'clap'"):
        flagstone.trial("clap")
