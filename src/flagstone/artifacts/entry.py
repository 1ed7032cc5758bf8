"""Describe one file of the run, whatever it is, in bounded time and memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from pkgutil import resolve_name

from flagstone.artifacts.formats import (
    DIGEST_LIMIT_BYTES,
    Makers,
    Shape,
    Unreadable,
    open_regular,
    regular_file,
    size_words,
)
from flagstone.layout import Run
from flagstone.records import DigestCache
from flagstone.text import escaped_text

DATA_FORMATS = frozenset({"json", "jsonl", "csv", "tsv", "parquet", "yaml", "yml"})
RESULT_FORMATS = frozenset({"json", "jsonl", "csv", "tsv", "parquet", "npz", "npy"})
FIGURE_FORMATS = frozenset({"png", "pdf", "svg", "jpg", "jpeg"})
FORMATS_OF = {"data": DATA_FORMATS, "results": RESULT_FORMATS, "figures": FIGURE_FORMATS}
OTHER = "other"
# by the ending of a file: the module that reads such files, and its function
SHAPES = {
    "csv": "tables:csv_shape",
    "tsv": "tables:tsv_shape",
    "jsonl": "tables:jsonl_shape",
    "parquet": "tables:parquet_shape",
    "json": "documents:json_shape",
    "yaml": "documents:yaml_shape",
    "yml": "documents:yaml_shape",
    "npy": "arrays:npy_shape",
    "npz": "arrays:npz_shape",
    "png": "pictures:png_shape",
    "jpg": "pictures:jpeg_shape",
    "jpeg": "pictures:jpeg_shape",
    "svg": "pictures:svg_shape",
    "pdf": "pictures:pdf_shape",
}


@dataclass(frozen=True)
class Producer:
    """Who made a file, as far as we saw it ourselves: never what the file says about itself."""

    stage: str | None = None
    attempt: int | None = None
    experiment: str | None = None
    trial: str | None = None


@dataclass(frozen=True)
class IndexEntry:
    """One file as the index has it. `unreadable` says why nothing more is known about it."""

    path: str
    digest: str
    size: int
    kind: str
    format: str
    producer: Producer = field(default_factory=Producer)
    schema: Mapping[str, object] = field(default_factory=dict)
    records: int = 0
    makers: Makers = field(default_factory=Makers)
    unreadable: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether this can satisfy a requirement of its kind."""
        return self.unreadable is None and self.format in FORMATS_OF[self.kind] and self.records > 0


def format_of(path: str) -> str:
    ending = os.path.splitext(path)[1][1:].lower()
    return ending if ending in SHAPES else OTHER


def describe(run: Run, path: str, kind: str, cache: DigestCache) -> IndexEntry:
    """The entry of a run-relative path. Never raises, whatever the file is or contains."""
    found = IndexEntry(path=escaped_text(path, 1000), digest="", size=0, kind=kind, format=format_of(path))
    if found.path != path:
        return replace(found, unreadable="its name contains characters that cannot be written down: rename it")
    try:
        real, status = regular_file(run.root / path, run.root)
        if status.st_size > DIGEST_LIMIT_BYTES:
            raise Unreadable(f"larger than {size_words(DIGEST_LIMIT_BYTES)}: too large to be digested")
        found = replace(found, digest=cache.digest(Path(real)), size=status.st_size)
        shape = shape_of(real, found)
    except Unreadable as refusal:
        return replace(found, unreadable=refusal.reason)
    except OSError as error:
        return replace(found, unreadable=error.strerror or "cannot be read")
    return replace(found, schema=shape.schema, records=shape.records, makers=shape.makers)


def shape_of(real: str, known: IndexEntry) -> Shape:
    if not known.size:
        raise Unreadable("empty (0 bytes)")
    if known.format == OTHER:
        return Shape({}, 0)
    with open_regular(real) as stream:
        found: Shape = resolve_name(f"flagstone.artifacts.formats.{SHAPES[known.format]}")(stream, known.size)
        return found
