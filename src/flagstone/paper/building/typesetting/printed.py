"""What can be seen in a PDF besides its numbers: how many pages, which fonts, and who made it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.processes import run_quietly
from flagstone.text import escaped_text, list_text

LIMIT_S = 60.0
INSTALL = "install poppler: make tex (Debian: apt install poppler-utils)"
PLACES = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
# where a reference may lead without giving an author away
OPEN_PLACES = re.compile(r"https?://(?:dx\.)?(?:doi\.org|arxiv\.org|openreview\.net|aclanthology\.org)/", re.IGNORECASE)
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
SHORTEST_NAME = 4


@dataclass(frozen=True)
class Printed:
    """One PDF, as poppler and pypdf read it."""

    pages: int
    text: str
    fonts: tuple[tuple[str, str, bool], ...]  # name, type, whether it is embedded
    metadata: tuple[str, ...]
    links: tuple[str, ...]


def read_pdf(path: Path) -> Printed:
    import pypdf  # here, not above: most commands read no PDF

    reader = pypdf.PdfReader(path)
    metadata = tuple(f"{key}: {value}" for key, value in (reader.metadata or {}).items() if value)
    return Printed(
        pages=len(reader.pages),
        text=poppler("pdftotext", str(path), "-"),
        fonts=tuple(fonts_in(poppler("pdffonts", str(path)))),
        metadata=metadata,
        links=tuple(dict.fromkeys(link for page in reader.pages for link in links_of(page))),
    )


def poppler(*argv: str) -> str:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    code, said, errors = run_quietly(argv, Path("/"), LIMIT_S, env=environment)
    if code:
        raise FlagstoneError(f"{argv[0]} failed: {errors.decode(errors='replace').strip()[:200]}", hint=INSTALL)
    return said.decode("utf-8", "replace")


def fonts_in(table: str) -> Iterator[tuple[str, str, bool]]:
    """The rows of pdffonts, whose columns are as wide as its second line says."""
    lines = table.splitlines()
    if len(lines) < 2:
        return
    starts = [found.start() for found in re.finditer(r"-+", lines[1])]
    for line in lines[2:]:
        columns = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
        yield columns[0], columns[1], columns[3] == "yes"


def font_problem(printed: Printed) -> str:
    """Which fonts no venue takes. Nothing if there are none."""
    bitmaps = [name or "without a name" for name, kind, _ in printed.fonts if kind.startswith("Type 3")]
    if bitmaps:
        return f"use fonts that are outlines: Type 3 fonts are in it ({list_text(sorted(set(bitmaps)))})"
    loose = sorted({name for name, _, is_embedded in printed.fonts if not is_embedded})
    return f"embed every font, in figures too: {list_text(loose)}" if loose else ""


def links_of(page: object) -> Iterator[str]:
    """Where the links of a page lead outside."""
    for each in page.get("/Annots") or ():  # type: ignore[attr-defined]
        action = each.get_object().get("/A")
        target = action.get_object().get("/URI") if action is not None else None
        if target:
            yield str(target)


def giveaways(printed: Printed, names: Iterable[str], paths: Iterable[str]) -> Iterator[str]:
    """What gives the authors of an anonymous paper away: names, addresses, paths of this machine."""
    where = {"the text": printed.text, "the metadata": "\n".join(printed.metadata), "a link": "\n".join(printed.links)}
    for place, text in where.items():
        for name in names:
            if len(name) >= SHORTEST_NAME and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
                yield f"the name {escaped_text(name, 60)} in {place}"
        yield from (f"the path {path} in {place}" for path in paths if path in text)
        yield from (f"the address {escaped_text(found, 80)} in {place}" for found in MAIL.findall(text))
        for found in PLACES.findall(text):
            if not OPEN_PLACES.match(found):
                yield f"the address {escaped_text(found, 80)} in {place}"
