"""One run of a trial: what is an outcome, what is measured again, and what a record holds for."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest
from lone_trials import SCHEMAS, TRAIN, LoneProject

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.measuring import Harness
from flagstone.trials import Outcome, trial_problems
from flagstone.trials.running import measure_run, measuring, take_step

COUNTED = (
    TRAIN
    + """
with open(os.environ["COUNTER"], "a") as stream:
    stream.write(os.environ["SEED"] + " " + " ".join(sys.argv[1:]) + "\\n")
"""
)


@pytest.fixture
def counter(project: LoneProject, monkeypatch: pytest.MonkeyPatch) -> LoneProject:
    """A project whose program writes a line for each of its runs."""
    monkeypatch.setenv("COUNTER", str(project.root.parent / "counter"))
    project.write(COUNTED)
    return project


def starts(project: LoneProject) -> list[str]:
    path = project.root.parent / "counter"
    return path.read_text().splitlines() if path.exists() else []


def test_a_trial_ends_with_the_verdict_on_its_arm(project: LoneProject) -> None:
    story = project.go_on()
    assert story.verdict and story.verdict.exploratory.startswith("the sandbox is off")
    assert [run.status for run in story.runs.values()] == ["ok"] * len(story.runs)
    (idea,) = story.verdict.ideas
    assert idea.confirmation and idea.looks[-1].is_accepted


def test_a_run_leaves_its_log_and_its_files_in_its_own_folder(project: LoneProject) -> None:
    project.go_on()
    for run in project.story.runs.values():
        folder = project.folder / "runs" / f"{run.arm}-{run.slot}"
        assert "val_loss" in (folder / "run.log").read_text()
        assert (folder / "tree" / "train.py").read_text() == TRAIN
    assert os.listdir(project.folder / "trees") == []


@pytest.mark.parametrize(
    ("last", "changes", "status", "reason"),
    [
        ("raise SystemExit(7)", {}, "crash", "exit code 7"),
        (
            "import time; time.sleep(60)",
            {"harness": {"argv": ["python", "train.py"], "seconds": 1}},
            "timeout",
            "longer",
        ),
        ("print('val_loss: nan')", {}, "invalid", "nan"),
        ("print('val_loss: -1')", {"possible_range": [0, None]}, "invalid", "below 0"),
        ("print('used: 9')", {"constraints": ["used <= 1"]}, "invalid", "used <= 1 does not hold"),
    ],
)
def test_a_failure_is_an_outcome_that_nothing_draws_again(
    project: LoneProject, last: str, changes: dict[str, object], status: str, reason: str
) -> None:
    switched = f"if '--fast' in sys.argv: {last}\nelse: print('used: 0')\n"
    project.write(TRAIN + switched, **changes)
    story = project.go_on()
    run = story.runs["treated", "a1"]
    assert (run.status, run.value) == (status, None) and reason in run.reason
    assert story.verdict and story.verdict.ideas[0].outcome == Outcome.FAILED_CHECK
    before = (project.folder / "records" / "treated-a1.json").stat().st_mtime_ns
    project.measure("treated", "a1")
    assert (project.folder / "records" / "treated-a1.json").stat().st_mtime_ns == before


def test_a_lost_record_is_written_again_without_another_run(counter: LoneProject) -> None:
    counter.take(0)
    counter.measure("control", "a1")
    record = counter.folder / "records" / "control-a1.json"
    before = json.loads(record.read_text())
    record.unlink()
    counter.measure("control", "a1")
    after = json.loads(record.read_text())
    assert len(starts(counter)) == 1 and {**before, "at": ""} == {**after, "at": ""}


def test_equal_runs_on_one_seed_are_two_runs(counter: LoneProject) -> None:
    counter.go_on(2)
    assert [row.split()[0] for row in starts(counter)] == ["42", "137", "256", "512", "1024", "42"]


def test_a_baseline_is_used_again_by_a_new_plan_if_all_that_it_holds_for_is_equal(counter: LoneProject) -> None:
    counter.go_on(2)
    counter.write(COUNTED, minimum_effect=0.1)
    counter.go_on(2)
    assert len(starts(counter)) == 6 and len(counter.story.runs) == 6
    assert len(list((counter.folder / "history").iterdir())) == 1


def test_another_trial_of_the_same_name_is_confirmed_anew_and_the_runs_of_the_first_stay(counter: LoneProject) -> None:
    counter.go_on()
    counter.write(COUNTED, minimum_effect=0.1)
    story = counter.go_on()
    assert story.verdict and story.verdict.ideas[0].confirmation
    runs = counter.folder / "runs"
    assert (runs / "treated-b1" / "run.log").exists() and (runs / "treated-b1-2" / "run.log").exists()
    assert os.listdir(counter.folder / "sealed" / "runs") == []
    assert not [row for row in counter.said if "wrote into its sources" in row]


@pytest.mark.parametrize("change", ["program", "argv", "seeds"])
def test_what_a_number_holds_for_may_not_change_or_it_is_measured_anew(counter: LoneProject, change: str) -> None:
    counter.go_on(2)
    if change == "program":
        counter.write(COUNTED + "# another one\n", minimum_effect=0.1)
    elif change == "argv":
        counter.write(COUNTED, harness={"argv": ["python", "train.py", "--other"], "seconds": 60})
    else:
        counter.write(COUNTED, seeds={"screening": [1, 2, 3, 4, 5]})
    counter.go_on(2)
    assert len(starts(counter)) == 12
    assert len(list((counter.folder / "runs").glob("control-a1-2"))) == 1


def test_the_baseline_has_to_run(project: LoneProject) -> None:
    project.write("import sys\nif '--fast' not in sys.argv: raise ValueError('no data')\n")
    with pytest.raises(WorkFailed, match="control-a1 crash: exit code 1: ValueError: no data"):
        project.go_on()
    project.write()
    assert project.go_on().verdict


def test_an_evaluator_that_changes_during_a_run_ends_the_trial(project: LoneProject) -> None:
    (project.root / "evaluate.py").write_text("print('fair')\n")
    path = project.root / "evaluate.py"
    project.write(
        TRAIN + f"if '--fast' in sys.argv: open({str(path)!r}, 'a').write('print(1)')\n",
        subject={"root": ".", "mutable": ["train.py"], "protected": ["evaluate.py"]},
    )
    story = project.go_on()
    assert story.verdict and story.verdict.outcome == Outcome.STOPPED
    assert "evaluate.py was" in story.verdict.reason
    assert not any(slot.startswith("b") for _, slot in story.runs)


def test_an_evaluator_that_changed_between_two_runs_is_said_before_anything_runs(project: LoneProject) -> None:
    (project.root / "evaluate.py").write_text("print('fair')\n")
    project.write(subject={"root": ".", "mutable": ["train.py"], "protected": ["evaluate.py"]})
    project.go_on(2)
    (project.root / "evaluate.py").write_text("print('unfair')\n")
    with pytest.raises(FlagstoneError, match=r"evaluate\.py was"):
        project.go_on()
    (project.root / "evaluate.py").write_text("print('fair')\n")
    assert project.go_on().verdict


def test_a_confirmation_run_that_no_step_asks_for_is_denied_and_noted(project: LoneProject) -> None:
    project.go_on(2)
    with pytest.raises(FlagstoneError, match="b1"):
        project.measure("treated", "b1")
    (denial,) = project.story.denials
    assert denial.asked == "b1" and ("treated", "b1") not in project.story.runs


def test_no_visible_file_tells_a_confirmation_seed_before_the_verdict(project: LoneProject) -> None:
    project.write(TRAIN + "print('seed', os.environ['SEED'])\n", looks=[{"pairs": 3, "alpha": 0.05}])
    project.go_on(4)
    for arm, slot in project.wanted():
        project.measure(arm, slot)
    seeds = json.loads((project.folder / "sealed" / "seeds.json").read_text())["seeds"].values()
    files = [path for path in project.folder.rglob("*") if path.is_file() and "sealed" not in path.parts]
    told = [path for path in files for seed in seeds if str(seed).encode() in path.read_bytes()]
    assert told == [] and len(list(seeds)) == 3
    project.go_on()
    assert "seed" in (project.folder / "runs" / "treated-b1" / "run.log").read_text()


NOISY = TRAIN.replace('random.seed(int(os.environ["SEED"]))', "")


def test_a_program_that_does_not_repeat_itself_is_checked_against_its_own_repeats(project: LoneProject) -> None:
    project.write(NOISY)
    story = project.go_on()
    assert {slot for arm, slot in story.runs if arm == "control" and slot.startswith("a1")} == {
        *("a1", "a1r2", "a1r3", "a1r4", "a1r5")
    }
    assert story.verdict and story.verdict.ideas[0].checks[0].facts["deterministic"] is False


def test_an_arm_can_have_files_of_its_own_and_its_control_stays_the_baseline(project: LoneProject) -> None:
    (project.root / "faster").mkdir(parents=True, exist_ok=True)
    better = TRAIN.replace("(0.2 +", "(0.4 +")
    (project.root / "faster" / "train.py").write_text(better)
    project.write(switch=None, arms={"other": {"tree": "faster", "switch": ["--fast"]}})
    story = project.go_on()
    assert story.verdict and story.verdict.ideas[0].confirmation
    assert 0.39 < (story.verdict.ideas[0].confirmation.mean or 0) < 0.45
    assert (project.folder / "runs" / "other-a1" / "tree" / "train.py").read_text() == better
    assert (project.folder / "runs" / "control-b1" / "tree" / "train.py").read_text() == TRAIN
    assert story.ideas["other"].lines == 2


def test_an_arm_may_not_differ_in_a_file_that_may_not_change(project: LoneProject) -> None:
    (project.root / "faster").mkdir(parents=True, exist_ok=True)
    (project.root / "faster" / "train.py").write_text(TRAIN)
    (project.root / "evaluate.py").write_text("print('fair')\n")
    (project.root / "faster" / "evaluate.py").write_text("print('unfair')\n")
    project.write(switch=None, arms={"other": {"tree": "faster", "switch": ["--fast"]}})
    with pytest.raises(FlagstoneError, match=r"evaluate\.py"):
        project.go_on()


def test_a_switch_can_be_a_variable(project: LoneProject) -> None:
    project.write(TRAIN.replace('"--fast" in sys.argv', '"FAST" in os.environ'), switch={"FAST": "1"})
    story = project.go_on()
    assert story.verdict and story.verdict.ideas[0].looks[-1].is_accepted


@pytest.mark.parametrize("treated_fails", [False, True])
def test_the_gate_cohens_d_shows_every_seed_that_it_compared(project: LoneProject, treated_fails: bool) -> None:
    last = "if '--fast' in sys.argv and os.environ['SEED'] == '137': raise SystemExit(7)\n"
    project.write(TRAIN + last * treated_fails, gate="cohens_d")
    runs, report = project.go_on().runs, (project.folder / "report.md").read_text()
    for slot, seed in (("a1", 42), ("a2", 137), ("a3", 256)):
        x, y = runs["treated-off", slot].value, runs["treated", slot].value
        shown = "– | – | treated failed" if y is None else f"{y:.6g} | {x - y:.6g} | ok"
        assert f"| {slot} | {seed} | {x:.6g} | {shown} |" in report
    assert "![Every seed as a dot" in report and (project.folder / "ideas/treated/pairs.svg").is_file()
    assert trial_problems(project.plan, SCHEMAS) == []


def test_several_arms_are_confirmed_on_the_same_pairs_with_a_share_of_alpha_each(project: LoneProject) -> None:
    arms = {"x": {"switch": ["--fast"]}, "y": {"switch": ["--fast", "--more"]}}
    project.write(switch=None, arms=arms, screen="off")
    story = project.go_on()
    looks = [look for line in story.looks for look in line.looks]
    assert [look.alpha for look in looks[:2]] == [0.0075, 0.0075] and {look.arm for look in looks} == {"x", "y"}
    assert {slot for arm, slot in story.runs if arm == "control" and slot[0] == "b"} == {"b1", "b2", "b3", "b4"}


def test_a_plan_that_is_edited_after_it_was_sealed_makes_the_rest_exploratory(project: LoneProject) -> None:
    project.write(sandbox="auto")
    project.go_on(2)
    plan = project.plan
    edited = (project.folder / "trial.yaml").read_text().replace("0.05", "0.01")
    fixed = replace(plan, path=project.root / "plan.yaml")
    (project.root / "plan.yaml").write_text((project.folder / "trial.yaml").read_text())
    (project.folder / "trial.yaml").write_text(edited)
    number = len(list(fixed.looks()))
    while not fixed.is_done:
        for path in fixed.records(number):
            arm, _, slot = path.stem.rpartition("-")
            measure_run(fixed, (arm, slot), SCHEMAS, project.said.append)
        take_step(fixed, number, SCHEMAS, project.said.append)
        number += 1
    verdict = project.story.verdict
    assert verdict and "trial.yaml was edited" in verdict.exploratory and verdict.outcome != Outcome.SUPPORTED


def test_data_that_changes_in_the_middle_is_said_and_nothing_goes_on(project: LoneProject) -> None:
    project.root.mkdir(exist_ok=True)
    (project.root / "data.csv").write_text("1\n")
    project.write(data=["data.csv"])
    project.go_on(3)
    (project.root / "data.csv").write_text("2\n")
    with pytest.raises(FlagstoneError, match=r"data\.csv"):
        project.go_on()
    assert project.story.verdict is None


def test_a_lost_ledger_is_refused_and_looks_that_are_lost_are_written_again(project: LoneProject) -> None:
    story = project.go_on(4)
    ledger = (project.folder / "ledger.jsonl").read_bytes()
    for path in (project.folder / "looks").iterdir():
        path.unlink()
    assert project.go_on(4).looks == story.looks and (project.folder / "ledger.jsonl").read_bytes().startswith(ledger)
    ledger = (project.folder / "ledger.jsonl").read_bytes()
    (project.folder / "ledger.jsonl").unlink()
    with pytest.raises(FlagstoneError, match="has lost lines since step 3 ended"):
        project.take(4)
    (project.folder / "ledger.jsonl").write_bytes(ledger)
    assert project.go_on().verdict


def test_a_run_whose_record_and_folder_are_removed_is_not_drawn_again(project: LoneProject) -> None:
    project.write(train="import time\nprint(f'val_loss: {1 + time.time_ns() % 1000 / 1000}')\n")
    project.take(0)
    project.measure("control", "a1")
    record = project.folder / "records" / "control-a1.json"
    before = json.loads(record.read_bytes())
    record.unlink()
    shutil.rmtree(project.folder / "runs" / "control-a1")
    project.measure("control", "a1")
    assert json.loads(record.read_bytes()) == before
    assert [run.value for run in project.story.runs.values()] == [before["value"]]


def test_a_run_that_lost_its_gpu_is_no_outcome_and_is_measured_again(
    project: LoneProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGSTONE_GPUS", "0")
    marker = project.root.parent / "lost"
    project.write(
        f"import os\nif os.path.exists({str(marker)!r}): os.unlink({str(marker)!r}); raise SystemExit(1)\n" + TRAIN,
        harness={"argv": ["python", "train.py"], "seconds": 60, "gpus": 1},
    )
    project.take(0)
    marker.touch()
    present = iter([("0",), ()])
    monkeypatch.setattr(measuring, "devices", lambda: next(present, ("0",)))
    with pytest.raises(WorkFailed, match="control-a1: a GPU was lost"):
        project.measure("control", "a1")
    assert not (project.folder / "records" / "control-a1.json").exists()
    project.measure("control", "a1")
    assert json.loads((project.folder / "records" / "control-a1.json").read_text())["status"] == "ok"


def test_a_run_that_left_processes_behind_is_no_outcome_and_is_measured_again(
    project: LoneProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.take(0)
    with monkeypatch.context() as patched:
        patched.setattr(Harness, "ending_of", lambda *_: ("unclean", "processes could not be ended: 17"))
        with pytest.raises(WorkFailed, match="control-a1: processes could not be ended"):
            project.measure("control", "a1")
    project.measure("control", "a1")
    assert json.loads((project.folder / "records" / "control-a1.json").read_text())["status"] == "ok"
