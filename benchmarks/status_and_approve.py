"""`flagstone status` on a hundred runs and `flagstone approve`, against starting Python with the same two libraries."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from statistics import median

from flagstone.gates.runs.run_config import open_run
from flagstone.settings import find_project
from flagstone.status.model import run_status
from measured.project import FLAGSTONE, finished_run, throw_away_project
from measured.rounds import PROGRAMS, command, promise, seconds, show, take_turns

RUNS = 100
ROUNDS = 15
LIMIT_S = 0.3
PYTHON = PROGRAMS / "python"


def main() -> None:
    with throw_away_project() as root:
        many(root, finished_run(root, "run-000"))
        found = take_turns(
            {
                "python -c pass": lambda: seconds(lambda: command(PYTHON, "-c", "pass", cwd=root)),
                "import click, yaml": lambda: seconds(lambda: command(PYTHON, "-c", "import click, yaml", cwd=root)),
                "flagstone status": lambda: seconds(lambda: command(FLAGSTONE, "status", cwd=root)),
                "flagstone approve 08": approve(root),
            },
            ROUNDS,
        )
    show(found, "import click, yaml")
    promise(f"flagstone status on {RUNS} runs", median(found["flagstone status"]), LIMIT_S, " s")
    promise("flagstone approve", median(found["flagstone approve 08"]), LIMIT_S, " s")


def many(root: Path, first: Path) -> None:
    """A hundred runs: copies of a finished one, brought into different states by what a person would do."""
    changes = cycle(
        (lambda run: None, wait_at("08"), wait_at("03"), edit("02"), ask("05"), hold_back("06"), leave_out("04"))
    )
    for number, change in zip(range(1, RUNS), changes, strict=False):
        run = first.with_name(f"run-{number:03d}")
        shutil.copytree(first, run, symlinks=True)
        change(run)
    project = find_project(root)
    for name in project.run_names():  # as any call that ran in them would have left them
        opened = open_run(project, project.run(name), validate=False)
        run_status(opened, root)
        opened.cache.save()


def wait_at(nr: str) -> Callable[[Path], object]:
    return lambda run: (run / "approved" / f"{nr}.flag").unlink()


def edit(nr: str) -> Callable[[Path], object]:
    def change(run: Path) -> None:
        summary = next(run.glob(f"stages/{nr}_*.md"))
        summary.write_text(summary.read_text() + "\nA person was here.\n")

    return change


def ask(nr: str) -> Callable[[Path], object]:
    return lambda run: (run / "feedback" / f"{nr}.md").write_text("Please say more.\n")


def hold_back(nr: str) -> Callable[[Path], object]:
    return lambda run: (run / "aborted").write_text(f"not before stage {nr} is understood\n")


def leave_out(nr: str) -> Callable[[Path], object]:
    """Takes away everything from a stage on, as if it had not been reached."""

    def change(run: Path) -> None:
        for number in range(int(nr), 9):
            for path in (*run.glob(f"stages/{number:02d}_*"), *run.glob(f"approved/{number:02d}.flag")):
                path.unlink()
            shutil.rmtree(run / "drafts" / f"{number:02d}")

    return change


def approve(root: Path) -> Callable[[], float]:
    """Takes the last approval back, then times giving it again with a new seal."""
    run = root / "runs" / "run-000"
    summary = next(run.glob("stages/08_*.md"))

    def timed() -> float:
        summary.write_text(summary.read_text() + "\n")  # another content: a new seal must be written
        return seconds(lambda: command(FLAGSTONE, "approve", "08", "--run", run.name, cwd=root))

    return timed


if __name__ == "__main__":
    main()
