"""Rounds in which the floor and what is measured take turns, so that a noisy machine slows both."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
OURS_ALONE = ("FLAGSTONE", "SNAKEMAKE", "PYTHON")  # variables of whoever calls, which must not reach what is measured
NOISY = 2.0
PR_SET_CHILD_SUBREAPER = 36
troubles: list[str] = []  # why no figure of this benchmark can be believed


class Took(float):
    """Wall seconds of one turn, and the CPU seconds that it and its ended children used."""

    cpu_s = 0.0

    @classmethod
    def of(cls, wall_s: float, cpu_s: float) -> Took:
        took = cls(wall_s)
        took.cpu_s = cpu_s
        return took


def environment() -> dict[str, str]:
    """What a person's terminal would have: the programs of this Python first in PATH, and the code of this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS_ALONE)}
    code = os.pathsep.join(str(CHECKOUT / folder) for folder in ("src", "tests/doubles"))
    return {**kept, "PATH": f"{PROGRAMS}{os.pathsep}{kept.get('PATH', '')}", "PYTHONPATH": code}


def command(*words: str | Path, cwd: Path) -> None:
    """Runs a command to its end; one that fails is an error with its output."""
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, capture_output=True
    )
    if done.returncode:
        raise SystemExit(f"{words} ended with {done.returncode}:\n{done.stdout.decode()}{done.stderr.decode()}")


def seconds(act: Callable[[], object]) -> Took:
    began, used = time.perf_counter(), cpu_seconds()
    act()
    return Took.of(time.perf_counter() - began, cpu_seconds() - used)


def cpu_seconds() -> float:
    """Of this process and of all its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def adopt_orphans() -> None:
    """From now on a process that outlives the command that started it becomes our child, so that its CPU can count."""
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("this kernel does not let us count the CPU time of orphans")


def await_orphans() -> None:
    with suppress(ChildProcessError):
        while True:
            os.wait()


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
    """One line a side: wall and CPU in ms, the spread, and multiples of the floor's."""
    width = max(map(len, found))
    base = found[floor]
    print(f"{'':<{width}}   wall ms  p10–p90 ms            CPU ms   wall ×   CPU ×   (× = {floor})")
    for name, took in found.items():
        low, high = spread(took)
        times = f"{median(took) / median(base):7.2f} {share(cpu(took), cpu(base)):7.2f}"
        print(f"{name:<{width}} {1000 * median(took):9.1f}  {1000 * low:8.1f} – {1000 * high:<8.1f} "
              f"{1000 * cpu(took):9.1f}  {times}")  # fmt: skip
    low, high = spread(base)
    if high > NOISY * low:
        troubles.append(f"{floor}: p90 is {high / low:.1f} × p10")
        print(f"TOO NOISY: {troubles[-1]}; nothing below is held or not held")


def spread(took: Sequence[float]) -> tuple[float, float]:
    """The 10th and the 90th percentile."""
    ordered = sorted(took)
    return ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]


def cpu(took: Sequence[float]) -> float:
    return median(getattr(each, "cpu_s", 0.0) for each in took)


def share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def promise(what: str, figure: float, limit: float, unit: str = "") -> None:
    """What we publish, and whether it held this time."""
    word = "too noisy" if troubles else "held" if figure < limit else "NOT HELD"
    print(f"{word}: {what}: {figure:.2f}{unit} (promised: < {limit:g}{unit})")
