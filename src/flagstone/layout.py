"""The project root, and the name of every path below runs/<run>/."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError

WORKSPACE_FOLDERS = ("literature", "code", "data", "results", "writing", "figures", "artifacts", "notes", "reviews")
INDEX_KINDS = ("data", "results", "figures")
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
PLAN_FILE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.ya?ml\Z")
CREATED_AT = re.compile(rb"""^created_at:\s*["']?([0-9TZ:.+-]+)""", re.MULTILINE)


def state_folder() -> Path:
    """Where the lists and logs of a person are: $XDG_STATE_HOME/flagstone."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # a relative path would be another folder for every command
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state") / "flagstone"


def path_below(*names: str) -> cached_property[Path]:
    """A path below the `root` of its owner. It is put together once: gates ask for the same few again and again."""
    return cached_property(lambda owner: owner.root.joinpath(*names))


@dataclass(frozen=True)
class Project:
    """A checkout of Flagstone: where the Snakefile, the configuration and the runs are."""

    root: Path
    runs_dir: Path

    snakefile = path_below("Snakefile")
    config = path_below("config")
    prompts = path_below("prompts")
    schemas = path_below("schemas")

    def run(self, name: str) -> Run:
        return Run(self.runs_dir / name)

    def run_names(self) -> list[str]:
        """Every run below runs/, oldest first (a run is a folder that contains a run.yaml)."""
        if not self.runs_dir.is_dir():
            return []
        found = []
        with os.scandir(self.runs_dir) as entries:
            for entry in entries:
                made_at = created_at(entry.path) if RUN_NAME.match(entry.name) else None
                if made_at is not None:
                    found.append((made_at, entry.name))
        return [name for _, name in sorted(found)]


@dataclass(frozen=True)
class Run:
    """The paths of one run. `key` is a stage's number and name, such as `03_study_design`."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @cached_property
    def known_paths(self) -> dict[tuple[str, ...], Path]:
        return {}

    def below(self, *names: str) -> Path:
        """A path below the run, put together once."""
        found = self.known_paths.get(names)
        if found is None:
            found = self.known_paths[names] = self.root.joinpath(*names)
        return found

    settings = path_below("run.yaml")
    brief = path_below("brief.md")
    pinned = path_below("pinned")
    approved = path_below("approved")
    seals = path_below("approved", "seals.jsonl")
    waivers = path_below("approved", "waivers.jsonl")
    aborted = path_below("aborted")
    workspace = path_below("workspace")
    writing = path_below("workspace", "writing")
    # what Flagstone itself makes of the paper: no agent may write there
    paper = path_below("paper")
    references_lock = path_below("paper", "refs.lock.json")
    plans = path_below("workspace", "experiments")
    experiments = path_below("experiments")
    memory = path_below("memory.md")
    manifest = path_below("manifest.json")
    report = path_below("report.html")
    # what a campaign came to, on one page
    outcome = path_below("summary.md")
    logs = path_below("logs")
    lock = path_below(".lock")
    digest_cache = path_below(".snakemake", "flagstone", "digests.json")
    last_profile = path_below(".snakemake", "flagstone", "profile.json")
    # which bundle was packed when every stage was approved
    packed = path_below("bundle", "packed.json")

    @property
    def bundle(self) -> Path:
        return self.below("bundle", f"{self.name}.zip")

    def block(self, name: str, number: str) -> Path:
        return self.below("experiments", name, "blocks", f"{number}.json")

    def flag(self, nr: str) -> Path:
        return self.approved / f"{nr}.flag"

    def feedback(self, nr: str) -> Path:
        return self.below("feedback", f"{nr}.md")

    def redo(self, nr: str) -> Path:
        return self.below("redo", nr)

    def summary(self, key: str) -> Path:
        return self.below("stages", f"{key}.md")

    def offer(self, key: str) -> Path:
        return self.below("stages", f"{key}.json")

    def drafts(self, nr: str) -> Path:
        return self.below("drafts", nr)

    def history(self, nr: str) -> Path:
        return self.below("history", nr)

    def handoff(self, nr: str) -> Path:
        return self.below("handoff", f"{nr}.md")

    def index(self, kind: str) -> Path:
        return self.below("index", f"{kind}.json")

    def relative(self, path: Path) -> str:
        """How a path is written in records: relative to the run, with forward slashes."""
        return path.relative_to(self.root).as_posix()


def created_at(run_root: str) -> str | None:
    """When a run was made, as its run.yaml says (mtimes do not survive a clone). Returns None if it has none."""
    try:
        with open(os.path.join(run_root, "run.yaml"), "rb", buffering=0) as settings:
            found = CREATED_AT.search(settings.read(65_536))
    except OSError:
        return "" if os.path.isfile(os.path.join(run_root, "run.yaml")) else None
    return found.group(1).decode() if found else ""


def sealed_folders(starts: Iterable[Path]) -> tuple[Path, ...]:
    """The folders with confirmation seeds of all trials of the runs and projects that these paths lie in."""
    reals = [Path(os.path.realpath(start)) for start in starts]
    found: dict[str, None] = {}
    for folder in dict.fromkeys(place for real in reals for place in (real, *real.parents)):
        for place in places_of_trials(folder):
            pattern = f"{glob.escape(str(folder))}/{place}/*/sealed"
            found |= dict.fromkeys(map(os.path.normpath, glob.glob(pattern)))
    return tuple(map(Path, found))


def places_of_trials(folder: Path) -> Iterator[str]:
    """Where there may be trials: in most folders nowhere. This is asked before every run of an experiment."""
    yield from (place for place in ("trials", ".flagstone/trials") if os.path.isdir(f"{folder}/{place}"))
    if os.path.isfile(f"{folder}/run.yaml"):
        yield "../*/trials"
    # the runs of an experiment are others, and may be thousands
    is_experiment = folder.parent.name == "experiments" and os.path.isfile(f"{folder}/experiment.yaml")
    if os.path.isdir(f"{folder}/runs") and not is_experiment:
        yield "runs/*/trials"


def is_project_root(folder: Path) -> bool:
    return (folder / "Snakefile").is_file() and (folder / "config" / "stages.yaml").is_file()


def shipped_files() -> Path:
    """Where Snakefile, rules, prompts, schemas and profiles are: in the checkout, or in the installed package."""
    package = Path(__file__).resolve().parent
    return package / "shipped" if is_project_root(package / "shipped") else package.parents[1]


def project_root(starts: Iterable[Path]) -> Path:
    """The first checkout found from any of the starting points upwards."""
    for start in starts:
        for folder in (start, *start.parents):
            if is_project_root(folder):
                return folder
    raise FlagstoneError(
        "no Flagstone project here: neither this folder nor one above it contains Snakefile and config/stages.yaml",
        hint="cd into it, or name it: flagstone --project DIR …; to make one: flagstone init DIR",
    )
