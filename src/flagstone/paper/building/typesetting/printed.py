"""What can be seen in a PDF besides its numbers: how many pages, which fonts, and who made it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flagstone.errors import FlagstoneError
from flagstone.processes import run_quietly
from flagstone.text import escaped_text, list_text

if TYPE_CHECKING:
    import pypdf

LIMIT_S = 60.0
INSTALL = "install poppler: make tex (Debian: apt install poppler-utils)"
PLACES = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
# where a reference may lead without giving an author away
OPEN_PLACES = re.compile(r"https?://(?:dx\.)?(?:doi\.org|arxiv\.org|openreview\.net|aclanthology\.org)/", re.IGNORECASE)
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
NAMESPACE = re.compile(
    r"\bxmlns(?::\w+)?\s*=\s*(?:\"[^\"]*\"|'[^']*')|(?<=:namespaceURI>)http://(?:ns\.adobe\.com|prismstandard\.org)/[^<]*"
)
# a row of pdffonts; a long name pushes the columns after it to the right
FONT = re.compile(
    r"(?P<name>.*?)\s+(?P<kind>unknown|Type 1C?|Type 3|(?:CID )?TrueType|CID Type 0C?)(?: \(OT\))?\s+\S.*?"
    r"\s+(?P<embedded>yes|no)\s+(?:yes|no)\s+(?:yes|no)\s+\d+\s+\d+\s*$"
)


@dataclass(frozen=True)
class Printed:
    """One PDF, as poppler and pypdf read it."""

    pages: int
    text: str
    fonts: tuple[tuple[str, str, bool], ...]  # name, type, whether it is embedded
    metadata: tuple[str, ...]
    links: tuple[str, ...]
    bookmarks: tuple[str, ...]


def read_pdf(path: Path) -> Printed:
    import pypdf  # here, not above: most commands read no PDF

    reader = pypdf.PdfReader(path)
    return Printed(
        pages=len(reader.pages),
        text=poppler("pdftotext", str(path), "-"),
        fonts=tuple(fonts_in(poppler("pdffonts", str(path)))),
        metadata=tuple(metadata_of(reader)),
        links=tuple(dict.fromkeys(link for page in reader.pages for link in links_of(page))),
        bookmarks=tuple(titles_in(reader.outline)),
    )


def metadata_of(reader: pypdf.PdfReader) -> Iterator[str]:
    """The entries of its information dictionary, and its XMP packet without the names of its schemas."""
    yield from (f"{key}: {value}" for key, value in (reader.metadata or {}).items() if value)
    packet = reader.root_object.get("/Metadata")
    if packet is not None:
        yield NAMESPACE.sub("", packet.get_object().get_data().decode("utf-8", "replace"))


def titles_in(outline: Iterable[Any]) -> Iterator[str]:
    """The titles of bookmarks, which stand in lists of lists."""
    for each in outline:
        yield from titles_in(each) if isinstance(each, list) else (str(each.title),)


def poppler(*argv: str) -> str:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    code, said, errors = run_quietly(argv, Path("/"), LIMIT_S, env=environment)
    if code:
        raise FlagstoneError(f"{argv[0]} failed: {errors.decode(errors='replace').strip()[:200]}", hint=INSTALL)
    return said.decode("utf-8", "replace")


def fonts_in(table: str) -> Iterator[tuple[str, str, bool]]:
    """The rows of pdffonts. One that cannot be read counts as a font that is not embedded."""
    for line in table.splitlines()[2:]:
        row = FONT.match(line)
        yield (row["name"].strip(), row["kind"], row["embedded"] == "yes") if row else (line.strip(), "", False)


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


def giveaways(printed: Printed, names: Iterable[str], paths: Iterable[str], cited: str = "") -> Iterator[str]:
    """What gives the authors of an anonymous paper away: names, addresses, paths of this machine.

    A name may stand in the bibliography (`cited`), where a work of the authors looks like any other.
    """
    where = {"the text": printed.text, "the metadata": "\n".join(printed.metadata), "a link": "\n".join(printed.links)}
    where["a bookmark"] = "\n".join(printed.bookmarks)
    for place, text in where.items():
        plain, of_works = running_text(text), running_text(cited.replace("~", " ") if place == "the text" else "")
        for name in names:
            pattern = re.compile(rf"(?<!\w){re.escape(running_text(name))}(?!\w)", re.IGNORECASE)
            if len(pattern.findall(plain)) > len(pattern.findall(of_works)):
                yield f"the name {escaped_text(name, 60)} in {place}"
        yield from (f"the path {path} in {place}" for path in paths if is_path_in(path, text))
        yield from (f"the address {escaped_text(found, 80)} in {place}" for found in MAIL.findall(text))
        for found in PLACES.findall(text):
            if not OPEN_PLACES.match(found):
                yield f"the address {escaped_text(found, 80)} in {place}"


def running_text(text: str) -> str:
    """A text without line ends, hyphens of line ends, and ligatures."""
    whole = re.sub(r"-\n(?=[a-z])", "", unicodedata.normalize("NFKC", text))
    return " ".join(re.sub(r"-\n", "-", whole).split())


def is_path_in(path: str, text: str) -> bool:
    """Whether a path stands in a text, where a line may end in the middle of it."""
    return bool(re.search(r"(?<!\w)" + r"\s*".join(map(re.escape, path)), text, re.IGNORECASE))
