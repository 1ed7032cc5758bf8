"""The index of the data, results or figures in the workspace, for prompts, gates and people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from flagstone.artifacts.entry import OTHER, IndexEntry, Producer, describe
from flagstone.artifacts.figures import FigureData, figure_registry, named_data
from flagstone.artifacts.formats import list_files
from flagstone.artifacts.sidecars import declared_schema, is_sidecar, sidecar_makers
from flagstone.layout import Run
from flagstone.records import DigestCache
from flagstone.text import count_text, escaped_text

ENTRIES_LIMIT = 20_000
ROW_LENGTH = 160
NOBODY = Producer()


@dataclass(frozen=True)
class KindEntries:
    """The entries of workspace/<kind>, by path, and how many files were beyond the limit."""

    entries: tuple[IndexEntry, ...]
    left_out: int


def describe_kind(run: Run, kind: str, cache: DigestCache) -> KindEntries:
    """Describes every file of workspace/<kind> except sidecars and dot-files."""
    listing = list_files(run.root, f"workspace/{kind}", limit=ENTRIES_LIMIT)
    siblings = frozenset(listing.paths)
    paths = [path for path in listing.paths if not is_sidecar(path, siblings)]
    return KindEntries(tuple(with_maker(run, describe(run, path, kind, cache)) for path in paths), listing.left_out)


def with_maker(run: Run, entry: IndexEntry) -> IndexEntry:
    """A result that does not name its maker itself may do so in a sidecar."""
    if entry.kind != "results" or not entry.is_usable or entry.makers.is_complete:
        return entry
    makers = sidecar_makers(run, entry.path)
    return replace(entry, makers=makers) if makers.is_complete else entry


def build_index(run: Run, kind: str, cache: DigestCache, producers: Mapping[str, Producer]) -> dict[str, object]:
    """The record index/<kind>.json; the same files and producers give the same bytes."""
    found = describe_kind(run, kind, cache)
    registry = figure_registry(run) if kind == "figures" else {}
    entries = (replace(entry, producer=producers.get(entry.path, NOBODY)) for entry in found.entries)
    return {
        "kind": kind,
        "entry_count": len(found.entries),
        "left_out": found.left_out,
        "entries": [entry_record(run, entry, registry) for entry in entries],
    }


def entry_record(run: Run, entry: IndexEntry, registry: Mapping[str, FigureData]) -> dict[str, object]:
    written: dict[str, object] = {
        "path": entry.path,
        "digest": entry.digest,
        "size": entry.size,
        "kind": entry.kind,
        "format": entry.format,
        "producer": asdict(entry.producer),
        "schema": dict(entry.schema) | (declared_schema(run, entry.path) if entry.digest else {}),
        "unreadable": entry.unreadable,
    }
    if entry.kind == "results":
        written["made_by"] = {"experiments": list(entry.makers.experiments), "trials": list(entry.makers.trials)}
    if entry.kind == "figures" and entry.is_usable:
        written["drawn_from"] = list(named_data(run, entry.path, registry).files)
    return written


def index_rows(index: Mapping[str, object], limit: int) -> tuple[str, ...]:
    """One line per file, for prompts and terminals; the last line says what was left out."""
    entries = index.get("entries")
    known = [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    rows = [escaped_text(row_text(entry), ROW_LENGTH) for entry in known[:limit]]
    beyond = index.get("left_out")
    rest = len(known) - len(rows) + (beyond if isinstance(beyond, int) else 0)
    return (*rows, f"… and {count_text(rest, 'more file')}") if rest else tuple(rows)


def row_text(entry: Mapping[str, object]) -> str:
    schema, producer = entry.get("schema"), entry.get("producer")
    facts = [
        str(entry.get("format")) if entry.get("format") != OTHER else count_text(as_int(entry.get("size")), "byte")
    ]
    if entry.get("unreadable"):
        facts.append(f"cannot be read: {entry['unreadable']}")
    elif isinstance(schema, Mapping):
        facts.extend(schema_facts(schema))
    if isinstance(producer, Mapping):
        facts.extend(f"{role} {producer[role]}" for role in ("stage", "experiment", "trial") if producer.get(role))
    return f"{entry.get('path')}: {', '.join(facts)}"


def schema_facts(schema: Mapping[str, object]) -> list[str]:
    """The few numbers and names that tell a reader most."""
    facts = []
    for name, noun in (
        ("row_count", "row"),
        ("row_count_at_least", "row"),
        ("item_count", "item"),
        ("page_count", "page"),
    ):
        number = schema.get(name)
        if isinstance(number, int):
            facts.append(("at least " if name.endswith("least") else "") + count_text(number, noun))
    if schema.get("width_px"):
        facts.append(f"{schema['width_px']} × {schema.get('height_px')} px")
    for name in ("columns", "metric_names", "keys", "item_keys"):
        names = schema.get(name)
        if isinstance(names, list) and names:
            facts.append(f"{name.replace('_', ' ')} {' '.join(map(str, names))}")
            break
    return facts


def as_int(value: object) -> int:
    return value if isinstance(value, int) else 0
