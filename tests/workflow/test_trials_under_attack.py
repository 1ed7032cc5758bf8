"""Trials under attack: programs that fail, processes that are killed, files that are edited between two steps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from click.testing import CliRunner
from planned_trials import TRAIN, trial_value
from workbench import CHECKOUT

from flagstone.cli.jobs import lone_trial
from flagstone.cli.main import flagstone
from flagstone.errors import FlagstoneError
from flagstone.plans import TrialPlan, trial_plan_at
from flagstone.records import Ledger
from flagstone.trials import Story, read_story
from flagstone.trials.running import measure_run, take_step

SCHEMAS = CHECKOUT / "schemas"
# one look at two pairs: the improvement is so clear that they are enough
SHORT = {"screen": "off", "looks": [{"pairs": 2, "alpha": 0.05}], "underpowered": "accept"}
START = """import os, random, sys
seed, is_fast = int(os.environ["SEED"]), "--fast" in sys.argv
random.seed(seed)
loss = 1.0 + 0.05 * random.random() - (0.2 + 0.02 * random.random()) * is_fast
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., TrialPlan]:
    """Sets up a trial in a project without a run. Jobs run in this process, so that attacks hit known moments."""

    def planned(train: str = TRAIN, **changes: object) -> TrialPlan:
        folder = tmp_path / "project" / ".flagstone" / "trials" / "fast"
        folder.mkdir(parents=True)
        (tmp_path / "project" / "train.py").write_text(train)
        value = {key: item for key, item in (trial_value(root=".") | SHORT | changes).items() if item is not None}
        (folder / "trial.yaml").write_text(yaml.safe_dump(value))
        return trial_plan_at(folder)

    return planned


def take_steps(plan: TrialPlan, count: int = 20) -> None:
    """What Snakemake does: the runs that the next look needs and has not, then the look."""
    for _ in range(count):
        if plan.is_done:
            return
        number = len(list(plan.looks()))
        for record in plan.records(number):
            if not record.exists():
                arm, _, slot = record.stem.rpartition("-")
                measure_run(plan, (arm, slot), SCHEMAS, lambda _: None)
        take_step(plan, number, SCHEMAS, lambda _: None)


def story_of(plan: TrialPlan) -> Story:
    return read_story(plan.folder.ledger)


def outcome_of(plan: TrialPlan) -> tuple[str, str]:
    verdict = story_of(plan).verdict
    assert verdict is not None
    return str(verdict.outcome), verdict.reason


def test_a_run_whose_number_is_nan_is_an_outcome_that_stays_in_the_ledger(project: Callable[..., TrialPlan]) -> None:
    plan = project(START + 'print("val_loss:", "nan" if is_fast and seed > 1000000 else loss)')
    take_steps(plan)
    assert outcome_of(plan) == ("INCONCLUSIVE", "2 of 2 pairs have a failed run")
    runs = story_of(plan).runs
    assert {runs["treated", f"b{number}"].status for number in (1, 2)} == {"invalid"}


def test_a_ledger_line_that_cannot_be_understood_stops_the_trial(project: Callable[..., TrialPlan]) -> None:
    plan = project()
    take_steps(plan, 2)
    Ledger(plan.folder.ledger).append({"kind": "run", "arm": "treated"})
    with pytest.raises(FlagstoneError, match="a line that is none of a trial"):
        take_steps(plan, 1)


@pytest.mark.parametrize("is_left", [False, True])
def test_a_ledger_that_lost_lines_between_two_steps_is_not_gone_on_with(
    project: Callable[..., TrialPlan], *, is_left: bool
) -> None:
    plan = project()
    take_steps(plan, 3)
    lines = plan.folder.ledger.read_bytes().splitlines(keepends=True)
    plan.folder.ledger.write_bytes(b"".join(lines[:-2]))
    if not is_left:
        plan.folder.ledger.unlink()
    for _ in range(2):  # the second call must not begin anew
        with pytest.raises(FlagstoneError, match=r"has lost lines|is gone"):
            take_steps(plan, 2)
    plan.folder.ledger.write_bytes(b"".join(lines))
    take_steps(plan)
    assert outcome_of(plan)[0] == "SUPPORTED"


