"""A folder that looks like the project: links to what stays as it is, own copies of what may change."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.globs import matches

# folders that training code writes to wherever it runs: each run gets its own, empty ones
SCRATCH = frozenset(
    ("outputs", "output", "out", "runs", "logs", "lightning_logs", "tb_logs", "checkpoints", "ckpt", "wandb", "mlruns")
)
LEFT_OUT = frozenset(
    (".git", ".hg", ".svn", ".flagstone", ".autoresearch", ".snakemake", "__pycache__", ".pytest_cache", ".mypy_cache")
)


@dataclass(frozen=True)
class Overlay:
    """The project at `root`, in which these files (by their relative paths) are our own. Runs write to `scratch`, which
    are folders, and to `outputs`, which are globs of files."""

    root: Path
    own: frozenset[str]
    scratch: frozenset[str]
    outputs: tuple[str, ...] = ()

    @cached_property
    def folders(self) -> Set[str]:
        """Every folder that has to be a real one, because something of ours lies below it."""
        found = {""}
        for path in (*self.own, *self.places_of_outputs, *(f"{name}/." for name in self.scratch)):
            parts = path.split("/")[:-1]
            found |= {"/".join(parts[: count + 1]) for count in range(len(parts))}
        return found

    @property
    def places_of_outputs(self) -> Iterator[str]:
        """Where in the project they may lie: such a folder has to be a real one, and the rest of it is linked."""
        for glob in self.outputs:
            above = re.split(r"[^/]*[*?\[]|[^/]*$", glob, maxsplit=1)[0]
            if above and (self.root / above).is_dir():
                yield f"{above}."

    def is_output(self, path: str) -> bool:
        return path not in self.own and matches(path, self.outputs)

    def is_scratch(self, path: str) -> bool:
        """Whether a path lies in a folder that runs write to, or is a leftover of one."""
        parts = path.split("/")
        below = any("/".join(parts[: count + 1]) in self.scratch for count in range(len(parts)))
        return below or self.is_output(path) or bool(LEFT_OUT & set(parts)) or path.endswith(".pyc")

    def links(self) -> Iterator[tuple[str, str]]:
        """What is linked and where it points: all that stands in a folder of ours and is not ours."""
        for folder in sorted(self.folders):
            place = self.root / folder
            try:
                names = sorted(os.listdir(place))
            except OSError:
                continue
            for name in names:
                path = f"{folder}/{name}" if folder else name
                if path in self.own or path in self.folders or name in LEFT_OUT or self.is_scratch(path):
                    continue
                yield path, str(place / name)

    def lay_out(self, folder: Path, links: Mapping[str, str]) -> None:
        """Folders and links, in an empty folder."""
        for name in sorted((self.folders | self.scratch) - {""}):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for path, target in links.items():
            os.symlink(target, folder / path)


def default_scratch(root: Path) -> frozenset[str]:
    """Of the folders that training code is known to write to, those that the project has."""
    return frozenset(name for name in SCRATCH if (root / name).is_dir())


def walked(folder: Path, above: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Everything below a folder but the folders themselves, no link followed."""
    for entry in sorted(os.scandir(folder / above), key=lambda each: each.name):
        path = f"{above}/{entry.name}" if above else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from walked(folder, path)
        else:
            yield path, entry.stat(follow_symlinks=False)


def stray(folder: Path, links: Mapping[str, str], found: Mapping[str, os.stat_result]) -> Iterator[str]:
    """What was changed of that which only stands there as a link, in words."""
    for path, target in links.items():
        status = found.get(path)
        if status is None and not (folder / path).is_dir():
            yield f"{path} was removed"
        elif status is None or not stat.S_ISLNK(status.st_mode):
            yield f"{path} was replaced"
        elif os.readlink(folder / path) != target:
            yield f"{path} was made to point elsewhere"


def emptied(folder: Path) -> None:
    """An empty folder in this place; no link is followed."""
    if is_empty_folder(folder):
        return
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    if folder.exists():
        shutil.rmtree(folder, onerror=unlocked)
    folder.mkdir(parents=True)


def is_empty_folder(folder: Path) -> bool:
    """Whether such a folder stands there already, open to us: a run mostly leaves its own as it was."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.fstat(handle).st_mode & 0o700 == 0o700 and not os.listdir(handle)
    finally:
        os.close(handle)


def unlocked(remove: Callable[[str], object], path: str, _: object) -> None:
    """A folder that was made read-only does not stop us from removing what is in it."""
    os.chmod(os.path.dirname(path), 0o700)
    if os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
        shutil.rmtree(path)
    else:
        os.unlink(path)
