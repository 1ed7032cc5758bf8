"""Rounds in which the floor and what is measured take turns, so that a noisy machine slows both."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
OURS_ALONE = ("FLAGSTONE", "SNAKEMAKE", "PYTHON")  # variables of whoever calls, which must not reach what is measured


def environment() -> dict[str, str]:
    """What a person's terminal would have: the programs of this Python first in PATH, and the code of this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS_ALONE)}
    code = os.pathsep.join(str(CHECKOUT / folder) for folder in ("src", "tests/doubles"))
    return {**kept, "PATH": f"{PROGRAMS}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": code}


def command(*words: str | Path, cwd: Path) -> None:
    """Runs a command to its end; one that fails is an error with what it said."""
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode:
        raise SystemExit(f"{words} ended with {done.returncode}:\n{done.stdout.decode()}{done.stderr.decode()}")


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def take_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each side in each round; a first round warms the file cache and does not count."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, act in sides.items():
            took = act()
            if number:
                found[name].append(took)
    return found


def show(found: Mapping[str, Sequence[float]], floor: str) -> None:
    """One line a side: median and least, in seconds and as a multiple of the floor's."""
    width = max(map(len, found))
    base = found[floor]
    print(f"{'':<{width}}  median s   min s   median ×   min ×   (× = {floor})")
    for name, took in found.items():
        times = f"{median(took) / median(base):8.2f}  {min(took) / min(base):7.2f}"
        print(f"{name:<{width}}  {median(took):8.3f}  {min(took):6.3f}   {times}")


def promise(what: str, figure: float, limit: float, unit: str = "") -> None:
    """What we publish, and whether it held this time."""
    word = "held" if figure < limit else "NOT HELD"
    print(f"{word}: {what}: {figure:.2f}{unit} (promised: < {limit:g}{unit})")
