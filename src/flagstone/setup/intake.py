"""What a person brings to a new run: the goal, resources, and answers to a few questions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.records import digest_file, digest_value

KINDS = {
    "literature": (".pdf", ".bib", ".bibtex"),
    "code": (".py", ".ipynb", ".r", ".jl", ".sh", ".js", ".ts", ".cpp", ".c", ".h", ".java", ".go", ".rs"),
    "data": (".json", ".jsonl", ".csv", ".tsv", ".parquet", ".yaml", ".yml", ".npz", ".npy"),
    "notes": (".md", ".txt", ".rst", ".org"),
    "writing": (".tex",),
}
QUESTIONS = (
    ("What would count as success?", "Success"),
    ("What is known already, and what has been tried?", "Known so far"),
    ("What may it cost: hardware, hours, money?", "Means"),
    ("What must not be done, or is out of scope?", "Out of scope"),
)


@dataclass(frozen=True)
class Resource:
    """One file or folder given to a new run, and the path of its copy."""

    path: str
    kind: str
    digest: str
    source: str


def check_resources(paths: Iterable[Path]) -> None:
    """Refuses resources that cannot be read, before anything is created."""
    for path in paths:
        if not path.exists():
            raise FlagstoneError(f"there is no resource {path}", hint="check the path given with --resource")
        if not os.access(path, os.R_OK):
            raise FlagstoneError(f"the resource {path} cannot be read", hint=f"make it readable: chmod +r {path}")
        if not path.is_file() and not path.is_dir():
            raise FlagstoneError(
                f"the resource {path} is neither a file nor a folder", hint="give a file or a folder instead"
            )


def kind_of(path: Path) -> str:
    """The kind of a resource: of a file by its ending, of a folder by whether it contains code."""
    if path.is_dir():
        return "code" if any(path.glob("**/*.py")) or any(path.glob("**/*.ipynb")) else "artifacts"
    return next((kind for kind, endings in KINDS.items() if path.suffix.lower() in endings), "artifacts")


def take_in(run: Run, paths: Iterable[Path]) -> list[Resource]:
    """Copies resources into the workspace; a second one of the same name gets a number."""
    taken = []
    for path in paths:
        kind = kind_of(path)
        target = free_name(run.workspace / kind / path.resolve().name)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy_resource(path, target)
        except OSError as error:
            why = error.strerror or str(error)
            raise FlagstoneError(
                f"the resource {path} cannot be copied: {why}", hint="make it readable and try again"
            ) from error
        taken.append(Resource(run.relative(target), kind, digest_of(target), str(path)))
    return taken


def copy_resource(source: Path, target: Path) -> None:
    """A plain copy; links within a folder that lead out of it are left behind."""
    if source.is_file():
        shutil.copyfile(source, target)
        return
    top = source.resolve()

    def links_outside(folder: str, names: list[str]) -> list[str]:
        whole = ((name, os.path.realpath(os.path.join(folder, name))) for name in names)
        return [name for name, real in whole if not real.startswith(f"{top}{os.sep}") or not os.path.exists(real)]

    shutil.copytree(source, target, symlinks=True, ignore=links_outside)


def free_name(path: Path) -> Path:
    numbered = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(each for each in chain([path], numbered) if not each.exists())


def digest_of(path: Path) -> str:
    if path.is_file():
        return digest_file(path)
    files = sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
    return digest_value([[each.relative_to(path).as_posix(), digest_file(each)] for each in files])


def brief_text(goal: str, resources: Iterable[Resource], answers: Iterable[tuple[str, str]]) -> str:
    """brief.md: the goal word for word, then what came with it."""
    lines = ["# Brief", "", "## Goal", "", goal.strip(), ""]
    for title, answer in answers:
        if answer.strip():
            lines += [f"## {title}", "", answer.strip(), ""]
    rows = [
        f"- `{each.path}` ({each.kind}; handed over as {Path(each.source).name}; sha256 {each.digest[:16]})"
        for each in resources
    ]
    if rows:
        lines += ["## Resources", "", *rows, ""]
    return "\n".join(lines)
