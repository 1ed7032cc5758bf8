"""What a PDF may not hold whatever its digits are, and what an audit cannot see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flagstone.paper.auditing.digits import digits_printed
from flagstone.paper.auditing.readers import PageObjects, PdfText
from flagstone.text import count_text, list_text, one_line


def faults_of(read: PdfText, figures: Sequence[PdfText]) -> tuple[str, ...]:
    """Each problem with its page and its cure."""
    known = {figure.objects.pages[0].contents for figure in figures}
    pages = enumerate(read.objects.pages, start=1)
    faults = [f"page {number}: {fault}" for number, page in pages for fault in page_faults(page, known)]
    return (*file_faults(read), *faults, *hidden_numbers(read))


def file_faults(read: PdfText) -> tuple[str, ...]:
    """What makes a PDF show something else than its text says, whoever made it."""
    pages = enumerate(read.objects.pages, start=1)
    faults = [f"page {number}: {fault}" for number, page in pages for fault in text_faults(page)]
    faults += [f"the PDF holds {what}: build it without" for what in read.objects.active]
    return (*read.differences, *faults)


def page_faults(page: PageObjects, known: set[str]) -> Iterator[str]:
    if page.type3_fonts:
        yield f"{list_text(page.type3_fonts)}: a Type 3 font can draw any digit: use a Type 1 or TrueType font"
    if not known.issuperset(page.figures):
        yield "a picture is included that no figure job made: describe it in figures.yaml"


def text_faults(page: PageObjects) -> Iterator[str]:
    if page.replaces_text:
        yield "the text layer differs: /ActualText gives a text another reading: remove it"
    for false in page.false_digits:
        yield f"the text layer differs: {false}: remove what changes the glyph map"
    for text in page.annotations:
        if digits_printed([text]):
            yield f"an annotation or form field holds a number, “{one_line(text, 60)}”: remove it"


def hidden_numbers(read: PdfText) -> Iterator[str]:
    """Numbers of bookmarks and metadata that no page shows."""
    shown = set(digits_printed(read.pages))
    texts = [("bookmark", title) for title in read.objects.bookmarks]
    texts += [(f"PDF's {name}", text) for name, text in read.objects.metadata.items()]
    for where, text in texts:
        for number in digits_printed([text]):
            if number not in shown:
                yield f"{number} stands in the {where} “{one_line(text, 60)}”, and on no page: take it out"


def notices_of(read: PdfText) -> tuple[str, ...]:
    pages = [str(number) for number, page in enumerate(read.objects.pages, start=1) if page.bitmaps]
    if not pages:
        return ()
    count = count_text(sum(page.bitmaps for page in read.objects.pages), "bitmap")
    return (f"the digits inside {count} are not read (page {', '.join(pages)})",)
