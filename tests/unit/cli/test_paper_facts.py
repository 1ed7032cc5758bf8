"""`flagstone paper facts` shows every fact of a paper with its source, and every mistake with its cure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flagstone.cli.main import flagstone
from flagstone.errors import FlagstoneError
from flagstone.records import digest_bytes

ROOT = Path(__file__).parents[3]
RESULTS = b"arm,seed,loss\nplain,1,0.5\nplain,2,0.7\n"
LOSS = 'loss: {from: "workspace/results/runs.csv#loss", reduce: mean, format: ".2f", unit: nats}\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one run, whose stage 05 offers a table."""
    for name in ("Snakefile", "config", "schemas"):
        (tmp_path / name).symlink_to(ROOT / name)
    run = tmp_path / "runs" / "demo"
    for folder in ("stages", "workspace/results", "workspace/writing"):
        (run / folder).mkdir(parents=True)
    (run / "run.yaml").write_text("created_at: 2026-11-29T00:00:00Z\n")
    (run / "workspace/results/runs.csv").write_bytes(RESULTS)
    row = {"path": "workspace/results/runs.csv", "digest": digest_bytes(RESULTS)}
    (run / "stages/05_experimentation.json").write_text(json.dumps({"stage": "05", "artifacts": [row]}))
    return tmp_path


def facts(project: Path, text: str, *options: str) -> Result:
    (project / "runs/demo/workspace/writing/facts.yaml").write_text(text)
    return CliRunner().invoke(flagstone, ["--project", str(project), "paper", "facts", *options])


def test_a_row_has_the_number_as_it_is_printed_and_its_source(project: Path) -> None:
    done = facts(project, LOSS)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].split() == [
        *("loss", "0.60", "nats", "2", "measured", "mean", "of", "workspace/results/runs.csv#loss")
    ]
    assert not (project / "runs/demo/paper").exists()


def test_json_has_the_value_with_its_inputs(project: Path) -> None:
    found = json.loads(facts(project, LOSS, "--json").stdout)
    assert found["problems"] == []
    assert (found["facts"]["loss"]["value"], found["facts"]["loss"]["seeds"]) == (0.6, [1, 2])
    assert found["facts"]["loss"]["inputs"] == {"workspace/results/runs.csv": digest_bytes(RESULTS)}


def test_a_mistake_is_named_and_ends_the_command_as_yours_to_fix(project: Path) -> None:
    done = facts(project, LOSS + "more: {expr: mean(los)}\n", "demo")
    assert "loss" in done.stdout
    assert "workspace/writing/facts.yaml:2:more: there is no fact 'los'; did you mean 'loss'?" in done.stderr
    assert isinstance(done.exception, FlagstoneError) and done.exception.exit_code == 2
    assert done.exception.problem == "1 fact cannot be computed"


def test_a_run_without_facts_says_so(project: Path) -> None:
    done = facts(project, "")
    assert (done.exit_code, done.stderr) == (0, "workspace/writing/facts.yaml names no fact yet\n")
