"""Which files of a run belong to its bundle, and what each of them is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flagstone.globs import matches
from flagstone.layout import Run

STORES = ("experiments/*/candidates.git/**", "trials/*/trees.git/**")
# of a git repository its objects and names alone: git would run what its settings and hooks name
OF_STORES = (
    "**/*.git/objects/[0-9a-f][0-9a-f]/*",
    "**/*.git/objects/pack/*",
    "**/*.git/refs/**",
    "**/*.git/packed-refs",
)
ROLES: Mapping[str, tuple[str, ...]] = {
    "question": ("brief.md", "run.yaml", "feedback/*.md"),
    "instructions": ("pinned/**",),
    "decisions": ("approved/*.jsonl",),
    "stages": ("stages/*", "index/*.json", "drafts/*/*/checks.json"),
    "transcripts": ("drafts/*/*/**",),
    "calls": ("logs/agents.jsonl", "logs/inflight/**"),
    "readiness": ("bundle/readiness.*",),
    "paper": ("paper/**", "workspace/writing/**", "workspace/artifacts/**"),
    "code": ("workspace/code/**", *STORES),
    "data": ("workspace/data/**",),
    "results": ("workspace/results/**",),
    "figures": ("workspace/figures/**",),
    "notes": ("workspace/**",),
    "experiments": ("experiments/**",),
    "trials": ("trials/**",),
}
LEFT_OUT = (
    *("**/__pycache__/**", "**/.venv/**", "**/node_modules/**", "**/lock", "**/.lock", "**/.*.new"),
    *(f"experiments/*/{name}/**" for name in ("trees", "work", "state", "private", "hidden", "bests", "aside")),
    *(f"experiments/*/{name}" for name in ("drive.json", "step.json", "step.log", "unclean.json", "stop")),
    *(f"trials/*/{name}/**" for name in ("trees", "locks", "state", "logs", "private", "facts/cache")),
    *(f"{runs}/{name}/**" for runs in ("experiments/*/runs/*", "trials/*/runs/*") for name in ("tree", "draft")),
    *("experiments/*/runs/*/checkpoint/**", "workspace/writing/build/**", "trials/*.lock"),
)
# what an agent was asked and answered: of these the bundle holds the digests, and the texts only on request
TRANSCRIPTS = (
    *("drafts/*/*/**", "trials/*/ideas/*/*/[0-9]*/**", "experiments/*/runs/*/agent/**"),
    *("experiments/*/runs/*/prompt.md", "experiments/*/runs/*/transcript.jsonl", "experiments/*/runs/*/events.log"),
)
NO_TRANSCRIPT = ("drafts/*/*/checks.json", "trials/*/ideas/*/*/*/answer.json")
SEALED = ("trials/*/sealed/**",)


@dataclass(frozen=True)
class PackedFile:
    """One file of the bundle: its path in the run, which is its path in the bundle too, and what it is."""

    path: str
    role: str
    size: int

    @property
    def is_transcript(self) -> bool:
        return matches(self.path, TRANSCRIPTS) and not matches(self.path, NO_TRANSCRIPT)


def parts_of(run: Run) -> list[PackedFile]:
    """Every file of a run that belongs to its bundle, in the order of their paths."""
    return sorted(walk_parts(run), key=lambda part: part.path)


def walk_parts(run: Run) -> Iterator[PackedFile]:
    """Follows no links: what they lead to is in the bundle under its own name, or is not of the run."""
    top = os.fspath(run.root)
    for folder, folders, names in os.walk(top):
        below = os.path.relpath(folder, top)
        prefix = "" if below == "." else f"{below}/"
        folders[:] = [name for name in folders if may_hold_parts(run, f"{prefix}{name}")]
        for name in names:
            path = f"{prefix}{name}"
            role = role_of(path)
            status = os.lstat(os.path.join(folder, name)) if role else None
            if status and stat.S_ISREG(status.st_mode):
                yield PackedFile(path, role, status.st_size)


def may_hold_parts(run: Run, folder: str) -> bool:
    """Whether to look into a folder. The confirmation seeds of a trial are secret until its verdict."""
    inside = f"{folder}/."
    if matches(inside, SEALED):
        return (run.root / folder).parent.joinpath("verdict.json").is_file()
    is_wanted = folder.split("/")[0] in {glob.split("/")[0] for globs in ROLES.values() for glob in globs}
    return is_wanted and not matches(inside, LEFT_OUT)


def role_of(path: str) -> str:
    """What a file of a run is. Returns '' if it does not belong to the bundle."""
    if matches(path, LEFT_OUT) or not is_harmless(path):
        return ""
    return next((role for role, globs in ROLES.items() if matches(path, globs)), "")


def is_harmless(path: str) -> bool:
    """Whether a bundle may hold a file of this name, for all that git makes of it."""
    is_of_git = any(part.lower().endswith(".git") for part in path.split("/"))
    return not is_of_git or (matches(path, STORES) and matches(path, OF_STORES))


def stores_of(run: Run) -> list[Path]:
    """The repositories with the code of candidates and arms."""
    return sorted(path for glob in STORES for path in run.root.glob(glob.removesuffix("/**")))
