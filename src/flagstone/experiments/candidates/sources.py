"""Where candidates come from: which files make the base, what a run sees beside them, what runs write to."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.git import FILE, PROGRAM, Store, Tree
from flagstone.globs import matches
from flagstone.plans import ARGUMENTS_FILE, SOURCES, WORD_VALUES_FILE, Home, SubjectSpec

LONGEST_PATH = 300
# folders that training code writes to wherever it runs: each run gets its own, empty ones
SCRATCH = frozenset(
    ("outputs", "output", "out", "runs", "logs", "lightning_logs", "tb_logs", "checkpoints", "ckpt", "wandb", "mlruns")
)

# what a program can import or read as settings
SOURCE_NAMES = (*SOURCES, ".json", ".pyi", ".pyx", ".hpp", ".cc", ".c", ".cuh", ".j2", ".tmpl", ".gitignore")
LARGEST_SOURCE, MOST_SOURCE_BYTES, MOST_SOURCES = 1_000_000, 200_000_000, 20_000


@dataclass(frozen=True)
class Written:
    """What runs write to: whole `folders`, and files that `globs` name. `empty` folders stand there before a run."""

    folders: Set[str]
    globs: tuple[str, ...]
    empty: Set[str]

    def has_folder_of(self, path: str) -> bool:
        while path and path not in self.folders:
            path = path.rpartition("/")[0]
        return bool(path)

    def __contains__(self, path: str) -> bool:
        return self.has_folder_of(path) or matches(path, self.globs)


class Source(Protocol):
    """The two kinds of subject differ in this and in nothing else."""

    def base(self) -> tuple[str, str]:
        """The tree and the commit that everything starts from, stored."""
        ...

    def has_changed(self, base: Tree) -> bool:
        """Whether the project is not what a base was taken from."""
        ...

    def notices(self, base: Tree) -> tuple[str, ...]:
        """What a person should know of the tree that everything starts from."""
        ...

    def paths_beside(self, folders: Iterable[str]) -> Iterable[str]:
        """What these folders of the project contain, to be seen through links."""
        ...

    def links_within(self, tree: Tree) -> Mapping[str, str]:
        """Files of a tree whose content is elsewhere, and where: runs see it through links."""
        ...

    def scratch(self, tree: Tree) -> frozenset[str]:
        """The folders that runs write to, unless the spec names them."""
        ...

    def also_mutable(self, tree: Tree) -> frozenset[str]:
        """Files that may change though no glob names them."""
        ...


def written_by_runs(spec: SubjectSpec, source: Source, tree: Tree) -> Written:
    """What runs write to beside this tree. What is a file of the tree is never among it."""
    asked = frozenset(name.strip("/") for name in spec.scratch)
    files = frozenset(name for name in asked if (spec.root / name).is_file())
    folders = frozenset(name for name in (asked - files or source.scratch(tree)) if name not in tree.files)
    empty = frozenset(name for name in folders if name in asked or (spec.root / name).is_dir())
    globs = tuple(glob for output in (*spec.outputs, *files) for glob in (output, f"{output}/**"))
    return Written(folders, globs, empty)


def folders_of_outputs(root: Path, outputs: Iterable[str]) -> Iterator[str]:
    """The folders of the project that a run leaves files in. They have to be real ones."""
    for glob in outputs:
        above = re.split(r"[^/]*[*?\[]|[^/]*$", glob, maxsplit=1)[0].rstrip("/")
        if above and (root / above).is_dir():
            yield above


def results_in(paths: Iterable[str], spec: SubjectSpec) -> Iterator[str]:
    """The files that runs write anew: those of `scratch`, and outputs that are named without a pattern."""
    names = {
        *(name.strip("/") for name in spec.scratch),
        *(name for name in spec.outputs if not set(name) & set("*?[")),
    }
    for path in paths if names else ():
        if path in names or any(path.startswith(f"{name}/") for name in names):
            yield path


def links_of(root: Path, tree: Tree, folders: Set[str], names: Iterable[str], written: Written) -> Mapping[str, str]:
    """What is only linked beside a tree, and where it leads. `folders` are the real ones."""
    return {
        path: f"{root}/{path}"
        for path in names
        if path not in tree.files and path not in folders and path.rpartition("/")[0] in folders and path not in written
    }


def within_bounds(root: Path, paths: Iterable[str]) -> list[str]:
    """Of these files of a project those that are small, those near the top first, and not too many of them."""
    found, size = list[str](), 0
    for path in sorted(paths, key=lambda each: (each.count("/"), each)):
        status = os.lstat(root / path)
        if not stat.S_ISREG(status.st_mode) or status.st_size >= LARGEST_SOURCE:
            continue
        size += status.st_size
        if size > MOST_SOURCE_BYTES or len(found) >= MOST_SOURCES:
            break
        found.append(path)
    return found


def content_of(path: Path, most: int) -> tuple[str, bytes]:
    """Mode and content of a file."""
    status = path.stat()
    if status.st_size > most:
        raise FlagstoneError(f"{path} is too large to be edited", hint="name source files in subject.mutable")
    return PROGRAM if status.st_mode & 0o100 else FILE, path.read_bytes()


def own_files(spec: SubjectSpec, home: Path, is_of_project: Callable[[str], bool]) -> dict[str, tuple[str, bytes]]:
    """Mode and content of each file of the experiment's own. None may have the name of a file of the project."""
    found = {WORD_VALUES_FILE: (FILE, spec.arguments_file)} if spec.arguments else {}
    top = Home(home, home).own
    if top.is_dir():
        paths = (path for path in sorted(top.rglob("*")) if path.is_file() and not path.is_symlink())
        found |= {path.relative_to(top).as_posix(): content_of(path, LARGEST_SOURCE) for path in paths}
    for path in found:
        if path != WORD_VALUES_FILE and is_of_project(path):
            raise FlagstoneError(
                f"{top / path} has the name of a file of the project", hint=f"rename {spec.root / path} in the project"
            )
    return found


def argument_problems(spec: SubjectSpec, store: Store, tree: Tree) -> Iterator[str]:
    """What is wrong with the arguments that a candidate sets for the command."""
    if spec.command_arguments:
        blob = tree.files.get(ARGUMENTS_FILE)
        yield from spec.command_arguments.problems(store.content(blob.sha) if blob else b"")


def first_few(paths: list[str]) -> str:
    """A few of them, and how many more."""
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(paths[:5]) + more


def printable_path(path: str) -> str:
    """A path as it can be printed and stored, whatever is in it."""
    is_plain = path.isprintable() and path == path.strip()
    text = path if is_plain else ascii(path)
    return text if len(text) <= LONGEST_PATH else f"{text[:LONGEST_PATH]}…"
