"""The figures of a run as pictures inside the page. What is too large, or no browser draws, is a link."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flagstone.artifacts import figure_captions
from flagstone.artifacts.formats import Unreadable, read_bounded
from flagstone.layout import Run
from flagstone.records import digest_bytes, read_record
from flagstone.text import escaped_text, one_line

KINDS = {"svg": "svg+xml", "png": "png", "jpg": "jpeg", "jpeg": "jpeg"}  # the best first
PICTURE_BYTES = 3_000_000
ALL_BYTES = 24_000_000
FIGURES = 100


@dataclass(frozen=True)
class Link:
    """A file of the run, beside the page."""

    name: str
    address: object


@dataclass(frozen=True)
class Figure:
    """One figure in all its formats. `picture` is its content as an address, or ''."""

    name: str
    caption: str
    picture: object
    problem: str
    links: tuple[Link, ...]


def figures_of(run: Run) -> tuple[list[Figure], int]:
    """Every figure that the index lists, and how many more there are than are shown."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in drawn_rows(run):
        groups.setdefault(os.path.splitext(row["path"])[0], []).append(row)
    captions, room = figure_captions(run), ALL_BYTES
    order = {os.path.splitext(path)[0]: number for number, path in enumerate(captions)}
    found = []
    for stem, files in sorted(groups.items(), key=lambda each: order.get(each[0], len(order)))[:FIGURES]:
        figure, used = figure_of(run, stem, files, captions, room)
        room -= used
        found.append(figure)
    return found, len(groups) - len(found)


def drawn_rows(run: Run) -> list[dict[str, Any]]:
    """The pictures of the index. An entry that is no path below the workspace is left out."""
    entries = (read_record(run.index("figures")) or {}).get("entries")
    return [
        row
        for row in (entries if isinstance(entries, list) else [])
        if isinstance(row, dict)
        and row.get("format") in (*KINDS, "pdf")
        and str(row.get("path")).startswith("workspace/")
        and ".." not in str(row["path"]).split("/")
    ]


def figure_of(
    run: Run, stem: str, rows: list[dict[str, Any]], captions: Mapping[str, str], room: int
) -> tuple[Figure, int]:
    """One figure, and how many bytes its picture takes."""
    from markupsafe import Markup

    drawn = sorted((row for row in rows if row["format"] in KINDS), key=lambda row: [*KINDS].index(row["format"]))
    raw, problem = b"", "" if drawn else "No browser draws this format: open the file."
    for row in drawn[:1]:
        try:
            raw = read_bounded(run.root / row["path"], run.root, min(PICTURE_BYTES, room))
            problem = "" if digest_bytes(raw) == row.get("digest") else "This file was changed since it was listed."
        except Unreadable as refusal:
            problem = f"Not shown here: {refusal.reason}."
    unreadable = next((str(row["unreadable"]) for row in rows if row.get("unreadable")), "")
    picture = f"data:image/{KINDS[drawn[0]['format']]};base64,{base64.b64encode(raw).decode()}" if raw else ""
    paths = [row["path"] for row in rows]
    data = [row["drawn_from"] for row in rows if isinstance(row.get("drawn_from"), list)]
    paths += sorted({str(path) for each in data for path in each})
    return (
        Figure(
            name=escaped_text(os.path.basename(stem)),
            caption=one_line(next((captions[path] for path in paths if path in captions), ""), 600),
            picture=Markup(picture),
            problem=f"Damaged: {unreadable}." if unreadable else problem,
            links=tuple(Link(escaped_text(path), address_of(path)) for path in paths),
        ),
        len(raw),
    )


def address_of(path: str) -> str:
    """A path relative to the page. A name that is not UTF-8 keeps its bytes."""
    return quote(os.fsencode(path))
