"""What the sandbox costs a start: nothing, Landlock, bubblewrap and both around the same program, in one run."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from flagstone.processes import Command, Confinement, Output, ProcessLimits, run
from flagstone.processes.confinement import landlock, machine
from measured.rounds import promise, seconds, show, take_turns

ROUNDS = 60
LIMIT_MS = 15
WAYS = {"nothing": (False, False), "landlock": (True, False), "bubblewrap": (False, True), "both": (True, True)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "workspace").mkdir()
        commands = {name: command(root, *held) for name, held in WAYS.items() if is_here(*held)}
        commands["landlock in a fork"] = command(root, True, False, is_fork=True)
        sides = {name: partial(seconds, partial(start, each, root)) for name, each in commands.items()}
        taken = take_turns(sides, ROUNDS)
    show(taken, "nothing")
    if fault := machine.bubblewrap_fault():
        print(f"bubblewrap is not measured: {fault}")
    for name in commands:
        cost_ms = 1000 * (median(taken[name]) - median(taken["nothing"]))
        promise(f"{name}, beyond nothing, median of {ROUNDS}", cost_ms, LIMIT_MS, " ms")


def is_here(use_landlock: bool, use_bubblewrap: bool) -> bool:
    return not (use_landlock and not landlock.abi()) and not (use_bubblewrap and machine.bubblewrap_fault())


def command(root: Path, use_landlock: bool, use_bubblewrap: bool, *, is_fork: bool = False) -> Command:
    held = Confinement((root / "workspace",), use_landlock=use_landlock, use_bubblewrap=use_bubblewrap)
    argv, target = (None, int) if is_fork else (("/bin/true",), None)
    is_held = use_landlock or use_bubblewrap
    return Command(argv, target, root, {"PATH": os.environ["PATH"]}, confinement=held if is_held else None)


def start(command: Command, root: Path) -> None:
    if run(command, ProcessLimits(wall_s=20), Output(root / "out")).exit_code != 0:
        raise SystemExit((root / "out").read_text())


if __name__ == "__main__":
    main()
