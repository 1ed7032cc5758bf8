"""Projects of other people with experiments in them: finished, stopped, and cut off in the middle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from workplace import Workplace

TRAIN = """import json, os, pathlib, random, time
X = 1.0
print("loading", flush=True)
time.sleep(float(os.environ.get("PAUSE", "0")))
pathlib.Path("weights.json").write_text(json.dumps({"x": X}))
noise = random.Random(int(os.environ["SEED"])).gauss(0, SIGMA)
print(f"steps: 10 val_loss: {(X - 3) ** 2 + noise}")
"""
QUIET = TRAIN.replace("SIGMA", "0")
NOISY = TRAIN.replace("SIGMA", "0.1")
CRASH = 'X = 5.0\nraise RuntimeError("out of luck")\n'
EVALUATE = """import json, pathlib, sys
x = json.loads(pathlib.Path(sys.argv[1]).read_text())["x"]
print(f"val_loss: {(x - 3) ** 2}")
"""
# kept, crash, kept, reverted, kept; from 0007 on nothing is a gain
EDITS = {2: "2.0", 3: CRASH, 4: "2.5", 5: "8.0", 6: "2.6", 7: "9.0", 8: "7.0", 9: "6.0"}
COMMON = ("--metric", "val_loss", "--mutable", "train.py", "--seconds", "60")
SCRIPTED = ("--proposer", "scripted", "--script", "edits")
COMMAND = ("--", "python", "train.py")


@dataclass(frozen=True)
class GoesOn:
    """By which command an experiment goes on, to how many runs with which best; `more` of them are allowed first."""

    verb: str
    then_runs: int
    then_best: str
    more: int = 0


@dataclass(frozen=True)
class RecipeOfAProject:
    """How a project is made, and how its experiments go on."""

    about: str
    make: Callable[[Workplace], None]
    experiments: Mapping[str, GoesOn]


def write(place: Workplace, program: str) -> None:
    """A project with one program, and edits of it."""
    place.root.mkdir(parents=True)
    (place.root / "train.py").write_text(program)
    (place.root / "settings.json").write_text('{"steps": 10}\n')
    for number, value in EDITS.items():
        folder = place.root / "edits" / f"{number:04d}"
        folder.mkdir(parents=True)
        (folder / "train.py").write_text(value if "\n" in value else program.replace("X = 1.0", f"X = {value}"))


def repository(place: Workplace, program: str) -> None:
    write(place, program)
    place.call("git", "init", "-q", "-b", "main", ".")
    place.call("git", "add", ".")
    place.call("git", "-c", "user.name=A Person", "-c", "user.email=person@example.org", "commit", "-qm", "A program")


def files_finished(place: Workplace) -> None:
    """Kept, crash, kept, violation, kept; and a child that goes on from the best."""
    write(place, QUIET)
    (place.root / "edits" / "0005" / "settings.json").write_text('{"steps": 9}\n')
    further = ("--checkpoint", "weights.json", "--constraint", "wall_s <= 50", "--max-runs", "6")
    place.experiment("new", "lr", *COMMON, "--noise", "off", *further, *SCRIPTED, *COMMAND)
    place.experiment("run", "lr")
    place.experiment("chain", "lr", "lr-2", "--rationale", "X moved it most", "--max-runs", "2")
    place.experiment("run", "lr-2")


def git_finished(place: Workplace) -> None:
    """Kept, crash, kept, reverted, kept; with a guard."""
    repository(place, QUIET)
    further = ("--noise", "off", "--max-runs", "6", "--guard", "python -m json.tool settings.json")
    place.experiment("new", "fast", "--kind", "git", *COMMON, *further, *SCRIPTED, *COMMAND)
    add_to_spec(place, "fast", sandbox="auto", harness={"network": True})
    place.experiment("run", "fast")


def noisy_finished(place: Workplace) -> None:
    """With repeats of the baseline and of what looked better."""
    write(place, NOISY)
    place.experiment("new", "noisy", *COMMON, "--max-runs", "6", *SCRIPTED, *COMMAND)
    place.experiment("run", "noisy")


def files_half_done(place: Workplace) -> None:
    write(place, QUIET)
    place.experiment("new", "lr", *COMMON, "--noise", "off", "--max-runs", "6", *SCRIPTED, *COMMAND)
    place.experiment("run", "lr", "--runs", "3")
    place.kill(runs_in(home(place, "lr"), "r0004"), "flagstone", "experiment", "run", "lr", PAUSE="60")


def git_half_done(place: Workplace) -> None:
    """Cut off among the repeats of a candidate: some are measured, and must not be measured again."""
    repository(place, NOISY)
    place.experiment("new", "fast", "--kind", "git", *COMMON, "--max-runs", "5", *SCRIPTED, *COMMAND)
    place.experiment("run", "fast", "--runs", "1")
    folder = home(place, "fast") / "runs" / "r0002"
    is_there = lambda: len(list(folder.glob("measured-*.json"))) >= 2  # noqa: E731
    place.kill(is_there, "flagstone", "experiment", "run", "fast", PAUSE="0.3")


def step_half_done(place: Workplace) -> None:
    """A person's edit stands in the working files, and the step that measures it was cut off."""
    write(place, QUIET)
    place.experiment("new", "mine", *COMMON, "--noise", "off", "--max-runs", "9", "--proposer", "none", *COMMAND)
    place.experiment("step", "mine")
    working = home(place, "mine") / "work" / "train.py"
    working.write_text(QUIET.replace("X = 1.0", "X = 2.0"))
    place.experiment("step", "mine", "--note", "1 -> 2")
    working.write_text(QUIET.replace("X = 1.0", "X = 9.0"))
    number = f"r{len(list((home(place, 'mine') / 'runs').glob('r*'))) + 1:04d}"
    place.kill(runs_in(home(place, "mine"), number), "flagstone", "experiment", "step", "mine", PAUSE="60")


