"""Which data a figure was drawn from, as it is named beside the figure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flagstone.artifacts.formats import Unreadable, decode_text, is_filled, loads_strict, read_bounded
from flagstone.artifacts.sidecars import read_sidecar
from flagstone.layout import Run
from flagstone.text import escaped_text

REGISTRY = "workspace/figures/figures.json"
REGISTRY_LIMIT_BYTES = 4_000_000
DATA_ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet", ".npz")
NAMED_LIMIT = 100
PATH_KEYS = ("path", "file", "pdf", "png", "svg", "jpg", "jpeg")


@dataclass(frozen=True)
class FigureData:
    """Run-relative data files that exist, and names that lead to nothing usable."""

    files: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        return bool(self.files) and not self.missing


def figure_registry(run: Run) -> Mapping[str, FigureData]:
    """The data that each row of workspace/figures/figures.json names, by the figure's path."""
    found: dict[str, FigureData] = {}
    for row in registry_rows(run):
        found |= dict.fromkeys(paths_of(row), figure_data(run, REGISTRY, row.get("data")))
    return found


def figure_captions(run: Run) -> Mapping[str, str]:
    """The captions in workspace/figures/figures.json, by the figure's path."""
    return {path: str(row["caption"]) for row in registry_rows(run) if row.get("caption") for path in paths_of(row)}


def registry_rows(run: Run) -> list[Mapping[str, object]]:
    if not os.path.lexists(run.root / REGISTRY):
        return []
    try:
        value = loads_strict(decode_text(read_bounded(run.root / REGISTRY, run.root, REGISTRY_LIMIT_BYTES)))
    except Unreadable:
        return []
    rows = value.get("figures") if isinstance(value, dict) else value
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def paths_of(row: Mapping[str, object]) -> Iterator[str]:
    """Every path that may be meant by a row."""
    for name in (row.get(key) for key in PATH_KEYS):
        if isinstance(name, str):
            yield from spellings(name, REGISTRY)


def named_data(run: Run, figure: str, registry: Mapping[str, FigureData]) -> FigureData:
    """What the figure's sidecar, its row in the registry, or the table beside it says."""
    stem = os.path.splitext(figure)[0]
    for sidecar in (figure + ".json", stem + ".json"):
        data = sidecar_data(run, figure, sidecar)
        if data.files or data.missing:
            return data
    if figure in registry:
        return registry[figure]
    return FigureData(
        tuple(stem + ending for ending in DATA_ENDINGS if is_filled(run.root / (stem + ending), run.root))
    )


def sidecar_data(run: Run, figure: str, sidecar: str) -> FigureData:
    """What a sidecar names; a broken one is a problem, unless it may be another file of the same stem."""
    try:
        value = read_sidecar(run, sidecar)
    except Unreadable as refusal:
        is_its_own = sidecar == figure + ".json"
        return FigureData(missing=(f"{escaped_text(sidecar)} ({refusal.reason})",) if is_its_own else ())
    return figure_data(run, figure, value.get("data")) if value else FigureData()


def figure_data(run: Run, beside: str, value: object) -> FigureData:
    files, missing = [], []
    for name in data_names(value):
        usable = next((path for path in spellings(name, beside) if is_filled(run.root / path, run.root)), None)
        if usable:
            files.append(usable)
        else:
            missing.append(escaped_text(name))
    return FigureData(tuple(files), tuple(missing))


def data_names(value: object) -> Iterator[str]:
    """A path, an object with a path, or a list of these."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping) and isinstance(value.get("path"), str):
        yield value["path"]
    elif isinstance(value, list):
        for item in value[:NAMED_LIMIT]:
            if not isinstance(item, list):
                yield from data_names(item)


def spellings(name: str, beside: str) -> tuple[str, ...]:
    """A name may start at the run, at its workspace, or at the folder of the file that gives it."""
    if name.startswith("/") or "\0" in name or ".." in name.split("/"):
        return ()
    clean = os.path.normpath(name)
    return (clean, f"workspace/{clean}", os.path.normpath(f"{os.path.dirname(beside)}/{clean}"))
