"""Two readers of a PDF, each in a process of its own with bounded time, memory and output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.paper.auditing.digits import digit_characters, plain_text
from flagstone.processes import Command, Output, ProcessLimits, StartError, run
from flagstone.records import decode

LIMITS = ProcessLimits(wall_s=60, memory_mb=1500, output_mb=50, copy_mb=50)
MOST_PAGES = 500


class UnreadablePdf(Exception):
    """A reader cannot say what the file shows."""


@dataclass(frozen=True)
class PageObjects:
    """What pypdf sees on one page.

    `one_size` are the digit strings that are set in one size without a break. `contents` and `figures` are digests of
    what the page draws, and of each picture in it. Bitmaps that look the same have one of the `bitmap_looks`.
    """

    text: str
    one_size: tuple[str, ...] = ()
    contents: str = ""
    figures: tuple[str, ...] = ()
    bitmaps: int = 0
    bitmap_digests: tuple[str, ...] = ()
    bitmap_looks: tuple[str, ...] = ()
    type3_fonts: tuple[str, ...] = ()
    false_digits: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    replaces_text: bool = False


@dataclass(frozen=True)
class PdfObjects:
    """What pypdf sees in a file. `active` names what a viewer would run, open or hide."""

    pages: tuple[PageObjects, ...]
    labels: tuple[str, ...] = ()
    bookmarks: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    active: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class PdfText:
    """The plain text of each page as poppler reads it, what pypdf sees, and where the two differ."""

    pages: tuple[str, ...]
    objects: PdfObjects
    differences: tuple[str, ...]


def read_pdf(pdf: Path) -> PdfText:
    """Both readings. Raises UnreadablePdf if one of them fails."""
    return read_pdfs([pdf])[0]


def read_pdfs(pdfs: Sequence[Path]) -> list[PdfText]:
    """The same for several files: pypdf is started once."""
    return [both_readings(pdf, objects) for pdf, objects in zip(pdfs, objects_of(pdfs), strict=True)]


def both_readings(pdf: Path, objects: PdfObjects) -> PdfText:
    if objects.fault:
        raise UnreadablePdf(f"{pdf.name}: {objects.fault}")
    pages = tuple(map(plain_text, printed_pages(pdf)))
    if len(pages) != len(objects.pages):
        raise UnreadablePdf(f"{pdf.name}: poppler finds {len(pages)} pages, and pypdf {len(objects.pages)}")
    both = zip(pages, objects.pages, strict=True)
    differing = (difference(number, text, page.text) for number, (text, page) in enumerate(both, start=1))
    return PdfText(pages, objects, tuple(filter(None, differing)))


def printed_pages(pdf: Path) -> list[str]:
    """The text of each page as poppler reads it. Raises UnreadablePdf if it cannot."""
    raw = answer_of(("pdftotext", "-enc", "UTF-8", "-l", str(MOST_PAGES), str(pdf.absolute()), "-"))
    return raw.decode("utf-8", "replace").removesuffix("\f").split("\f")


def objects_of(pdfs: Sequence[Path]) -> list[PdfObjects]:
    argv = (sys.executable, "-m", "flagstone.paper.auditing.second_reader", str(MOST_PAGES))
    try:
        return decode(answer_of((*argv, *(str(pdf.absolute()) for pdf in pdfs))), list[PdfObjects])
    except ValueError as error:
        raise UnreadablePdf("pypdf gives no answer") from error


def answer_of(argv: tuple[str, ...]) -> bytes:
    """What a reader prints. Raises UnreadablePdf if it fails, or goes over a limit."""
    with tempfile.TemporaryDirectory(prefix="flagstone-audit-") as name:
        answer, said = Path(name, "answer"), Path(name, "said")
        try:
            ended = run(Command(argv, None, Path(name), dict(os.environ)), LIMITS, Output(answer, said))
        except StartError as error:
            raise UnreadablePdf(f"{error.problem}: flagstone doctor says what to install") from error
        if ended.ending != "exit" or ended.output_truncated:
            limit = {"wall": f"{LIMITS.wall_s:g} s", "memory": f"{LIMITS.memory_mb:g} MB"}
            raise UnreadablePdf(f"{Path(argv[0]).name} needs more than {limit.get(ended.ending, 'it may print')}")
        if ended.exit_code != 0:
            lines = said.read_text("utf-8", "replace").strip().splitlines()
            raise UnreadablePdf(f"{Path(argv[0]).name} cannot read it: {lines[-1] if lines else 'no output'}")
        return answer.read_bytes()


def difference(number: int, one: str, other: str) -> str:
    """Which digits one reader finds and the other does not. Empty if there are none."""
    first, second = digit_characters(one), digit_characters(other)
    if first == second:
        return ""
    only = [
        f"{name} alone reads {''.join(sorted(left.elements()))}"
        for name, left in (("poppler", first - second), ("pypdf", second - first))
        if left
    ]
    return f"page {number}: the text layer differs: {'; '.join(only)}: remove what gives the text another reading"