def stopped(place: Workplace) -> None:
    """The score comes from a process of its own, which reads what a run saved."""
    write(place, QUIET)
    (place.root / "evaluate.py").write_text(EVALUATE)
    place.experiment("new", "lr", *COMMON, "--noise", "off", "--max-runs", "6", *SCRIPTED, *COMMAND)
    evaluator = {"argv": ["python", "evaluate.py", "{artifact}"], "artifact": "weights.json", "seconds": 60}
    add_to_spec(place, "lr", harness={"network": False}, evaluate=evaluator)
    place.experiment("run", "lr", "--runs", "4")
    place.experiment("stop", "lr")


def add_to_spec(place: Workplace, name: str, **parts: Any) -> None:
    """Sets what `new` has no option for, as a person does in an editor."""
    path = home(place, name) / "experiment.yaml"
    spec = yaml.safe_load(path.read_text())
    for key, value in parts.items():
        spec[key] = {**spec.get(key, {}), **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(spec, sort_keys=False))


def home(place: Workplace, name: str) -> Path:
    return place.root / ".flagstone" / "experiments" / name


def runs_in(folder: Path, number: str) -> Callable[[], bool]:
    """Whether the program of a run is at work."""
    log = folder / "runs" / number / "run.log"
    return lambda: log.is_file() and "loading" in log.read_text()


PROJECTS = {
    "files-finished": RecipeOfAProject(
        "ended by max_runs: kept, crash, kept, violation, kept; and a child that began with its best",
        files_finished,
        {"lr": GoesOn("run", 8, "r0006", more=2), "lr-2": GoesOn("run", 3, "r0001", more=1)},
    ),
    "git-finished": RecipeOfAProject(
        "a git work tree: kept, crash, kept, reverted, kept; with a guard, network: true, sandbox: auto",
        git_finished,
        {"fast": GoesOn("run", 8, "r0006", more=2)},
    ),
    "noisy-finished": RecipeOfAProject(
        "gains are told from noise by repeats", noisy_finished, {"noisy": GoesOn("run", 7, "r0006", more=1)}
    ),
    "files-half-done": RecipeOfAProject(
        "kill -9 while the program of r0004 runs", files_half_done, {"lr": GoesOn("run", 6, "r0006")}
    ),
    "git-half-done": RecipeOfAProject(
        "kill -9 among the repeats of r0002", git_half_done, {"fast": GoesOn("run", 5, "r0004")}
    ),
    "step-half-done": RecipeOfAProject(
        "kill -9 while an edit of a person is measured", step_half_done, {"mine": GoesOn("step", 3, "r0002")}
    ),
    "stopped": RecipeOfAProject(
        "stopped by a person after four runs; with an evaluator", stopped, {"lr": GoesOn("resume", 6, "r0006")}
    ),
}
