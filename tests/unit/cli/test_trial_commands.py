"""`flagstone trials new` and `plan`: from a switch or a second version, with the cure for each mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from flagstone.cli.location import Location
from flagstone.cli.trials.selection import chosen_trial, trial_command
from flagstone.cli.trials.trials import command
from flagstone.errors import FlagstoneError

PROGRAM = """import random, sys
draw = random.Random(int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 0)
print(f"val_loss: {0.67 + draw.gauss(0, 0.02) - 0.03 * ('--clip' in sys.argv)}")
"""
SETS_UP = ("--metric", "val_loss", "--minimum-effect", "0.02")
SWITCH = ("--switch", "--clip 1")
RUNS = ("--", sys.executable, "train.py", "--seed", "{seed}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text(PROGRAM)
    return folder


def asked(project: Path, *words: str) -> Result:
    return CliRunner().invoke(command, list(words), obj=Location(project))


def output(project: Path, *words: str) -> str:
    said = asked(project, *words)
    assert said.exit_code == 0, (said.exception, said.output)
    return said.output


def complaint(project: Path, *words: str) -> str:
    said = asked(project, *words)
    assert isinstance(said.exception, FlagstoneError), (said.exception, said.output)
    return f"{said.exception.problem}; {said.exception.hint}"


def plan(project: Path, name: str = "clip") -> dict[str, Any]:
    found = yaml.safe_load((project / ".flagstone" / "trials" / name / "trial.yaml").read_text())
    assert isinstance(found, dict)
    return found


def test_a_switch_makes_a_plan_that_is_checked_with_the_programs_own_python(project: Path) -> None:
    said = output(project, "new", "clip", *SETS_UP, *SWITCH, *RUNS)
    assert "✓ reach    used: train.py" in said and "✓ seed" in said
    assert said.endswith("next: flagstone trials plan clip\n")
    found = plan(project)
    assert (found["switch"], found["minimum_effect"]) == (["--clip", "1"], 0.02)
    assert found["subject"] == {"mutable": ["train.py"]} and found["metric"]["direction"] == "min"
    assert (project / ".flagstone" / "trials" / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in (project / ".flagstone").iterdir()) == ["trials"]
    assert sorted(path.name for path in project.iterdir()) == [".flagstone", "train.py"]


def test_scripts_get_json(project: Path) -> None:
    record = json.loads(asked(project, "new", "clip", *SETS_UP, *SWITCH, "--json", *RUNS).stdout)
    assert record["plan"].endswith("clip/trial.yaml") and record["next"] == "flagstone trials plan clip"
    assert [row["mark"] for row in record["check"]["rows"]][:3] == ["✓", "✓", "✓"]
    found = json.loads(output(project, "status", "--json"))
    assert (found["step"]["what"], found["step"]["runs"], found["outcome"]) == ("baseline", 6, None)


def test_variables_can_be_the_switch(project: Path) -> None:
    output(project, "new", "clip", *SETS_UP, "--no-check", "--switch", "CLIP=1 MODE='a b'", *RUNS)
    assert plan(project)["switch"] == {"CLIP": "1", "MODE": "a b"}
    output(project, "new", "hydra", *SETS_UP, "--no-check", "--switch", "model.clip=1", *RUNS)
    assert plan(project, "hydra")["switch"] == ["model.clip=1"]


def test_a_folder_can_be_the_treated_version(project: Path) -> None:
    other = project.parent / "rewrite"
    other.mkdir()
    output(project, "new", "clip", *SETS_UP, "--no-check", "--treated", "../rewrite", *RUNS)
    assert plan(project)["arms"] == {"treated": {"tree": str(other)}}


def test_a_revision_can_be_the_treated_version_and_the_checkout_stays_as_it_is(project: Path) -> None:
    def git(*words: str) -> str:
        argv = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(argv, cwd=project, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    (project / "train.py").write_text(PROGRAM.replace("0.67", "0.5"))
    git("commit", "-qam", "second")
    output(project, "new", "clip", *SETS_UP, "--treated", "HEAD~1", *RUNS)
    assert plan(project)["arms"] == {"treated": {"tree": ".flagstone/trials/clip/treated"}}
    assert (project / ".flagstone/trials/clip/treated/train.py").read_text() == PROGRAM
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*SETS_UP, *RUNS), 'a treated version; give what turns it on (--switch "--clip 1"), or --treated DIR'),
        (("--metric", "val_loss", *SWITCH, *RUNS), 'name it: --minimum-effect 0.02, or "0.5 sd"'),
        (("--metric", "foo", "--minimum-effect", "1", *SWITCH, *RUNS), "give --direction min or max"),
        (("--metric", "val_loss", "--minimum-effect", "0", *SWITCH, *RUNS), "has to be above 0"),
        (("--metric", "val_loss", "--minimum-effect", "nan", *SWITCH, *RUNS), "minimum_effect"),
        ((*SETS_UP, *SWITCH, "--", "true"), "name it: --mutable 'train.py'"),
        ((*SETS_UP, "--treated", "nowhere", *RUNS), "neither a folder nor a revision"),
        ((*SETS_UP, "--treated", "--output=x", *RUNS), "neither a folder nor a revision"),
    ],
)
def test_what_cannot_be_a_trial_is_refused_with_the_cure_and_leaves_nothing(
    project: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in complaint(project, "new", "clip", "--no-check", *words)
    assert not list(project.rglob("trial.yaml")) and not list(project.glob("x*"))


def test_a_command_that_does_not_use_the_files_is_refused(project: Path) -> None:
    (project / "other.py").write_text("X = 1\n")
    said = complaint(project, "new", "clip", *SETS_UP, *SWITCH, "--mutable", "other.py", *RUNS)
    assert "does not use other.py" in said and "then: flagstone trials plan clip" in said


def test_a_metric_that_the_control_does_not_print_is_refused_with_the_file_to_correct(project: Path) -> None:
    words = ("--metric", "val_los", "--direction", "min", "--minimum-effect", "1")
    said = complaint(project, "new", "clip", *words, *SWITCH, *RUNS)
    assert "val_loss" in said and "clip/trial.yaml" in said and "experiment.yaml" not in said


def test_a_control_that_crashes_is_failed_work(project: Path) -> None:
    (project / "train.py").write_text("raise SystemExit('no data')\n")
    said = asked(project, "new", "clip", *SETS_UP, *SWITCH, *RUNS)
    assert isinstance(said.exception, FlagstoneError) and said.exception.exit_code == 3
    assert "no data" in said.exception.problem


def test_a_program_that_ignores_its_seed_is_noted(project: Path) -> None:
    (project / "train.py").write_text("print('val_loss: 1.0')\n")
    said = output(project, "new", "clip", *SETS_UP, *SWITCH, *RUNS)
    assert "runs that ignore their seed" in said and "baseline runs are enough" not in said


def test_a_program_that_does_not_repeat_its_number_is_shown_without_the_advice_for_experiments(project: Path) -> None:
    (project / "train.py").write_text("import random\nprint('val_loss:', random.random())\n")
    said = output(project, "new", "clip", *SETS_UP, *SWITCH, *RUNS)
    assert "– seed     the same seed gave" in said and "noise test" not in said


def test_plan_says_what_it_takes_and_refuses_what_is_hopeless(project: Path) -> None:
    output(project, "new", "clip", *SETS_UP, *SWITCH, "--no-check", *RUNS)
    assert output(project, "plan").endswith("next: flagstone trials run clip\n")
    record = json.loads(output(project, "plan", "clip", "--json"))
    assert record["amounts"]["runs"] == [18, 30] and record["problem"] == ""
    output(project, "new", "weak", *SETS_UP[:2], "--minimum-effect", "0.1 sd", *SWITCH, "--no-check", *RUNS)
    assert "`underpowered: accept`" in complaint(project, "plan", "weak")
    assert "name one of: clip, weak" in complaint(project, "plan")
    assert "name one of: clip, weak" in complaint(project, "plan", "clap")


def test_nothing_is_reported_or_verified_before_a_run(project: Path) -> None:
    output(project, "new", "clip", *SETS_UP, *SWITCH, "--no-check", *RUNS)
    for verb in ("report", "verify"):
        assert complaint(project, verb) == "nothing of trial clip has run yet; flagstone trials run clip"
    assert [path.name for path in (project / ".flagstone" / "trials" / "clip").iterdir()] == ["trial.yaml"]


def test_a_trial_that_a_stage_has_planned_is_run_by_the_run(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "attn"
    (run / "workspace" / "trials").mkdir(parents=True)
    (run / "approved").mkdir()
    (run / "run.yaml").write_text("{}")
    plan = run / "workspace" / "trials" / "clip.yaml"
    plan.write_text("")
    found = chosen_trial(Location(run), None, None)
    assert (found.path, trial_command(found, "run")) == (plan, "flagstone run attn")
    assert trial_command(found, "status") == "flagstone trials status clip --run attn"


def test_an_edited_plan_is_refused_with_everything_that_is_wrong(project: Path) -> None:
    output(project, "new", "clip", *SETS_UP, *SWITCH, "--no-check", *RUNS)
    path = project / ".flagstone" / "trials" / "clip" / "trial.yaml"
    path.write_text(path.read_text().replace("direction: min", "directon: min"))
    said = complaint(project, "plan")
    assert "did you mean 'direction'?" in said and "whether less or more is better" in said


def test_the_same_name_twice_and_an_invalid_name_are_refused(project: Path) -> None:
    output(project, "new", "clip", *SETS_UP, *SWITCH, "--no-check", *RUNS)
    assert "already exists" in complaint(project, "new", "clip", *SETS_UP, *SWITCH, *RUNS)
    assert "not a valid name for a trial" in complaint(project, "new", "a/b", *SETS_UP, *SWITCH, *RUNS)


def test_data_that_is_not_there_is_named_with_its_line_before_anything_runs(project: Path) -> None:
    words = ("new", "clip", *SETS_UP, *SWITCH, "--data", "data/*.npz", *RUNS)
    said = complaint(project, *words)
    assert f"data: data/*.npz names no file in {project}" in said
    path = project / ".flagstone" / "trials" / "clip" / "trial.yaml"
    number = path.read_text().splitlines().index("- data/*.npz") + 1
    for verb in ("plan", "run"):
        assert f"{path}: line {number}, data: data/*.npz names no file" in complaint(project, verb, "clip")
    assert not (path.parent / "check").exists()
    (project / "data").mkdir()
    (project / "data" / "a.npz").touch()
    assert "runs: " in output(project, "plan", "clip")
