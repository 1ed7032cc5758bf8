"""A person's repository and an experiment beside it, for tests of git subjects."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from flagstone.experiments.candidates.candidate import Snapshot
from flagstone.experiments.candidates.git.store import Store
from flagstone.experiments.candidates.subject import Subject, subject_of
from flagstone.plans.folder import Home
from flagstone.plans.spec import SubjectSpec

FILES = {
    "src/model.py": "lr = 1\n",
    "src/deep/er.py": "depth = 2\n",
    "eval.sh": "#!/bin/sh\necho 1\n",
    "README.md": "hello\n",
    ".gitignore": "data/\n*.log\n.env\n",
}
MUTABLE = ("src/**/*.py",)


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")
    done = subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def put(folder: Path, path: str, content: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(content)


def what_stands(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file, link and folder below, with its mode and its content or target."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(place, name)
            is_file = path.is_file() and not path.is_symlink()
            told = path.read_text(errors="surrogateescape") if is_file else ""
            told = os.readlink(path) if path.is_symlink() else told
            found[os.path.relpath(path, folder)] = (os.lstat(path).st_mode & 0o170777, told)
    return found


@dataclass(frozen=True)
class Beside:
    """A repository at `root / checkout`, the experiment at `root / home`."""

    root: Path
    mutable: tuple[str, ...] = MUTABLE
    scratch: tuple[str, ...] = ()
    immutable: tuple[str, ...] = ()
    uncommitted: Literal["sources", "none"] = "sources"
    at_head: bool = False

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def home(self) -> Home:
        return Home(self.root / "home", self.root)

    @property
    def draft(self) -> Path:
        return self.home.run("r0001").draft

    @cached_property
    def subject(self) -> Subject:
        spec = SubjectSpec(
            root=self.checkout,
            mutable=self.mutable,
            entry="",
            kind="git",
            scratch=self.scratch,
            immutable=self.immutable,
            uncommitted=self.uncommitted,
            at_head=self.at_head,
        )
        return subject_of(spec, Store(self.home.candidates))

    @cached_property
    def base(self) -> Snapshot:
        return self.subject.base()

    def make(self) -> Beside:
        self.checkout.mkdir(parents=True)
        self.home.root.mkdir()
        git(self.checkout, "init", "-q", "-b", "main")
        for path, content in FILES.items():
            put(self.checkout, path, content)
        (self.checkout / "eval.sh").chmod(0o755)
        self.commit()
        return self

    def commit(self) -> None:
        git(self.checkout, "add", "-A")
        git(self.checkout, "commit", "-q", "--allow-empty", "-m", "state")

    def varied(self, **fields: Any) -> Beside:
        return replace(self, **fields)

    def begin(self) -> Path:
        """A draft of the base."""
        self.subject.lay_out(self.base.tree, self.draft)
        return self.draft

    def take(self, number: int = 1) -> Snapshot:
        return self.subject.take(self.draft, self.base, "a note", number)

    def laid_out(self, tree: str) -> dict[str, tuple[int, str]]:
        """What a run would find."""
        folder = self.subject.place(self.home.run("r0002"), 0)
        self.subject.lay_out(tree, folder)
        return what_stands(folder)
