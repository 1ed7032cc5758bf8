"""The files of a project: which are sources, which are tests, and how its programs are called."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.globs import matches

PYTHON = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", ".coveragerc", "ruff.toml", ".ruff.toml")
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
MANIFESTS = (*PYTHON, *MAKEFILES, "package.json", "Cargo.toml", "go.mod")
LARGEST = 1_000_000
# how tests are told from sources, each with the glob of what is like it
TESTS = (
    (re.compile(r"((?:.*/)?(?:tests?|__tests__|spec))/"), r"\1/**"),
    (re.compile(r"(?:.*/)?test_[^/]*(\.\w+)\Z"), r"**/test_*\1"),
    (re.compile(r"(?:.*/)?[^/]*(_test|\.test|\.spec)(\.\w+)\Z"), r"**/*\1\2"),
    (re.compile(r"(?:.*/)?conftest\.py\Z"), "**/conftest.py"),
)
CONFTEST = "conftest.py"
# programs that say how the project is tested, checked and built: who changes them changes the number
SETUPS = re.compile(r"(?:\.[^/]*|[^/]*\.config|setup|noxfile|tasks)\.\w+\Z")


@dataclass(frozen=True)
class SourceTree:
    """The files that git knows in one folder of a repository. Paths are relative to that folder."""

    root: Path
    paths: tuple[str, ...]

    def text(self, *names: str) -> str:
        """What is in those of these files that there are."""
        return "\n".join(text_in(self.root / name) for name in names if name in self.paths)

    @cached_property
    def python_settings(self) -> str:
        requirements = (path for path in self.paths if re.match(r"requirements[^/]*(/[^/]*)?\.txt\Z", path))
        return self.text(*PYTHON, *requirements)

    def program(self, name: str) -> str:
        """How a program is called: the one that the project has installed for itself comes first."""
        places = (f"{folder}/bin/{name}" for folder in (".venv", "venv"))
        return next((place for place in places if (self.root / place).exists()), name)

    def has_program(self, name: str) -> bool:
        return self.program(name) != name or shutil.which(name) is not None

    def sources(self, *endings: str) -> tuple[str, ...]:
        """Globs of the files with these endings that are no tests, and set up none."""
        own = (path for path in self.paths if ending_of(path) in endings and not SETUPS.match(path))
        return globs_of(path for path in own if not test_glob(path))

    def tests(self, *endings: str) -> tuple[str, ...]:
        """Globs of the tests, and of what stands beside them in their folder."""
        tests = (path for path in self.paths if ending_of(path) in endings and not path.endswith(CONFTEST))
        return tuple(sorted({test_glob(path) for path in tests} - {""}))

    def tests_among(self, globs: Iterable[str]) -> tuple[str, ...]:
        """Globs of the tests that are named by globs of sources, because they stand among these."""
        wanted = tuple(globs)
        found = {test_glob(path) for path in self.paths if matches(path, wanted)}
        return tuple(sorted(found - {""}))


def test_glob(path: str) -> str:
    """The glob of a test and its like. Returns '' if it is no test."""
    found = ((pattern.match(path), glob) for pattern, glob in TESTS)
    return next((each.expand(glob) for each, glob in found if each), "")


def ending_of(path: str) -> str:
    return path.rpartition(".")[2]


def globs_of(paths: Iterable[str]) -> tuple[str, ...]:
    """One glob for each folder at the top and each ending; a file at the top is named itself."""
    found = {f"{path.partition('/')[0]}/**/*.{ending_of(path)}" if "/" in path else path for path in paths}
    return tuple(sorted(found))


def text_in(path: Path) -> str:
    """The beginning of a file. Returns '' if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(LARGEST)
    except OSError:
        return ""


def tree_around(repository: Path, here: Path, paths: Iterable[str]) -> tuple[str, SourceTree]:
    """The project around a folder, after its path: the nearest folder with a manifest, or else the top."""
    every = tuple(paths)
    folder = os.path.relpath(here, repository) if here.is_relative_to(repository) else "."
    while folder != "." and not any(f"{folder}/{name}" in every for name in MANIFESTS):
        folder = os.path.dirname(folder) or "."
    prefix = "" if folder == "." else f"{folder}/"
    inner = tuple(path[len(prefix) :] for path in every if path.startswith(prefix))
    return prefix, SourceTree(repository / folder, inner)