@pytest.mark.parametrize("name", ["design.json", "start.json"])
def test_a_trial_that_lost_how_it_began_names_the_file_to_restore(project: Callable[..., TrialPlan], name: str) -> None:
    plan = project()
    take_steps(plan, 2)
    kept = (plan.folder.root / name).read_bytes()
    (plan.folder.root / name).unlink()
    with pytest.raises(FlagstoneError, match=name) as found:
        take_steps(plan)
    assert "restore" in found.value.hint
    (plan.folder.root / name).write_bytes(kept)
    take_steps(plan)
    assert outcome_of(plan)[0] == "SUPPORTED"


def test_a_trial_whose_start_is_lost_does_not_begin_again_with_another_control(
    project: Callable[..., TrialPlan],
) -> None:
    plan = project()
    take_steps(plan, 3)
    (plan.folder.root / "start.json").unlink()
    shutil.rmtree(plan.folder.root / "looks")
    (plan.base / "train.py").write_text(TRAIN.replace("loss = 1.0", "loss = 1.5"))
    with pytest.raises(FlagstoneError, match=r"start\.json of its folder is lost"):
        take_steps(plan)


@pytest.mark.parametrize("which", ["tree", "arms"])
def test_files_that_are_exchanged_in_the_start_of_a_trial_stop_it(
    project: Callable[..., TrialPlan], which: str
) -> None:
    plan = project()
    take_steps(plan, 3)
    path = plan.folder.root / "start.json"
    start = json.loads(path.read_bytes())
    other = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    (start if which == "tree" else start["arms"]["treated"])["tree"] = other
    path.write_text(json.dumps(start))
    with pytest.raises(FlagstoneError, match="began with other files"):
        take_step(plan, 3, SCHEMAS, lambda _: None)


def test_a_second_version_may_lie_inside_the_project(project: Callable[..., TrialPlan]) -> None:
    plan = project(switch=None, arms={"treated": {"tree": "second"}})
    (plan.base / "second").mkdir()
    (plan.base / "second" / "train.py").write_text(TRAIN.replace('("--fast" in sys.argv)', "1"))
    take_steps(plan)
    assert outcome_of(plan)[0] == "SUPPORTED"


def test_runs_that_were_removed_do_not_keep_a_verdict_from_being_told(project: Callable[..., TrialPlan]) -> None:
    plan = project()
    take_steps(plan, 3)
    shutil.rmtree(plan.folder.root / "runs")
    take_steps(plan)
    assert outcome_of(plan)[0] == "SUPPORTED"


@pytest.mark.parametrize("steps", [2, 3])
def test_seeds_that_are_gone_are_asked_for_and_never_drawn_again(project: Callable[..., TrialPlan], steps: int) -> None:
    plan = project()
    take_steps(plan, steps)
    seeds = plan.folder.sealed / "seeds.json"
    kept = seeds.read_bytes()
    seeds.unlink()
    for _ in range(2):
        with pytest.raises(FlagstoneError) as found:
            take_steps(plan)
        assert "restore" in found.value.hint and not seeds.exists()
    seeds.write_bytes(kept)
    take_steps(plan)
    assert outcome_of(plan)[0] == "SUPPORTED"


def test_no_call_goes_on_with_a_trial_that_another_call_of_snakemake_has(
    project: Callable[..., TrialPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lone_trial, "start_warm_server", Mock())
    plan = project()
    for _ in range(2):  # Snakemake asks more than once
        lone_trial.LoneTrial(plan.folder.root).begin_call()
    with pytest.raises(FlagstoneError, match="in use by process"):
        lone_trial.run_alone(plan.folder, 1)
    assert not story_of(plan).runs


@pytest.mark.parametrize("verb", ["status", "report"])
def test_what_is_shown_of_a_rewritten_ledger_says_that_it_was(
    project: Callable[..., TrialPlan], verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = project()
    take_steps(plan, 2)
    content = plan.folder.ledger.read_text()
    plan.folder.ledger.write_text(content.replace('"value":1.0', '"value":1.9', 1))
    monkeypatch.chdir(plan.base)
    said = CliRunner().invoke(flagstone, ["trials", verb], standalone_mode=False)
    assert "do not believe this: line" in said.output
