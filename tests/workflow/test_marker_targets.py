"""Sessions of markers as jobs of Snakemake: `marker_results`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from test_markers import git, marker, repository as repository, rows
from workbench import CHECKOUT, environment, run_command


def snakemake(here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = ("snakemake", "marker_results", "--cores", "2", "--snakefile", str(CHECKOUT / "Snakefile"))
    return run_command(*argv, "--config", *words, cwd=here, env=environment())


def tables(repository: Path, name: str = "big score") -> list[str]:
    return sorted(path.name for path in (repository / ".flagstone/markers" / name / "tables").glob("*.tsv"))


def test_each_call_runs_one_session_of_each_marker(repository: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    subprocess.run(["cp", "-r", str(repository), str(second)], check=True)
    refs = git(repository, "for-each-ref")
    words = f"marker={repository}:big score,second:big score"
    ended = snakemake(tmp_path, words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert tables(repository) == tables(second) == ["1.tsv"]
    table = (second / ".flagstone/markers/big score/tables/1.tsv").read_text().splitlines()
    assert table[0].startswith("commit\tmetric\tguard\tstatus") and len(table) == 4
    assert snakemake(tmp_path, words).returncode == 0
    assert tables(repository) == ["1.tsv", "2.tsv"]
    assert len(rows(repository)) == 5 and git(repository, "for-each-ref") == refs


def test_a_dry_run_of_the_sessions_begins_none(repository: Path, tmp_path: Path) -> None:
    ended = snakemake(tmp_path, f"marker={repository}:big score", "--dry-run")
    assert ended.returncode == 0 and "one session" in ended.stdout + ended.stderr
    assert not (repository / ".flagstone/markers").exists()


def test_a_session_that_cannot_begin_fails_its_job_and_says_why(repository: Path, tmp_path: Path) -> None:
    marker(repository, "pause")
    ended = snakemake(tmp_path, f"marker={repository}:big score")
    assert ended.returncode == 1 and "its status is paused" in ended.stdout + ended.stderr
    assert not tables(repository)
    assert "no marker that is named is active" in snakemake(tmp_path, f"marker={repository}").stderr
    assert "no marker is named" in snakemake(tmp_path, "marker=").stderr
