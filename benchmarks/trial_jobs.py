"""What a trial of 16 runs costs through plain `snakemake`, and what it costs to look at one of 500 runs.

The floor is a bare rule with the same 16 programs as 16 jobs, on as many cores. The trial has its four looks as jobs
besides.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from flagstone.plans import CONTROL, TrialFolder
from flagstone.records import Ledger
from flagstone.trials import read_story
from flagstone.trials.lines import RunLine
from measured.project import AS_PROFILE, FLAGSTONE, SNAKEMAKE, emptied_folder, throw_away_project
from measured.rounds import (
    CHECKOUT,
    PROGRAMS,
    adopt_orphans,
    await_orphans,
    command,
    cpu,
    promise,
    seconds,
    share,
    show,
    take_turns,
)

RUNS, MANY = 16, 500
ROUNDS = 5
LIMIT_TRIAL, LIMIT_LOOK_S = 1.5, 0.5
# the seed moves the loss by a hundredth or so, and the switch lowers it by more
SOURCE = r"""
awk -v s="$SEED" -v on="$#" 'BEGIN {
    srand(s)
    printf "val_loss: %.9f\n", 1 + rand() / 50 - on / 5 * (1 + rand() / 9)
}'
"""
PLAN = {
    "question": "Does the switch lower the loss?",
    "subject": {"root": ".", "mutable": ["train.sh"]},
    "harness": {"argv": ["sh", "train.sh"], "seconds": 60},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "switch": ["on"],
    "minimum_effect": 0.05,
    "screen": "off",
}
BARE = """
rule all:
    input: expand("{{slot}}.log", slot=range({runs}))

rule run:
    output: "{{slot}}.log"
    shell: "SEED={{wildcards.slot}} sh {program} > {{output}}"
"""
FLOOR, TRIAL, OFF = "one bare rule", "the trial", "the trial, no sandbox"
PYTHON, STATUS, REPORT = "bare start of Python", "status", "report"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with throw_away_project() as root:
        time_a_trial(root, rounds)
    with throw_away_project() as root:
        time_a_look(root, rounds)


def time_a_trial(root: Path, rounds: int) -> None:
    """The trial and the rule take turns, each from nothing. CPU seconds count: a busy machine adds wall time.

    The warm server and the job that it ends with may outlive the command: they are waited for, and count.
    """
    adopt_orphans()
    sides = {
        FLOOR: lambda: seconds_of_bare_rule(root / "bare"),
        TRIAL: lambda: seconds_of_trial(root / "ours"),
        OFF: lambda: seconds_of_trial(root / "open", sandbox="off"),
    }
    found = take_turns(sides, rounds)
    show(found, FLOOR)
    ratio = share(cpu(found[TRIAL]), cpu(found[FLOOR]))
    promise(f"a trial of {RUNS} instant runs / the same jobs as a bare rule, CPU", ratio, LIMIT_TRIAL, "×")


def seconds_of_bare_rule(folder: Path) -> float:
    emptied_folder(folder).mkdir()
    (folder / "train.sh").write_text(SOURCE)
    (folder / "Snakefile").write_text(BARE.format(runs=RUNS, program=folder / "train.sh"))
    return seconds(lambda: command(SNAKEMAKE, "--cores", "2", *AS_PROFILE, cwd=folder))


def seconds_of_trial(folder: Path, **changes: str) -> float:
    trial = planned_trial(folder, **changes)
    words = (SNAKEMAKE, "--cores", "2", "--snakefile", CHECKOUT / "workflow" / "trials.smk")
    took = seconds(lambda: (command(*words, "--directory", trial.root, cwd=folder), await_orphans()))
    story = read_story(trial.ledger)
    assert story.verdict is not None and len(story.runs) == RUNS, (story.verdict, len(story.runs))
    return took


def planned_trial(folder: Path, **changes: str) -> TrialFolder:
    trial = TrialFolder(emptied_folder(folder) / ".flagstone" / "trials" / "fast", folder)
    trial.root.mkdir(parents=True)
    (folder / "train.sh").write_text(SOURCE)
    trial.spec.write_text(yaml.safe_dump(PLAN | changes))
    return trial


def time_a_look(root: Path, rounds: int) -> None:
    """A trial that has ended, to whose ledger as many runs are added as make it a long one."""
    seconds_of_trial(root / "long")
    trial = TrialFolder(root / "long" / ".flagstone" / "trials" / "fast", root / "long")
    lengthen(trial)
    sides = {
        PYTHON: lambda: seconds(lambda: command(PROGRAMS / "python", "-c", "pass", cwd=trial.base)),
        STATUS: lambda: seconds(lambda: command(FLAGSTONE, "trials", "status", cwd=trial.base)),
        REPORT: lambda: seconds(lambda: command(FLAGSTONE, "trials", "report", cwd=trial.base)),
    }
    found = take_turns(sides, rounds)
    show(found, PYTHON)
    for name in (STATUS, REPORT):
        promise(f"trials {name} at {MANY} runs, CPU", cpu(found[name]), LIMIT_LOOK_S, " s")


def lengthen(trial: TrialFolder) -> None:
    """Adds runs of the control that nobody asked for, until the ledger has MANY."""
    ledger = Ledger(trial.ledger)
    first = read_story(trial.ledger).runs[CONTROL, "a1"]
    for number in range(len(read_story(trial.ledger).runs), MANY):
        arm, slot, value = f"made_up{number // 8}", f"a{number % 8 + 1}", 1.0 + number / 1e4
        ledger.append(RunLine(arm, slot, "ok", first.basis, first.at, value, first.metrics, 0.1))


if __name__ == "__main__":
    main()
