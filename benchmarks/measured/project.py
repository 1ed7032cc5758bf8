"""A project root that exists for one benchmark only."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measured.rounds import CHECKOUT, PROGRAMS, command

FLOOR = CHECKOUT / "benchmarks" / "floor" / "Snakefile"
LINKED = ("Snakefile", "workflow", "config", "prompts", "schemas", "profiles", "src")
FLAGSTONE = PROGRAMS / "flagstone"
SNAKEMAKE = PROGRAMS / "snakemake"
# what profiles/default sets, for workflows that have no profile
AS_PROFILE = ("--max-jobs-per-timespan", "1000000/0s", "--scheduler", "greedy", "--rerun-incomplete")


@contextmanager
def throw_away_project() -> Iterator[Path]:
    """A root with links to this checkout's files and runs/ of its own; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="flagstone-bench-") as folder:
        root = Path(folder)
        for name in LINKED:
            (root / name).symlink_to(CHECKOUT / name)
        (root / "script.yaml").write_text('"*": {"*": instant}\n')
        yield root


def new_run(root: Path, name: str) -> Path:
    """A run whose agent answers at once."""
    words = ("--goal", "Is it fast?", "--agent", "scripted", "--set", f"scripted.script={root / 'script.yaml'}")
    command(FLAGSTONE, "new", name, *words, cwd=root)
    return root / "runs" / name


def finished_run(root: Path, name: str) -> Path:
    """A run with all eight stages built and approved."""
    run = new_run(root, name)
    command(FLAGSTONE, "run", name, "--yes", cwd=root)
    return run


def bare_chain(folder: Path, *words: str, has_params: bool = False) -> None:
    """Runs the chain of floor/Snakefile in a folder: from nothing, or over what is there."""
    folder.mkdir(exist_ok=True)
    settings = [f"python={PROGRAMS / 'python'}", *(["params=yes"] if has_params else [])]
    command(SNAKEMAKE, "-s", FLOOR, "-d", folder, "--cores", "2", *words, "--config", *settings, cwd=folder)


def emptied_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder
