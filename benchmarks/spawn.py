"""What running a program costs beyond `subprocess.run` of the same program, and what watching a long one costs."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from flagstone.processes import Command, Confinement, Output, ProcessLimits, run
from flagstone.processes.confinement import landlock, machine
from measured.rounds import promise, seconds, show, take_turns

ROUNDS = 200
BEYOND_MS = 5
SHARE = 0.5
WATCHED_S = 10
PROGRAM = "/bin/true"
# a family that is worth watching: eight processes in three generations
FAMILY = f"for i in 1 2 3; do (sleep {WATCHED_S} & wait) & done; exec sleep {WATCHED_S}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        sides: dict[str, Callable[[], float]] = {
            "subprocess.run": lambda: seconds(lambda: bare(root)),
            "subprocess.run, forked": lambda: seconds(lambda: bare(root, preexec_fn=int)),
            "processes.run": lambda: seconds(lambda: ours(command(root, PROGRAM), root)),
        }
        if fault := machine.bubblewrap_fault():
            print(f"the sandbox is not measured: {fault}")
        elif landlock.abi():
            held = Confinement((root,))
            sides["processes.run, sandbox"] = lambda: seconds(lambda: ours(command(root, PROGRAM, held=held), root))
        found = take_turns(sides, ROUNDS)
        show(found, "subprocess.run")
        floor = median(found["subprocess.run"])
        beyond = {name: 1000 * (median(took) - floor) for name, took in found.items()}
        print("beyond subprocess.run, ms: " + ", ".join(f"{name} {cost:.2f}" for name, cost in beyond.items()))
        promise(f"beyond subprocess.run, median of {ROUNDS}", beyond["processes.run"], BEYOND_MS, " ms")
        promise(f"of one core, while a family of eight runs {WATCHED_S} s", watching(root), SHARE, " %")


def bare(root: Path, **more: Callable[[], object]) -> None:
    with open(root / "bare", "wb") as said:
        subprocess.run([PROGRAM], cwd=root, env=variables(), stdin=subprocess.DEVNULL, stdout=said, check=True, **more)  # type: ignore[call-overload]


def command(root: Path, *words: str, held: Confinement | None = None) -> Command:
    return Command(words, None, root, variables(), confinement=held)


def ours(asked: Command, root: Path) -> None:
    if run(asked, ProcessLimits(wall_s=60), Output(root / "ours")).exit_code != 0:
        raise SystemExit((root / "ours").read_text())


def watching(root: Path) -> float:
    spent, began = time.process_time(), time.monotonic()
    ours(command(root, "sh", "-c", FAMILY), root)
    return 100 * (time.process_time() - spent) / (time.monotonic() - began)


def variables() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


if __name__ == "__main__":
    main()
