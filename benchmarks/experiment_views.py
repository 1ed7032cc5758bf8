"""What it costs to look at an experiment of 50 000 runs, and to derive the files of 10 000 anew."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median

import yaml

from flagstone.experiments.engine.opening import OpenedExperiment, open_experiment
from flagstone.experiments.ledger import derived
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.ledger import History, entries_of
from flagstone.experiments.reporting.picture import draw
from flagstone.plans.folder import Home
from measured.project import FLAGSTONE
from measured.rounds import CHECKOUT, PROGRAMS, command, cpu, environment, promise, seconds, show, take_turns

sys.path.append(str(CHECKOUT / "tests" / "unit" / "experiments"))
from entries import made_up, write_ledger

RUNS, DERIVED = 50_000, 10_000
ROUNDS = 5
TREES = 40
LIMIT_STATUS_S, LIMIT_REPORT_S, LIMIT_REBUILD_S, LIMIT_PICTURE_S = 0.6, 0.6, 3.0, 2.0
LIMIT_REPORT_MB = 60
SPEC = {
    "goal": "a lower validation loss",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"]},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "stopping": {"plateau": RUNS, "max_runs": 2 * RUNS},
}
PYTHON, LEDGER = "bare start of Python", "json.loads of each line"
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
READ = "import json, sys\nfor line in open(sys.argv[1], 'rb'): json.loads(line)"
FILES = "write as many files, plainly"
STATUS, LAST, TAIL, REPORT, REBUILD = "status", "status --last 20", "tail", "report", "rebuild"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        look(long_experiment(Path(name), RUNS))
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        derive(long_experiment(Path(name), DERIVED))


def look(opened: OpenedExperiment) -> None:
    """What each command takes, the start of Python included. CPU seconds count: a busy machine adds wall time."""
    home, there = opened.home, opened.home.base
    print(f"{RUNS} runs, a ledger of {home.ledger.stat().st_size / 1e6:.1f} MB")
    sides = {
        PYTHON: lambda: seconds(lambda: command(PROGRAMS / "python", "-c", "pass", cwd=there)),
        LEDGER: lambda: seconds(lambda: command(PROGRAMS / "python", "-c", READ, home.ledger, cwd=there)),
        STATUS: lambda: seconds(lambda: experiment(there, "status")),
        LAST: lambda: seconds(lambda: experiment(there, "status", "made-up", "--last", "20")),
        TAIL: lambda: seconds(lambda: experiment(there, "tail", "made-up", "r0001")),
        REPORT: lambda: seconds(lambda: experiment(there, "report")),
    }
    looks = take_turns(sides, ROUNDS)
    show(looks, PYTHON)
    promise(f"status at {RUNS} runs, CPU", cpu(looks[STATUS]), LIMIT_STATUS_S, " s")
    promise(f"report at {RUNS} runs, CPU", cpu(looks[REPORT]), LIMIT_REPORT_S, " s")
    promise(
        f"report at {RUNS} runs, memory", memory_mb(there, FLAGSTONE, "experiment", "report"), LIMIT_REPORT_MB, " MB"
    )


def derive(opened: OpenedExperiment) -> None:
    home, there = opened.home, opened.home.base
    rebuild(opened)
    print(f"{DERIVED} runs, {len(list(home.root.rglob('result.json')))} results; wall seconds")
    sides = {
        FILES: lambda: plain_write_s(home),
        REBUILD: lambda: rebuild_s(opened),
        "rebuild where nothing is missing": lambda: seconds(lambda: rebuild(opened)),
        "progress.svg": lambda: seconds(lambda: draw(home, opened.spec, there / "progress.svg")),
    }
    found = take_turns(sides, ROUNDS)
    show(found, FILES)
    promise(f"all derived files anew from {DERIVED} lines", median(found[REBUILD]), LIMIT_REBUILD_S, " s")
    promise(f"picture of {DERIVED} runs", median(found["progress.svg"]), LIMIT_PICTURE_S, " s")


def long_experiment(folder: Path, runs: int) -> OpenedExperiment:
    """An experiment as so many runs leave it: its ledger, its candidates, and what is remembered."""
    home = Home(folder / ".flagstone" / "experiments" / "made-up", folder)
    home.root.mkdir(parents=True)
    home.spec.write_text(yaml.safe_dump(SPEC))
    (folder / "train.py").write_text("LR = 3e-4\n")
    opened = open_experiment(home, CHECKOUT / "schemas")
    write_ledger(home, with_trees(opened, made_up(runs)))
    (home.run("r0001").root).mkdir(parents=True)
    home.run("r0001").log.write_text("val_loss: 2.0\n")
    History.read(home).remember()
    return opened


def with_trees(opened: OpenedExperiment, entries: Iterable[Entry]) -> list[Entry]:
    """The runs with trees that are really there, so that they can be compared."""
    trees = []
    for number in range(TREES):
        draft = opened.home.root / "draft"
        opened.subject.lay_out(opened.base.tree, draft)
        (draft / "train.py").write_text(f"LR = {number + 1}e-5\n")
        trees.append(opened.subject.take(draft, opened.base, "an edit", number).tree)
        shutil.rmtree(draft)
    return [replace(entry, tree=trees[entry.number % TREES]) for entry in entries]


def experiment(there: Path, *words: str) -> None:
    command(FLAGSTONE, "experiment", *words, cwd=there)


def memory_mb(there: Path, *words: str | Path) -> float:
    """The most memory that a command held. A small process starts it: a fork of ours would count with our size."""
    asked = [str(word) for word in (PROGRAMS / "python", "-c", MEASURE, *words)]
    done = subprocess.run(asked, cwd=there, env=environment(), capture_output=True, text=True, check=True)
    return int(done.stdout) / 1000


def plain_write_s(home: Home) -> float:
    """Seconds of writing the same results beside themselves without any care: what the disk alone takes."""
    results = [(path.with_name("plain.json"), path.read_bytes()) for path in home.root.glob("runs/*/result.json")]

    def write() -> None:
        for path, content in results:
            path.write_bytes(content)

    took = seconds(write)
    for path, _ in results:
        path.unlink()
    return took


def rebuild(opened: OpenedExperiment) -> None:
    derived.rebuild(opened.home, opened.spec, list(entries_of(opened.home.ledger)))


def rebuild_s(opened: OpenedExperiment) -> float:
    """Seconds of a rebuild after every derived file was deleted."""
    home = opened.home
    home.results.unlink()
    shutil.rmtree(home.events)
    for path in home.root.glob("runs/*/result.json"):
        path.unlink()
    return seconds(lambda: rebuild(opened))


if __name__ == "__main__":
    main()
