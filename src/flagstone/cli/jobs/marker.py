"""Which sessions `snakemake marker_results --config marker=PATH:NAME,…` runs, and what each of them needs."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.markers import Marker, MarkerFolder, marker_named, read_markers, repository_called, status_of

DAY_MIN = 24 * 60
SPARE_MIN = 10  # to start, to load and to write down


def next_tables(words: str, here: Path) -> list[str]:
    """The file that the next session makes, of each marker that is asked for. Paths are read from `here`."""
    found = [str(next_table(marker)) for word in words.split(",") for marker in asked_markers(word.strip(), here)]
    if found:
        return found
    problem = "no marker that is named is active" if words else "no marker is named"
    raise FlagstoneError(problem, hint="snakemake marker_results --cores 4 --config marker=PATH:NAME,…")


def asked_markers(word: str, here: Path) -> Iterator[Marker]:
    """The marker PATH:NAME, or every active one of PATH."""
    place, _, name = word.rpartition(":") if ":" in word else (word, "", "")
    if name:
        yield marker_named(repository_called(as_path(place, here), here), name)
    elif place:
        found = read_markers(repository_called(as_path(place, here), here)).markers
        yield from (each for each in found if status_of(each) == "active")


def as_path(word: str, here: Path) -> str:
    """A folder that is there is meant as one; any other word is the name of a known repository."""
    return f"./{word}" if not os.path.isabs(word) and (here / word).is_dir() else word


def next_table(marker: Marker) -> Path:
    """Where the next session leaves the results so far: the first number that no session has used."""
    folder, number = MarkerFolder.of(marker.repository, marker.name).tables, 1
    while (folder / f"{number}.tsv").exists():
        number += 1
    return folder / f"{number}.tsv"


def session_needs(repository: str, name: str) -> Mapping[str, int]:
    """Threads, GPUs and minutes of one session. A scheduler ends what takes longer; the next session goes on there."""
    marker = marker_named(Path(repository), name)
    threads = max(1, marker.loop.parallel)
    wall_s = marker.loop.budgets.wall_s
    longest = DAY_MIN if wall_s is None else math.ceil(wall_s / 60)
    return {"threads": threads, "gpu": int(marker.run.get("gpus", 0)) * threads, "runtime": SPARE_MIN + longest}
