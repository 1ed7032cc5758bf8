"""Who asks often enough finds something by chance: a trial names those that asked the same before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from lone_trials import SCHEMAS, LoneProject

from flagstone.cli.main import flagstone
from flagstone.trials import trial_problems


class Twin(LoneProject):
    """A second trial of the same project."""

    @property
    def folder(self) -> Path:
        return super().folder.with_name("twin")


def report(project: LoneProject) -> str:
    return (project.folder / "report.md").read_text()


def test_a_report_names_the_trials_before_with_their_α_and_their_outcome_and_verify_one_that_was_left_out(
    project: LoneProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.go_on()
    assert "asked before" not in report(project)
    project.write(minimum_effect=0.1)
    project.go_on()
    twin = Twin(project.root)
    twin.write()
    monkeypatch.chdir(project.root)
    planned = CliRunner().invoke(flagstone, ["trials", "plan", "twin"]).output
    before = "half of that before: fast (0.05), fast (0.025)"
    assert f"pre-registration 3 for this metric and contract, so α is 0.0125, {before}" in planned
    twin.go_on()
    assert "The same was asked before, in 1 earlier trial: see the pre-registration." in report(project)
    at = [row["at"] for row in journal(project)]
    first, second = f"| fast | {at[0]} | 0.05 | INCONCLUSIVE |", f"| fast | {at[1]} | 0.025 | INCONCLUSIVE |"
    assert first in report(project) and second not in report(project)
    assert first in report(twin) and second in report(twin)
    assert trial_problems(twin.plan, SCHEMAS) == trial_problems(project.plan, SCHEMAS) == []
    rewrite_journal(project, 0, trial="other")
    assert "prereg.json names other earlier trials" in "; ".join(trial_problems(project.plan, SCHEMAS))


def journal(project: LoneProject) -> list[dict[str, str]]:
    return [json.loads(line) for line in (project.folder.parent / "preregistrations.jsonl").read_text().splitlines()]


def rewrite_journal(project: LoneProject, number: int, **changes: str) -> None:
    rows = journal(project)
    rows[number] |= changes
    (project.folder.parent / "preregistrations.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_trial_that_was_removed_still_counts_and_its_outcome_is_not_known(project: LoneProject) -> None:
    project.go_on(2)
    shutil.rmtree(project.folder)
    twin = Twin(project.root)
    twin.write()
    (earlier,) = (twin.go_on(2).prereg or pytest.fail("not sealed")).earlier
    assert (earlier.trial, earlier.alpha, earlier.outcome) == ("fast", 0.05, "not known: its files are gone")


def test_an_earlier_verdict_of_the_gate_without_α_is_named(project: LoneProject) -> None:
    project.write(gate="cohens_d")
    outcome = project.go_on().verdict
    project.write(gate="cohens_d", minimum_effect=0.1)
    project.go_on()
    assert outcome and f"| – | {outcome.outcome} |" in report(project)
