"""The names of numbers in what earlier runs have left: wandb, TensorBoard, CSV and JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.numbers.metric_candidate import MetricCandidate, is_counter

WANDB = re.compile(r"(?:^|/)(wandb/(?:offline-)?run-[^/]+)/files/wandb-summary\.json$")
EVENTS = re.compile(r"(?:^|/)events\.out\.tfevents\.[^/]+$")
RESULTS = re.compile(r"(?:^|/)(?:[^/]*_results|results|metrics|trainer_state|scores)\.json$")
TABLE = re.compile(r"^(?!(?:.*/)?(?:data|datasets?)/).*\.csv$")
MLFLOW = re.compile(r"(?:^|/)mlruns/[^/]+/[^/]+/metrics/.+$")
STEPS = {"epoch", "step", "iter", "iteration", "Epoch", "Step"}
RUNTIMES = ("_runtime", "train_runtime", "total_seconds", "training_seconds")
NEWEST, MOST_TABLES = 3, 20
MOST_SECONDS = 30 * 24 * 3600
MOST_EVENT_FILES = 5


def traces(tree: ProjectTree) -> Iterator[MetricCandidate]:
    """The names in the newest traces of each kind, the newest first."""
    yield from wandb_names(tree)
    yield from event_names(tree)
    yield from table_names(tree)
    yield from result_names(tree)
    yield from tracked_names(tree)


def newest(tree: ProjectTree, pattern: re.Pattern[str], most: int) -> list[str]:
    found = [path for path in tree.paths if pattern.search(path)]
    return sorted(found, key=lambda path: modified_at(tree.root / path), reverse=True)[:most]


def modified_at(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def wandb_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    for path in newest(tree, WANDB, NEWEST):
        for name in numbers_of(tree.json(path)):
            if not name.startswith("_") and not is_counter(name):
                yield MetricCandidate(name, "trace", "wandb", f"{path}:1")


def event_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    for path in newest(tree, EVENTS, MOST_EVENT_FILES):
        for tag in tree.event_ends(path).tags:
            if not is_counter(tag) and not tag.startswith(("_", "hp_metric", "hparams/")):
                options = {"glob": general_glob(tree, path), "tag": tag}
                yield MetricCandidate(tag, "trace", "tensorboard", f"{path}:1", options)


def table_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    """The columns of CSV files that hold numbers of a run; a data set has them too, but not beside a step or epoch."""
    tables = [path for path in newest(tree, TABLE, MOST_TABLES) if set(header_of(tree, path)) & STEPS]
    for path in tables[:NEWEST]:
        for name in header_of(tree, path):
            if not is_counter(name):
                yield MetricCandidate(name, "trace", "csv", f"{path}:1", {"path": general_glob(tree, path)})


def header_of(tree: ProjectTree, path: str) -> list[str]:
    head = tree.text(path)[:10_000].partition("\n")[0].strip().lstrip("\ufeff")
    return [name.strip().strip('"') for name in re.split(r"[,\t;]", head)]


def result_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    """The numbers of JSON files with the names that frameworks give them; the Trainer keeps its own in a list."""
    for path in newest(tree, RESULTS, NEWEST):
        value = tree.json(path)
        options = {"path": general_glob(tree, path)}
        history = value.get("log_history") if isinstance(value, Mapping) else None
        for row in history if isinstance(history, list) else ():
            for name in numbers_of(row):
                if name.startswith("eval_") and not is_counter(name):
                    place = f"{path}:{line_of(tree.text(path), name)}"
                    yield MetricCandidate(name, "trace", "json", place, {**options, "key": f"log_history.{name}"})
        for name in numbers_of(value) if not history else ():
            if not is_counter(name):
                yield MetricCandidate(name, "trace", "json", f"{path}:{line_of(tree.text(path), name)}", options)


def tracked_names(tree: ProjectTree) -> Iterator[MetricCandidate]:
    """The files of MLflow, one a metric."""
    for path in newest(tree, MLFLOW, MOST_TABLES):
        name = path.partition("/metrics/")[2]
        if not is_counter(name):
            yield MetricCandidate(name, "tracker", "custom", f"{path}:1")


def line_of(text: str, name: str) -> int:
    return text[: max(0, text.find(f'"{name}"'))].count("\n") + 1


def numbers_of(value: object) -> list[str]:
    """The names of the numbers at the top of a JSON object. Empty if it is none."""
    items = value.items() if isinstance(value, Mapping) else ()
    return [name for name, each in items if isinstance(each, int | float) and not isinstance(each, bool)]


def general_glob(tree: ProjectTree, path: str) -> str:
    """A glob for this file in another run: parts that carry a number, a date or an identifier are left open.

    The folder that Hydra made for the run is `hydra`, where setup has Hydra put it.
    """
    parts = list(PurePosixPath(path).parts)
    made = next((count for count in range(1, len(parts)) if f"{'/'.join(parts[:count])}/.hydra/config.yaml" in tree), 0)
    parts = ["hydra", *parts[made:]] if made else parts
    last = "events.out.tfevents.*" if parts[-1].startswith("events.out.tfevents.") else parts[-1]
    return "/".join([*("*" if re.search(r"\d", part) else part for part in parts[:-1]), last])


def earlier_seconds(tree: ProjectTree) -> list[tuple[float, str]]:
    """How long the newest runs took, and where that stands."""
    found: list[tuple[float, str]] = []
    for path in (*newest(tree, WANDB, NEWEST), *newest(tree, RESULTS, NEWEST)):
        value = tree.json(path)
        names = [name for name in numbers_of(value) if name in RUNTIMES]
        found += [(float(value[name]), f"{path}:{line_of(tree.text(path), name)}") for name in names]
    found += [(tree.event_ends(path).seconds, f"{path}:1") for path in newest(tree, EVENTS, NEWEST)]
    return [(seconds, place) for seconds, place in found if 1 <= seconds < MOST_SECONDS]
