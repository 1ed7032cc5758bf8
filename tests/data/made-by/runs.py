"""One run in each state, made as a person makes it, and what is to come of it when it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from workplace import Workplace

SLOW = {"do": [["sleep", 30]], "then": "instant"}
TRAIN = """import os, time
X = 1.0
print("loading", flush=True)
time.sleep(float(os.environ.get("PAUSE", "0")))
print(f"val_loss: {(X - 3) ** 2}")
"""


@dataclass(frozen=True)
class RecipeOfARun:
    """How a run is made; which stages the next call builds, and which the next one after an approval."""

    about: str
    make: Callable[[Workplace, str], None]
    builds: tuple[str, ...] = ()
    approve: str = ""
    then_builds: tuple[str, ...] = ()
    resume: bool = False
    conversation: str = ""
    contract: Mapping[str, str] = field(default_factory=dict)

    def expected(self) -> dict[str, object]:
        """`conversation` is whether what is built first is built in the `same` one or a `new` one; `contract` is what
        a stage is to be called, where the code that made the fixture has another word for it."""
        record = {name: value for name, value in vars(self).items() if name != "make" and value}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}


def new(place: Workplace, name: str, script: object = None, *words: str) -> Path:
    """A new run of the demo agent. What the agent does stands in run.yaml, so that the run needs no file beside it."""
    told = json.dumps({"*": {"*": "instant"}, **(script if isinstance(script, dict) else {})})
    sets = ("--set", f"demo.script={told}", "--set", "limits.attempts=1")
    place.flagstone("new", name, "--agent", "demo", "--goal", "Does it work?", *sets, *words)
    return place.root / "runs" / name


def touched(place: Workplace, name: str, script: object = None, *words: str, upto: int) -> Path:
    """A run whose first stages a person approved by touch; the next one waits."""
    run = new(place, name, script, *words)
    place.snakemake(name)
    for number in range(1, upto + 1):
        (run / "approved" / f"{number:02d}.flag").touch()
        place.snakemake(name)
    return run


def waiting_at_01(place: Workplace, name: str) -> None:
    paper = place.root / "paper.md"
    paper.write_text("# What is known\n\nLittle.\n")
    new(place, name, None, "--resource", str(paper), "--venue", "neurips_2025")
    place.snakemake(name)


def waiting_at_02(place: Workplace, name: str) -> None:
    touched(place, name, upto=1)


def touched_but_not_sealed(place: Workplace, name: str) -> None:
    (touched(place, name, upto=0) / "approved" / "01.flag").touch()


def stale(place: Workplace, name: str) -> None:
    run = touched(place, name, upto=2)
    with open(run / "stages" / "01_literature_survey.md", "a") as summary:
        summary.write("\nA person was here.\n")
    place.snakemake(name)


def stale_by_settings(place: Workplace, name: str) -> None:
    change_settings(touched(place, name, upto=1), model="another")
    place.snakemake(name)


def change_settings(run: Path, **values: object) -> None:
    path = run / "run.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **values}, sort_keys=False))


def revoked(place: Workplace, name: str) -> None:
    run = touched(place, name, upto=2)
    (run / "approved" / "02.flag").unlink()
    place.snakemake(name)


def rolled_back(place: Workplace, name: str) -> None:
    touched(place, name, upto=3)
    place.flagstone("rollback", "02", "--run", name, "--why", "the metric was wrong")


def feedback_open(place: Workplace, name: str) -> None:
    (touched(place, name, upto=1) / "feedback" / "02.md").write_text("Narrow it to one claim.\n")


def redo_open(place: Workplace, name: str) -> None:
    (touched(place, name, upto=1) / "redo" / "02").touch()


def aborted(place: Workplace, name: str) -> None:
    touched(place, name, upto=1)
    place.flagstone("abort", name, "--why", "superseded")


def failed(place: Workplace, name: str) -> None:
    run = touched(place, name, {"02": {1: "write-garbage", "*": "instant"}}, upto=0)
    (run / "approved" / "01.flag").touch()
    place.snakemake(name, code=1)


def refine_failed(place: Workplace, name: str) -> None:
    run = touched(place, name, {"02": {2: "crash", "*": "instant"}}, upto=1)
    place.flagstone("refine", "02", "Narrow it to one claim.", "--run", name)
    place.snakemake(name, code=1)
    assert (run / "drafts" / "02" / "002").is_dir()


def killed_in_flight(place: Workplace, name: str) -> None:
    run = touched(place, name, {"02": {1: SLOW, "*": "instant"}}, upto=0)
    (run / "approved" / "01.flag").touch()
    call = run / "drafts" / "02" / "001" / "transcript.jsonl"
    at_work = ("snakemake", "--cores", "2", "--config", f"run={name}")
    place.kill(lambda: call.is_file() and bool(call.stat().st_size), *at_work)


def finished(place: Workplace, name: str) -> None:
    """Every way to approve: touch, command, policy of the run, and `--yes`; one stage was refined, one done again."""
    run = touched(place, name, None, "--set", 'approval={"default": "person", "04": "auto"}', upto=1)
    place.flagstone("refine", "02", "Narrow it to one claim.", "--run", name)
    place.snakemake(name)
    place.flagstone("approve", "02", "--run", name, "--comment", "the claim is narrow")
    place.snakemake(name)
    place.flagstone("redo", "03", "--run", name)
    place.snakemake(name)
    (run / "approved" / "03.flag").touch()
    place.flagstone("run", name, "--yes")


def plan(run: Path, name: str = "tune") -> None:
    """A plan of an experiment as stages 03 and 04 leave it, with its edits beside it."""
    code, edits = run / "workspace" / "code" / "tune", run / "workspace" / "notes" / "edits"
    code.mkdir(parents=True)
    (code / "train.py").write_text(TRAIN)
    for number, value in ((2, 2.0), (3, 9.0), (4, 2.5)):
        (edits / f"{number:04d}").mkdir(parents=True)
        (edits / f"{number:04d}" / "train.py").write_text(TRAIN.replace("1.0", str(value)))
    value = {
        "goal": "less loss",
        "subject": {"root": "workspace/code/tune", "mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"], "seconds": 60},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "proposer": "scripted",
        "script": "workspace/notes/edits",
        "stopping": {"max_runs": 4},
    }
    path = run / "workspace" / "experiments" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False))


def planned(place: Workplace, name: str) -> Path:
    run = new(place, name)
    plan(run)
    place.flagstone("run", name, "--yes", "--to", "04")
    return run


def experiment_half_done(place: Workplace, name: str) -> None:
    """Two runs are in the ledger, and the third is cut off while its program runs."""
    run = planned(place, name)
    log = run / "experiments" / "tune" / "runs" / "r0003" / "run.log"
    at_work = ("snakemake", "--cores", "2", "--config", f"run={name}")
    place.kill(lambda: log.is_file() and "loading" in log.read_text(), *at_work, PAUSE="1.5")


def experiment_finished(place: Workplace, name: str) -> None:
    run = planned(place, name)
    place.snakemake(name)
    (run / "approved" / "05.flag").touch()
    place.snakemake(name)


REBUILDS_02: dict[str, Any] = {"builds": ("02",), "approve": "02", "then_builds": ("03",)}
RUNS = {
    "waiting-at-01": RecipeOfARun("stage 01 is built, nothing was approved", waiting_at_01, (), "01", ("02",)),
    "waiting-at-02": RecipeOfARun("stage 01 is approved by touch", waiting_at_02, (), "02", ("03",)),
    "touched-but-not-sealed": RecipeOfARun(
        "stage 01 was touched, and no call sealed it: no approval in a copy", touched_but_not_sealed, (), "01", ("02",)
    ),
    "stale": RecipeOfARun(
        "stage 01 was edited by hand after stages 01 and 02 were approved and 03 was built",
        stale,
        approve="01",
        then_builds=("02",),
        contract={"02": "held", "03": "held"},
    ),
    "stale-by-settings": RecipeOfARun(
        "the model was changed after stage 01 was approved and 02 was built",
        stale_by_settings,
        approve="01",
        then_builds=("02",),
        contract={"02": "held"},
    ),
    "revoked": RecipeOfARun("the flag of stage 02 was removed after stage 03 was built", revoked, (), "02"),
    "rolled-back": RecipeOfARun("stages 02 and 03 were taken back after stage 04 was built", rolled_back, (), "02"),
    "feedback-open": RecipeOfARun(
        "feedback to stage 02 was not taken up yet", feedback_open, conversation="same", **REBUILDS_02
    ),
    "redo-open": RecipeOfARun("stage 02 is to be done again", redo_open, conversation="new", **REBUILDS_02),
    "aborted": RecipeOfARun("stopped by a person while stage 02 waits", aborted, (), "02", ("03",), resume=True),
    "failed": RecipeOfARun("the agent of stage 02 left garbage", failed, **REBUILDS_02),
    "refine-failed": RecipeOfARun(
        "stage 02 was published, and the agent crashed over the feedback to it", refine_failed, **REBUILDS_02
    ),
    "killed-in-flight": RecipeOfARun(
        "kill -9 while the agent of stage 02 works", killed_in_flight, conversation="same", **REBUILDS_02
    ),
    "finished": RecipeOfARun("all eight stages are approved, in every way there is", finished),
    "experiment-half-done": RecipeOfARun(
        "kill -9 in the third run of an experiment before stage 05", experiment_half_done, ("05",), "05", ("06",)
    ),
    "experiment-finished": RecipeOfARun(
        "stage 05 is approved together with the ledger of its experiment", experiment_finished, (), "06", ("07",)
    ),
}
