"""What jobs of a trial begin with can be done before any of them, and leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from test_plans_of_trials import PLAN

from flagstone.errors import FlagstoneError
from flagstone.plans import trial_plan_at
from flagstone.trials.lines import RunLine
from flagstone.trials.running import rehearse
from flagstone.trials.running.opening import TrialStart

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"


def test_a_rehearsal_changes_no_file_and_prepares_to_read_records(tmp_path: Path) -> None:
    folder = tmp_path / ".flagstone" / "trials" / "clip"
    folder.mkdir(parents=True)
    (folder / "trial.yaml").write_text(yaml.safe_dump(PLAN))
    rehearse(trial_plan_at(folder), SCHEMAS)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder / "trial.yaml"]
    assert all("__msgspec_cache__" in vars(kind) for kind in (TrialStart, RunLine))


def test_a_rehearsal_of_a_broken_plan_says_what_a_job_would_say(tmp_path: Path) -> None:
    folder = tmp_path / ".flagstone" / "trials" / "clip"
    folder.mkdir(parents=True)
    (folder / "trial.yaml").write_text(yaml.safe_dump(PLAN | {"minimum_effect": -1}))
    with pytest.raises(FlagstoneError, match="minimum_effect"):
        rehearse(trial_plan_at(folder), SCHEMAS)
