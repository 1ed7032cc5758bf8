"""Experiments of any length whose harness takes a few milliseconds, and the bare loops they are held against."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flagstone.cli.jobs.owner import owner_of
from flagstone.experiments.engine.engine import Engine, engine_of
from flagstone.experiments.engine.opening import open_experiment
from flagstone.experiments.proposers.protocol import Proposed, Proposer, View
from flagstone.plans.folder import Home
from measured.rounds import CHECKOUT, Took, cpu_seconds

SOURCE = "X={}\nprintf 'val_loss: %s\\n' $X\n"
HARNESS = ("sh", "train.sh")
# an agent whose every edit is better than all before it
AGENT = """#!/bin/sh
. ./train.sh >/dev/null
printf "X=%s\\nprintf 'val_loss: %%s\\\\\\\\n' \\$X\\n" $((X - 1)) > train.sh
echo "one less"
"""
SEARCH = {
    "proposer": "search",
    "search": {"parameters": {"X": {"low": 0.0, "high": 4.0}}},
    "subject": {"mutable": ["x.py"]},
    "harness": {"argv": ["sh", "-c", '. ./x.py; echo "val_loss: $X"'], "seconds": 60},
}


@dataclass(frozen=True)
class Steps:
    """A proposer that costs nothing: each run sets X once; `nap_s` stands for an agent that thinks."""

    nap_s: float = 0.0

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        time.sleep(self.nap_s)
        (draft / "train.sh").write_text(SOURCE.format(value_of(view.number)))
        return Proposed(note=f"X {view.number}")


def value_of(number: int) -> float:
    """Better now and then, as a real loop is: every fiftieth run is a gain."""
    return 10_000 - number if number % 50 == 0 else 20_000 + number


@dataclass
class Loop:
    """One experiment below a folder, and the moments of its verdicts, in wall and CPU seconds."""

    folder: Path
    changes: dict[str, Any]
    moments: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)

    @property
    def home(self) -> Home:
        return Home(self.folder / ".flagstone" / "experiments" / "loop", self.folder)

    def make(self) -> Loop:
        self.home.root.mkdir(parents=True)
        (self.folder / "train.sh").write_text(SOURCE.format(30_000))
        (self.folder / "x.py").write_text("X=1.0\n")
        agent = self.folder / "agent.sh"
        agent.write_text(AGENT)
        agent.chmod(0o755)
        spec = {
            "goal": "measure the loop",
            "subject": {"mutable": ["train.sh"]},
            "harness": {"argv": list(HARNESS), "seconds": 60},
            "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
            "noise": "off",
            "sandbox": "off",
            "agent": {"driver": "command", "options": {"argv": [str(agent)]}},
        }
        self.home.spec.write_text(yaml.safe_dump({**spec, **self.changes}))
        return self

    @contextmanager
    def opened(self, proposer: Proposer | None = None) -> Iterator[Engine]:
        """The engine of this experiment; without a proposer it has the one that its spec names."""
        opened, owner = open_experiment(self.home, CHECKOUT / "schemas"), owner_of(self.folder)
        asked = proposer or owner.proposer(opened.spec)
        with engine_of(opened, asked, self.note, owner.accounts(self.home)) as engine:
            yield engine

    def note(self, _: str) -> None:
        self.moments.append(time.perf_counter())
        self.used.append(cpu_seconds())

    def run(self, count: int, proposer: Proposer | None = None) -> list[float]:
        """Seconds between one verdict and the next."""
        self.moments, self.used = [], []
        with self.opened(proposer) as engine:
            engine.run(count)
        return [
            Took.of(self.moments[number] - self.moments[number - 1], self.used[number] - self.used[number - 1])
            for number in range(1, len(self.moments))
        ]


def bare(folder: Path, count: int, *programs: Sequence[str]) -> list[float]:
    """Seconds of each turn of a plain subprocess.run loop over the same programs, their output written to a file."""
    taken: list[float] = []
    (folder / "train.sh").write_text(SOURCE.format(100_000))
    for _ in range(count):
        began, used = time.perf_counter(), cpu_seconds()
        with open(folder / "bare.log", "wb") as log:
            for argv in programs or (HARNESS,):
                subprocess.run(argv, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=True)
        taken.append(Took.of(time.perf_counter() - began, cpu_seconds() - used))
    return taken
