"""What it costs to look at an experiment of 10 000 runs, and to derive its files anew; against reading its ledger."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median

import yaml

from flagstone.experiments.engine.opening import Opened, open_experiment
from flagstone.experiments.ledger import derived
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.ledger import History
from flagstone.experiments.reporting.picture import draw
from flagstone.experiments.reporting.status import read_entries
from flagstone.plans.folder import Home
from measured.project import FLAGSTONE
from measured.rounds import CHECKOUT, PROGRAMS, command, promise, seconds, show, take_turns

sys.path.append(str(CHECKOUT / "tests" / "unit" / "experiments"))
from entries import made_up, write_ledger

RUNS = 10_000
ROUNDS = 7
TREES = 40
LIMIT_STATUS_S, LIMIT_REPORT_S, LIMIT_REBUILD_S, LIMIT_PICTURE_S = 0.3, 1.0, 3.0, 2.0
SPEC = {
    "goal": "a lower validation loss",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"]},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "stopping": {"plateau": 5_000, "max_runs": 2 * RUNS},
}
PYTHON, LEDGER = "bare start of Python", "read the ledger, json.loads"
FILES = "write as many files, plainly"
STATUS, LAST, REPORT, REBUILD = "status", "status --last 20", "report", "rebuild"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as name:
        opened = long_experiment(Path(name))
        home, there = opened.home, opened.home.base
        size_mb = home.ledger.stat().st_size / 1e6
        print(f"{RUNS} runs, a ledger of {size_mb:.1f} MB, {len(list(home.root.rglob('result.json')))} results")
        quick = {
            PYTHON: lambda: seconds(lambda: command(PROGRAMS / "python", "-c", "pass", cwd=there)),
            STATUS: lambda: seconds(lambda: experiment(there, "status")),
            LAST: lambda: seconds(lambda: experiment(there, "status", "made-up", "--last", "20")),
        }
        looks = take_turns(quick, ROUNDS)
        slow = {
            LEDGER: lambda: seconds(lambda: loaded(home)),
            FILES: lambda: plainly_written(home),
            REPORT: lambda: seconds(lambda: experiment(there, "report")),
            REBUILD: lambda: rebuilt(opened),
            "rebuild where nothing is missing": lambda: seconds(lambda: rebuild(opened)),
            "progress.svg": lambda: seconds(lambda: draw(read_entries(home), opened.spec, there / "progress.svg")),
        }
        reads = take_turns(slow, ROUNDS)
    show(looks, PYTHON)
    show(reads, LEDGER)
    promise(f"status at {RUNS} runs, start of Python included", median(looks[STATUS]), LIMIT_STATUS_S, " s")
    promise(f"report at {RUNS} runs, start of Python included", median(reads[REPORT]), LIMIT_REPORT_S, " s")
    promise(f"all derived files anew from {RUNS} lines", median(reads[REBUILD]), LIMIT_REBUILD_S, " s")
    beyond_s = median(reads[REBUILD]) - median(reads[FILES])
    promise("the same, beyond what the disk takes for as many files", beyond_s, LIMIT_REBUILD_S, " s")
    promise(f"picture of {RUNS} runs", median(reads["progress.svg"]), LIMIT_PICTURE_S, " s")


def long_experiment(folder: Path) -> Opened:
    """An experiment as 10 000 runs leave it: its ledger, its candidates, its derived files, and what is remembered."""
    home = Home(folder / ".flagstone" / "experiments" / "made-up", folder)
    home.root.mkdir(parents=True)
    home.spec.write_text(yaml.safe_dump(SPEC))
    (folder / "train.py").write_text("LR = 3e-4\n")
    opened = open_experiment(home, CHECKOUT / "schemas")
    write_ledger(home, with_trees(opened, made_up(RUNS)))
    rebuild(opened)
    History.read(home).remember()
    return opened


def with_trees(opened: Opened, entries: Iterable[Entry]) -> list[Entry]:
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


def loaded(home: Home) -> None:
    with open(home.ledger, "rb") as stream:
        for line in stream:
            json.loads(line)


def plainly_written(home: Home) -> float:
    """Seconds of writing the same results beside themselves without any care: what the disk alone takes."""
    results = [(path.with_name("plain.json"), path.read_bytes()) for path in home.root.glob("runs/*/result.json")]

    def write() -> None:
        for path, content in results:
            path.write_bytes(content)

    took = seconds(write)
    for path, _ in results:
        path.unlink()
    return took


def rebuild(opened: Opened) -> None:
    derived.rebuild(opened.home, opened.spec, read_entries(opened.home))


def rebuilt(opened: Opened) -> float:
    """Seconds of a rebuild after every derived file was deleted."""
    home = opened.home
    home.results.unlink()
    shutil.rmtree(home.events)
    for path in home.root.glob("runs/*/result.json"):
        path.unlink()
    return seconds(lambda: rebuild(opened))


if __name__ == "__main__":
    main()
