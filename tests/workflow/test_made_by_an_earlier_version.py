"""What an earlier version made stays readable, approved, fresh, and able to go on.

Only commands and files are used here, and nothing of the package is imported: this must hold however the code is
rebuilt. The fixtures and how they were made: tests/data/made-by/.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import warm_start
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
DOUBLES = CHECKOUT / "tests" / "doubles"
MADE_BY = CHECKOUT / "tests" / "data" / "made-by"
COPIED = ("Snakefile", "workflow", "config", "prompts", "schemas", "profiles")
PROGRAMS = Path(sys.executable).parent
FOREIGN = ("FLAGSTONE", "SNAKEMAKE", "PYTEST", "PYTHON", "GIT_")
STAGES = ("01", "02", "03", "04", "05", "06", "07", "08")
LIMIT_S = 180


@dataclass(frozen=True)
class Fixture:
    """A packed run or project, and what is expected of it."""

    archive: Path
    expected: dict[str, Any]

    @property
    def name(self) -> str:
        return self.archive.name.removesuffix(".tar.gz")

    def unpack(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "--no-same-owner", "-xzf", self.archive, "-C", folder], check=True)
        return folder / self.name


def fixtures(kind: str) -> list[Any]:
    """Every fixture of every version, as parameters."""
    found = []
    for path in sorted(MADE_BY.glob("*/expected.yaml")):
        for name, expected in yaml.safe_load(path.read_text())[kind].items():
            fixture = Fixture(path.parent / kind / f"{name}.tar.gz", expected)
            found.append(pytest.param(fixture, id=f"{path.parent.name}-{name}"))
    return found


def experiments() -> list[Any]:
    """Every experiment of every project; one project may hold several."""
    return [
        pytest.param(Fixture(parameter.values[0].archive, expected), name, id=f"{parameter.id}-{name}")
        for parameter in fixtures("projects")
        for name, expected in parameter.values[0].expected["experiments"].items()
    ]


@dataclass(frozen=True)
class Desk:
    """Where a person stands and calls commands; the agent that plays the scripts of runs is the tests' own."""

    root: Path

    def call(self, program: str, *words: str) -> str:
        """What a command says; it must end well."""
        code, said = warm_start.run([str(PROGRAMS / program), *words], self.root, self.environment, LIMIT_S)
        is_ours = "Traceback (most recent call last)" in said and "tail" not in words
        assert code == 0 and not is_ours, f"{program} {words}:\n{said}"
        return said

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        return {**kept, "PATH": f"{PROGRAMS}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": str(DOUBLES)}

    def document(self, *words: str) -> Any:
        """The JSON that stands alone on stdout, whatever is said of the progress beside it."""
        argv = [PROGRAMS / "flagstone", *words, "--json"]
        done = subprocess.run(argv, cwd=self.root, env=self.environment, capture_output=True, timeout=LIMIT_S)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return json.loads(done.stdout)

    def flagstone(self, *words: str) -> str:
        return self.call("flagstone", *words)

    def experiment(self, *words: str) -> str:
        return self.call("flagstone", "experiment", *words)

    def build(self, run: Path) -> str:
        return self.call("snakemake", "--cores", "2", "--config", f"run={run.name}")

    def stages(self, run: Path) -> dict[str, dict[str, Any]]:
        (row,) = self.document("status", run.name)
        return {stage["nr"]: stage for stage in row["stages"]}


def project(root: Path) -> Desk:
    """A project with the code, prompts and schemas of today, into which old runs are put."""
    root.mkdir()
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, root / name)
    (root / "src").symlink_to(CHECKOUT / "src")
    return Desk(root)


def files_below(top: Path, *patterns: str) -> dict[str, bytes]:
    """What lies below a folder, without Snakemake's own."""
    paths = {path for pattern in patterns or ("**/*",) for path in top.glob(pattern)}
    ours = (path for path in paths if path.is_file() and ".snakemake" not in path.parts)
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in ours}


def calls_of(run: Path) -> dict[str, int]:
    """How many attempts of the agent each stage has had."""
    return {nr: len(list(run.glob(f"drafts/{nr}/[0-9]*"))) for nr in STAGES}


def built_since(run: Path, before: dict[str, int]) -> list[str]:
    after = calls_of(run)
    assert all(after[nr] - before[nr] in (0, 1) for nr in STAGES), f"{before} → {after}"
    return [nr for nr in STAGES if after[nr] > before[nr]]


def test_every_fixture_is_expected_and_no_expectation_is_without_one() -> None:
    expected = {parameter.values[0].archive for kind in ("runs", "projects") for parameter in fixtures(kind)}
    assert expected == set(MADE_BY.glob("*/*/*.tar.gz")) and expected


@pytest.mark.parametrize("fixture", fixtures("runs"))
def test_an_earlier_run_is_shown_as_it_stood(fixture: Fixture, tmp_path: Path) -> None:
    desk = project(tmp_path / "project")
    run = fixture.unpack(desk.root / "runs")
    before = files_below(run)
    states = {nr: stage["state"] for nr, stage in desk.stages(run).items()}
    listed = fixture.expected["stages"]
    contract = fixture.expected.get("contract", {})
    for nr in STAGES:
        assert states[nr] in {listed.get(nr, "not yet"), contract.get(nr)} - {None}, states
    assert fixture.expected["state"] in desk.flagstone("status", run.name)
    desk.flagstone("cost", run.name)
    assert "attempt 1" in desk.flagstone("log", "--run", run.name)
    desk.flagstone("log", "01", "--run", run.name)
    desk.flagstone("diff", "01", "--run", run.name)
    for experiment in run.glob("experiments/*"):
        show_experiment(desk, experiment.name, "--run", run.name)
    assert files_below(run) == before, "a look changed something"


