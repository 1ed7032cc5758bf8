"""`flagstone setup --from .autoresearch/SLUG`: an experiment of `ar` goes on here from its best."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

FLAGSTONE = Path(sys.executable).parent / "flagstone"
PROGRAM = (
    "# Program\n\n## Goal\nLower the loss of\nthe model.\n\n"
    "## Mutation scope\n- `model.Net`\n\n## Metric\n- primary: `val/loss` (min)\n"
)
TRAIN = "import prepare\nfrom model import RATE\nprint('val/loss:', RATE * {factor})\n"
SESSION = {
    "duration_seconds": 120,
    "termination_conditions": {"primary_threshold": 0.1, "plateau_n": None, "max_runs": 40, "unlimited": False},
    "hard_constraints": [{"name": "peak_rss_mb", "op": "<=", "threshold": 4000}],
    "runner": {"kind": "python"},
    "metric_backend": "log",
}
BEST = {"run_id": "r0002", "primary": {"name": "val/loss", "direction": "min", "value": 0.5}}


def flagstone(project: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [FLAGSTONE, *words], cwd=project, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files: dict[str, Any] = {
        "program.md": PROGRAM,
        "prepare.py": "",
        "train.py": TRAIN.format(factor=9),
        ".baseline/train.py": TRAIN.format(factor=2),
        "runs/r0002/train.py": TRAIN.format(factor=1),
        "best.json": json.dumps(BEST),
        ".ar-session.json": json.dumps(SESSION),
    }
    for name, text in files.items():
        path = tmp_path / ".autoresearch" / "251201-lr" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "model.py").write_text("RATE = 0.5\n")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def spec_of(project: Path, name: str = "251201-lr") -> dict[str, Any]:
    return dict(yaml.safe_load((project / ".flagstone/experiments" / name / "experiment.yaml").read_text()))


def test_its_best_is_measured_again_and_its_limits_hold(project: Path) -> None:
    before = contents(project / ".autoresearch")
    said = flagstone(project, "setup", "--from", ".autoresearch/251201-lr")
    assert "runs/r0002/train.py" in said and said.endswith("next: flagstone experiment run 251201-lr\n")
    spec = spec_of(project)
    assert spec["goal"] == "Lower the loss of the model."
    assert spec["metric"] == {"name": "val/loss", "direction": "min", "backend": "log"}
    assert (spec["harness"]["seconds"], spec["constraints"], spec["scope"]) == (
        120,
        ["peak_rss_mb <= 4000"],
        ["model.Net"],
    )
    assert spec["stopping"] == {"threshold": 0.1, "max_runs": 40}
    assert "val/loss 0.5" in flagstone(project, "experiment", "step", "251201-lr")
    work = project / ".flagstone/experiments/251201-lr/work/autoresearch"
    (work / "train.py").write_text(TRAIN.format(factor=0.5))
    assert "verdict: advance" in flagstone(project, "experiment", "step", "251201-lr")
    (work / "prepare.py").write_text("RATE = 0\n")
    flagstone(project, "experiment", "step", "251201-lr")
    ledger = (project / ".flagstone/experiments/251201-lr/ledger.jsonl").read_text().splitlines()
    assert json.loads(ledger[-1])["status"] == "violation"
    assert contents(project / ".autoresearch") == before


@pytest.mark.parametrize(
    ("runner", "argv"),
    [
        ({"kind": "accelerate", "num_processes": 2, "config_file": "a.yaml"},
         ["accelerate", "launch", "--config_file", "a.yaml", "--num_processes", "2", "autoresearch/train.py"]),
        ({"verbatim": "uv run python train.py --fast"}, ["uv", "run", "python3", "autoresearch/train.py", "--fast"]),
        ({"argv": ["torchrun", ".autoresearch/251201-lr/train.py"]}, ["torchrun", "autoresearch/train.py"]),
    ],
)  # fmt: skip
def test_its_runner_becomes_the_command(project: Path, runner: dict[str, Any], argv: list[str]) -> None:
    path = project / ".autoresearch/251201-lr/.ar-session.json"
    path.write_text(json.dumps({**SESSION, "runner": runner}))
    found = json.loads(flagstone(project, "setup", "--from", ".autoresearch/251201-lr", "--json"))
    assert found["spec"]["harness"]["argv"] == argv
    assert not (project / ".flagstone").exists()


def test_without_a_session_or_a_best_it_says_what_it_assumed(project: Path) -> None:
    folder = project / ".autoresearch/251201-lr"
    (folder / ".ar-session.json").unlink()
    (folder / "best.json").write_text("{")
    said = flagstone(project, "setup", "again", "--from", str(folder), "--no-check")
    assert "has no .ar-session.json" in said and ".baseline/train.py" in said
    assert spec_of(project, "again")["metric"]["name"] == "val/loss"


def test_what_is_no_experiment_of_ar_is_refused(project: Path) -> None:
    assert "is no experiment of ar" in flagstone(project, "setup", "--from", ".", code=2)
    assert not (project / ".flagstone").exists()
    folder = project / ".autoresearch/251201-lr"
    (folder / "best.json").unlink()
    (folder / "program.md").write_text("# Program\n")
    assert "--metric NAME" in flagstone(project, "setup", "--from", str(folder), code=2)
    words = ("--metric", "val/loss", "--direction", "min", "--no-check")
    flagstone(project, "setup", "named", "--from", str(folder), *words)
    assert not list((project / ".flagstone/experiments").glob(".*/"))


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ({"runner": {"argv": "python train.py"}}, "runner.argv"),
        ({"runner": {"argv": [1]}, "hard_constraints": 5}, "hard_constraints, runner.argv"),
        ({"runner": {"verbatim": 'python "train.py'}}, "No closing quotation"),
    ],
)
def test_a_session_of_another_form_is_named_and_nothing_is_written(
    project: Path, session: dict[str, Any], expected: str
) -> None:
    (project / ".autoresearch/251201-lr/.ar-session.json").write_text(json.dumps(session))
    assert expected in flagstone(project, "setup", "--from", ".autoresearch/251201-lr", "--no-check", code=2)
    assert not (project / ".flagstone").exists()


def test_no_link_is_followed(project: Path) -> None:
    folder = project / ".autoresearch/251201-lr"
    (folder / "prepare.py").unlink()
    (folder / "prepare.py").symlink_to("/etc/hostname")
    flagstone(project, "setup", "one", "--from", str(folder), "--no-check")
    assert sorted(path.name for path in (project / ".flagstone/experiments/one/own/autoresearch").iterdir()) == [
        "program.md",
        "train.py",
    ]
