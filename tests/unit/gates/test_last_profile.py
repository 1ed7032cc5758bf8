"""The command that continues a run, after a call of Snakemake with a profile and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.gates import profile_words, run_command
from flagstone.layout import Run
from flagstone.records import write_record

SLURM = ("--workflow-profile", "profiles/slurm")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("snakemake --workflow-profile profiles/slurm --config run=t", SLURM),
        ("snakemake --config run=t --workflow-profile=profiles/slurm", SLURM),
        ("snakemake --profile mine --workflow-profile profiles/slurm", ("--profile", "mine", *SLURM)),
        ("snakemake --cores 1 --config run=t", ()),
        ("flagstone run t", ()),
    ],
)
def test_the_profiles_of_a_call_are_read_from_its_command_line(line: str, words: tuple[str, ...]) -> None:
    assert profile_words(line.split()) == words


def test_the_next_command_names_the_profile_of_the_last_call(tmp_path: Path) -> None:
    run = Run(tmp_path / "t")
    assert run_command(run) == "flagstone run t"
    write_record(run.last_profile, {"words": SLURM})
    assert run_command(run) == "snakemake --workflow-profile profiles/slurm --config run=t"


@pytest.mark.parametrize("words", [[], None, "rm", ["--workflow-profile"], ["--config", "x"], [3, 4], {"a": 1}])
def test_what_is_no_profile_is_not_shown(tmp_path: Path, words: object) -> None:
    run = Run(tmp_path / "t")
    write_record(run.last_profile, {"words": words})
    assert run_command(run) == "flagstone run t"
