"""An experiment of any length with a harness of a few milliseconds, and the bare loop it is held against."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.engine.opening import open_experiment
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.plans.folder import Home
from measured.rounds import CHECKOUT

SOURCE = "X={}\nprintf 'val_loss: %s\\n' $X\n"
HARNESS = ("sh", "train.sh")


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
    """One experiment below a folder, and the moments of its verdicts."""

    folder: Path
    changes: dict[str, Any]
    moments: list[float] = field(default_factory=list)

    @property
    def home(self) -> Home:
        return Home(self.folder / ".flagstone" / "experiments" / "loop", self.folder)

    def make(self) -> Loop:
        self.home.root.mkdir(parents=True)
        (self.folder / "train.sh").write_text(SOURCE.format(30_000))
        spec = {
            "goal": "measure the loop",
            "subject": {"mutable": ["train.sh"]},
            "harness": {"argv": list(HARNESS), "seconds": 60},
            "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
            "noise": "off",
            "sandbox": "off",
        }
        self.home.spec.write_text(yaml.safe_dump({**spec, **self.changes}))
        return self

    def run(self, count: int, nap_s: float = 0.0) -> list[float]:
        """Seconds between one verdict and the next."""
        opened = open_experiment(self.home, CHECKOUT / "schemas")
        self.moments = []
        with engine_of(opened, Steps(nap_s), lambda _: self.moments.append(time.perf_counter())) as engine:
            engine.run(count)
        return [after - before for before, after in zip(self.moments, self.moments[1:], strict=False)]


def bare(folder: Path, count: int) -> list[float]:
    """Seconds of each turn of a plain subprocess.run loop over the same harness, its log written to a file."""
    taken = []
    (folder / "train.sh").write_text(SOURCE.format(1))
    for _ in range(count):
        began = time.perf_counter()
        with open(folder / "bare.log", "wb") as log:
            subprocess.run(HARNESS, cwd=folder, stdout=log, stderr=subprocess.STDOUT, check=True)
        taken.append(time.perf_counter() - began)
    return taken
