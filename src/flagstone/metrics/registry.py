"""Finds the reader that a spec names; what it needs is loaded only when it is asked for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from flagstone.metrics.series import Place, Reading
from flagstone.plugins import find, plugin_names

READERS = {
    "log": "log.read",
    "tensorboard": "tensorboard.read",
    "wandb": "wandb.read",
    "json": "tables.read_json",
    "csv": "tables.read_csv",
    "custom": "custom.read",
    "command": "command.read",
}
# what a reader cannot do without
NEEDED = {"json": "path", "csv": "path", "custom": "code", "command": "extract"}
OF_COMMAND = ("extract", "locale", "stderr", "empty")
Options = Mapping[str, object]


def read_metrics(backend: str, options: Options, place: Place, wanted: Sequence[str]) -> Reading:
    """What a run left. `wanted` names what is needed, the primary metric first; empty means everything."""
    if backend == "auto":
        return first_that_knows(options, place, wanted)
    read = reader(READERS[backend]) if backend in READERS else find("metrics", backend, {})
    found: Reading = read(options, place, wanted)
    return replace(found, backend=backend)


def reader(name: str) -> Callable[..., Any]:
    """A function of a reader, which is loaded when it is first asked for."""
    module, _, function = name.rpartition(".")
    return getattr(import_module(f"flagstone.metrics.{module}"), function)  # type: ignore[no-any-return]


def faults(backend: str, options: Options) -> list[str]:
    """What is wrong with a spec's metric, before anything runs."""
    if backend not in ("auto", *READERS) and backend not in plugin_names("metrics"):
        known = ("auto", *READERS, *plugin_names("metrics"))
        return [f"there is no metric backend {backend!r}: one of {', '.join(known)}"]
    needed = NEEDED.get(backend, "")
    found = [f"the backend {backend} needs metric.{needed}"] if needed and not options.get(needed) else []
    if options.get("regex"):
        found += reader("log.faults")(options)
    if options.get("code"):
        found += reader("custom.faults")(options)
    if backend == "command":
        found += reader("command.faults")(options)
    else:
        found += [f"metric.{name} is for the backend command" for name in OF_COMMAND if name in options]
    return [*found, *reader("own_files.faults")(options, "path", "glob", "dir")]


def first_that_knows(options: Options, place: Place, wanted: Sequence[str]) -> Reading:
    """wandb, TensorBoard, a file that the options name, the log, any JSON or CSV: the first that has the metric."""
    named = str(options.get("path") or "")
    tables = ["csv" if named.lower().endswith((".csv", ".tsv")) else "json"] if named else []
    custom = ["custom"] if options.get("code") else []
    problems: list[str] = []
    for backend in (*custom, "wandb", "tensorboard", *tables, "log"):
        found = read_metrics(backend, options, place, wanted)
        if (wanted and wanted[0] in found.values) or (not wanted and found.values):
            return found
        # what is not there is no problem: most runs use one of them
        problems += found.problems if found.sources or backend in (*custom, *tables) else ()
    if tables:
        return replace(found, problems=(*problems, *found.problems))
    other: Reading = reader("discovery.read")(place, wanted)
    values, steps = {**found.values, **other.values}, {**found.last_steps, **other.last_steps}
    if wanted and wanted[0] in other.values:
        return replace(other, values=values, last_steps=steps)
    return replace(found, values=values, problems=(*problems, *other.problems))


def nearest_names(name: str, seen: Iterable[str], count: int = 3) -> list[str]:
    """The keys most like a name, for whoever misspelt it."""
    keys = list(dict.fromkeys(seen))
    plain = {key: re.sub(r"[^a-z0-9]+", " ", key.lower()) for key in keys}
    wanted = re.sub(r"[^a-z0-9]+", " ", name.lower())
    close = sorted(keys, key=lambda key: -difflib.SequenceMatcher(None, wanted, plain[key]).ratio())
    return close[:count]
