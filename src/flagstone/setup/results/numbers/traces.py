"""The names of numbers in what earlier runs have left: wandb, TensorBoard, CSV and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from flagstone.metrics import read_event_ends
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.numbers.metric_candidate import MetricCandidate, is_counter

WANDB = re.compile(r"(?:^|/)(wandb/(?:offline-)?run-[^/]+)/files/wandb-summary\.json$")
EVENTS = re.compile(r"(?:^|/)events\.out\.tfevents\.[^/]+$")
RESULTS = re.compile(r"(?:^|/)(?:[^/]*_results|results|metrics|trainer_state|scores)\.json$")
NEWEST = 3
MOST_EVENT_FILES = 5


def traces(tree: ProjectTree) -> Iterator[MetricCandidate]:
    """The names in the newest traces of each kind, the newest first."""
    yield from wandb_names(tree)
    yield from event_names(tree)
    yield from table_names(tree)
    yield from result_names(tree)


def newest(tree: ProjectTree, pattern: re.Pattern[str], most: int) -> list[str]:
    found = [path for path in tree.paths if pattern.search(path)]
    return sorted(found, key=lambda path: modified_at(tree.root / path), reverse=True)[:most]


def modified_at(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def wandb_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    for path in newest(tree, WANDB, NEWEST):
        for name in numbers_of(tree.text(path)):
            if not name.startswith("_") and not is_counter(name):
                yield MetricCandidate(name, "trace", "wandb", f"{path}:1")


def event_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    for path in newest(tree, EVENTS, MOST_EVENT_FILES):
        for tag in read_event_ends(tree.root / path).tags:
            if not is_counter(tag):
                yield MetricCandidate(tag, "trace", "tensorboard", path, {"glob": general_glob(path), "tag": tag})


def table_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    """The columns of CSV files that hold numbers of a run; a data set has them too, but not beside a step or epoch."""
    tables = [path for path in tree.ending(".csv") if {"epoch", "step", "iter"} & columns_of(tree, path)]
    for path in sorted(tables, key=lambda each: modified_at(tree.root / each), reverse=True)[:NEWEST]:
        for name in header_of(tree, path):
            if not is_counter(name):
                yield MetricCandidate(name, "trace", "csv", f"{path}:1", {"path": general_glob(path)})


def header_of(tree: ProjectTree, path: str) -> list[str]:
    head = tree.text(path).partition("\n")[0].strip().lstrip("\ufeff")
    return [name.strip().strip('"') for name in re.split(r"[,\t;]", head)] if len(head) < 10_000 else []


def columns_of(tree: ProjectTree, path: str) -> set[str]:
    return {name.lower() for name in header_of(tree, path)}


def result_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    for path in newest(tree, RESULTS, NEWEST):
        text = tree.text(path)
        names = [*numbers_of(text), *(["eval_loss"] if '"eval_loss"' in text else [])]
        for name in dict.fromkeys(names):
            if not is_counter(name):
                yield MetricCandidate(
                    name, "trace", "json", f"{path}:{line_of(text, name)}", {"path": general_glob(path)}
                )


def line_of(text: str, name: str) -> int:
    return text[: max(0, text.find(f'"{name}"'))].count("\n") + 1


def numbers_of(text: str) -> list[str]:
    """The names of the numbers at the top of a JSON object. Empty if it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    items = value.items() if isinstance(value, Mapping) else ()
    return [name for name, each in items if isinstance(each, int | float) and not isinstance(each, bool)]


def general_glob(path: str) -> str:
    """A glob for this file in another run: parts that carry a number, a date or an identifier are left open."""
    parts = PurePosixPath(path).parts
    return "/".join([*("*" if re.search(r"\d", part) else part for part in parts[:-1]), open_name(parts[-1])])


def open_name(name: str) -> str:
    return "events.out.tfevents.*" if name.startswith("events.out.tfevents.") else name


def earlier_seconds(tree: ProjectTree) -> Sequence[tuple[float, str]]:
    """How long earlier runs took, and where that stands."""
    found: list[tuple[float, str]] = []
    for path in newest(tree, WANDB, NEWEST):
        with suppress(ValueError, RecursionError, TypeError, AttributeError):
            value = json.loads(tree.text(path)).get("_runtime") or 0
            found += [(float(value), f"{path}:{line_of(tree.text(path), '_runtime')}")]
    for path in newest(tree, EVENTS, NEWEST):
        found.append((read_event_ends(tree.root / path).seconds, path))
    return [(seconds, place) for seconds, place in found if seconds >= 1]
