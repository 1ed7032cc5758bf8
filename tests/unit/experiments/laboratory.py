"""A small project with an experiment in it, and proposers that do exactly what a test says."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flagstone.experiments.engine.engine import engine_of
from flagstone.experiments.engine.opening import OpenedExperiment, open_experiment
from flagstone.experiments.engine.step import run_step
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.ledger import entries_of
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.plans.folder import Home

ROOT = Path(__file__).resolve().parents[3]
TRAIN = """import os

X = 1.0
NOTE = ""
import prepare
loss = (X - 3) ** 2 + prepare.OFFSET
print(f"val_loss: {loss}")
"""
MUTATIONS = {"os.rename", "os.mkdir", "os.remove", "os.symlink", "os.link", "os.rmdir", "shutil.rmtree"}

Edit = Callable[[Path], str | None]


def set_x(value: float) -> Edit:
    """The edit that sets X."""

    def edit(draft: Path) -> str:
        path = draft / "train.py"
        lines = [f"X = {value}" if line.startswith("X =") else line for line in path.read_text().splitlines()]
        path.write_text("\n".join(lines) + "\n")
        return f"X {value}"

    return edit


def whole(source: str) -> Edit:
    """The edit that writes another train.py."""

    def edit(draft: Path) -> str:
        (draft / "train.py").write_text(source)
        return "another file"

    return edit


@dataclass
class Edits:
    """A proposer with one edit a run; it remembers what it was asked and shown."""

    edits: Mapping[int, Edit]
    asked: list[int] = field(default_factory=list)
    views: list[View] = field(default_factory=list)

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        self.asked.append(view.number)
        self.views.append(view)
        edit = self.edits.get(view.number)
        if edit is None:
            return Proposed(failure="no edit left", facts={"exhausted": True})
        return Proposed(note=edit(draft) or "")


@dataclass
class Laboratory:
    """One project and one experiment below a folder."""

    folder: Path
    files: Mapping[str, str] = field(default_factory=lambda: {"train.py": TRAIN, "prepare.py": "OFFSET = 0.5\n"})
    said: list[str] = field(default_factory=list)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def home(self) -> Home:
        return Home(self.project / ".flagstone" / "experiments" / "one", self.project)

    def make(self, **changes: Any) -> Laboratory:
        """Writes the project and the spec; `changes` are whole top-level keys of it."""
        for name, text in self.files.items():
            target = self.project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        spec: dict[str, Any] = {
            "goal": "less loss",
            "subject": {"mutable": ["train.py"]},
            "harness": {"argv": [sys.executable, "train.py"], "seconds": 30},
            "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
            "noise": "off",
            "sandbox": "off",
        }
        self.home.root.mkdir(parents=True, exist_ok=True)
        self.home.spec.write_text(yaml.safe_dump({**spec, **changes}))
        return self

    def open(self) -> OpenedExperiment:
        return open_experiment(self.home, ROOT / "schemas")

    def run(self, edits: Edits | None = None, limit: int | None = None) -> str:
        """Runs the loop; what ended it."""
        with engine_of(self.open(), edits, self.said.append) as engine:
            return engine.run(limit)

    def step(self, note: str = "") -> Entry:
        with engine_of(self.open(), None, self.said.append) as engine:
            return run_step(engine, note)

    def entries(self) -> list[Entry]:
        return list(entries_of(self.home.ledger))

    def words(self) -> list[tuple[str, str, str]]:
        return [(each.run_id, each.status, each.verdict) for each in self.entries()]

    def copy(self, name: str) -> Laboratory:
        """The same laboratory, begun or not, elsewhere."""
        there = Laboratory(self.folder.parent / name, self.files)
        shutil.copytree(self.folder, there.folder, symlinks=True)
        return there


def killed_at(moment: int, work: Callable[[], object]) -> bool:
    """Does work in a child that is killed at its n-th change of the file system; whether it got that far."""
    pid = os.fork()
    if pid == 0:
        count = 0

        def hook(event: str, _: tuple[object, ...]) -> None:
            nonlocal count
            if event in MUTATIONS:
                count += 1
                if count == moment:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(hook)
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)
