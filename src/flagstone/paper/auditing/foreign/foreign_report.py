"""What is found in a paper that Flagstone did not make. It is a report, never a certificate."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.paper.auditing.faults import file_faults, notices_of
from flagstone.paper.auditing.foreign.backing import TracedNumber, traced_numbers
from flagstone.paper.auditing.foreign.paper_numbers import numbers_of
from flagstone.paper.auditing.foreign.results import Results, read_results
from flagstone.paper.auditing.foreign.spreads import spread_findings
from flagstone.paper.auditing.readers import PdfText, UnreadablePdf, read_pdf


@dataclass(frozen=True)
class ForeignReport:
    """Each number with its status, and sentences about spreads, figures, the file, and what was not read."""

    numbers: tuple[TracedNumber, ...]
    results: int
    spreads: tuple[str, ...]
    figures: tuple[str, ...]
    faults: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def counts(self) -> Counter[str]:
        return Counter(each.status for each in self.numbers)

    @property
    def backed_by_luck(self) -> float:
        """How many of the backed numbers would be backed if all of them were random."""
        return sum(each.chance for each in self.numbers if each.status == "backed")


def audit_foreign(pdf: Path, folder: Path) -> ForeignReport:
    """Holds a paper against a folder of results."""
    try:
        read = read_pdf(pdf)
    except UnreadablePdf as error:
        hint = "give a PDF that opens without a password"
        raise FlagstoneError(f"{pdf} cannot be audited: {error}", hint=hint) from error
    results = read_results(folder)
    notices = [*notices_of(read), *(f"not read: {each}" for each in results.unread)]
    return ForeignReport(
        numbers=tuple(traced_numbers(list(numbers_of(read.pages)), results)),
        results=len(results.numbers),
        spreads=tuple(spread_findings(read.pages, results)),
        figures=tuple(duplicates(read, results)),
        faults=file_faults(read),
        notices=tuple(notices),
    )


def duplicates(read: PdfText, results: Results) -> Iterator[str]:
    """Pictures that stand in the paper or among the results more than once."""
    pages = list(enumerate(read.objects.pages, start=1))
    drawings = [(digest, "", number) for number, page in pages for digest in page.figures]
    bitmaps = [
        (digest, look, number)
        for number, page in pages
        for digest, look in zip(page.bitmap_digests, page.bitmap_looks, strict=True)
    ]
    yield from (
        f"one picture stands {places_text(places)}" for places in places_by(0, [*drawings, *bitmaps]) if len(places) > 1
    )
    for places in places_by(1, [each for each in bitmaps if len(set(each[1])) > 1]):
        if len({digest for digest, _, _ in places}) > 1:
            yield f"pictures that look the same stand {places_text(places)}"
    for names in results.pictures.values():
        if len(names) > 1:
            yield f"one picture has several names among the results: {', '.join(names[:5])}"


PicturePlace = tuple[str, str, int]


def places_by(which: int, places: Sequence[PicturePlace]) -> Iterator[list[PicturePlace]]:
    sorted_places: dict[object, list[PicturePlace]] = defaultdict(list)
    for place in places:
        sorted_places[place[which]].append(place)
    yield from sorted_places.values()


def places_text(places: Sequence[PicturePlace]) -> str:
    return f"{len(places)} times, on page {', '.join(str(page) for _, _, page in places)}"