@pytest.mark.parametrize("fixture", fixtures("runs"))
def test_an_earlier_run_goes_on_and_builds_nothing_twice(fixture: Fixture, tmp_path: Path) -> None:
    desk = project(tmp_path / "project")
    run = fixture.unpack(desk.root / "runs")
    expected, calls, stages = fixture.expected, calls_of(run), desk.stages(run)
    kept = files_below(run, "history/**/*", "drafts/*/[0-9]*/*.md", "drafts/*/[0-9]*/*.json", "pinned/**/*")
    ledgers = files_below(run, "approved/seals.jsonl", "experiments/*/ledger.jsonl")
    if expected.get("resume"):
        desk.flagstone("resume", run.name)

    said = desk.build(run)
    assert built_since(run, calls) == expected.get("builds", []), said
    assert "builds" in expected or "Nothing to be done" in said, said
    now = desk.stages(run)
    approved = {nr for nr, state in expected["stages"].items() if state == "done"}
    assert approved <= {nr for nr in STAGES if now[nr]["state"] == "done"}, now
    if expected.get("conversation"):
        (nr,) = expected["builds"]
        is_same = now[nr]["session_id"] == stages[nr]["session_id"]
        assert is_same == (expected["conversation"] == "same")
    if "approve" in expected:
        approve_and_go_on(desk, run, expected)
    assert {name: after for name, after in files_below(run).items() if name in kept} == kept, "a record was rewritten"
    assert all((run / name).read_bytes().startswith(lines) for name, lines in ledgers.items())


def approve_and_go_on(desk: Desk, run: Path, expected: dict[str, Any]) -> None:
    """Approves what waits, by touch: the gate opens, and only what is behind it is built."""
    calls = calls_of(run)
    (run / "approved" / f"{expected['approve']}.flag").touch()
    said = desk.flagstone("run", run.name)
    assert built_since(run, calls) == expected.get("then_builds", []), said
    assert f"touch runs/{run.name}/approved/" in said.splitlines()[-1]
    assert desk.stages(run)[expected["approve"]]["state"] == "done"


def show_experiment(desk: Desk, name: str, *words: str) -> None:
    """Every look at an experiment, and each of its runs."""
    desk.experiment("status", name, *words)
    desk.experiment("status", name, "--last", "9", *words)
    desk.experiment("report", name, *words)
    desk.experiment("diff", name, *words)
    desk.experiment("tail", name, *words)


def ledger_of(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "ledger.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("fixture", "name"), experiments())
def test_an_earlier_experiment_is_shown_and_its_best_is_measured_again(
    fixture: Fixture, name: str, tmp_path: Path
) -> None:
    desk = Desk(fixture.unpack(tmp_path))
    home = desk.root / ".flagstone" / "experiments" / name
    before = files_below(home, "*.json", "*.jsonl", "*.tsv", "runs/*/*.json")
    status = desk.document("experiment", "status", name)
    assert (status["best_run_id"], status["ended_by"]) == (fixture.expected["best"], fixture.expected["ended_by"])
    assert [line["verdict"] for line in ledger_of(home)] == fixture.expected["verdicts"]
    show_experiment(desk, name)
    for line in (line for line in ledger_of(home) if line["verdict"] == "crash"):
        assert "RuntimeError: out of luck" in desk.experiment("tail", name, line["run_id"])
    assert files_below(home, "*.json", "*.jsonl", "*.tsv", "runs/*/*.json") == before, "a look changed something"
    again = desk.document("experiment", "replay", name, fixture.expected["best"])
    assert again["value"] == next(
        line["measurements"][0]["value"] for line in ledger_of(home) if line["run_id"] == fixture.expected["best"]
    )


@pytest.mark.parametrize(("fixture", "name"), experiments())
def test_an_earlier_experiment_goes_on_and_measures_nothing_twice(fixture: Fixture, name: str, tmp_path: Path) -> None:
    desk = Desk(fixture.unpack(tmp_path))
    home, expected = desk.root / ".flagstone" / "experiments" / name, fixture.expected
    lines, best = (home / "ledger.jsonl").read_bytes(), (home / "best.json").read_bytes()
    kept = files_below(home, "start.json", "runs/*/*.json", "bests/*/*.json")
    allow_more_runs(home / "experiment.yaml", expected["more"])
    desk.experiment(expected["verb"], name)
    assert (home / "ledger.jsonl").read_bytes().startswith(lines)
    assert len(ledger_of(home)) == expected["then_runs"]
    assert not {line["status"] for line in ledger_of(home)} & {"tampered", "interrupted", "unclean"}
    status = desk.document("experiment", "status", name)
    assert (status["best_run_id"], status["problems"]) == (expected["then_best"], [])
    if expected["then_best"] == expected["best"]:
        assert (home / "best.json").read_bytes() == best
    assert {path: after for path, after in files_below(home).items() if path in kept} == kept, "a record was rewritten"


def allow_more_runs(path: Path, more: int) -> None:
    """Raises `max_runs` as a person does in an editor."""
    spec = yaml.safe_load(path.read_text())
    spec["stopping"]["max_runs"] += more
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
