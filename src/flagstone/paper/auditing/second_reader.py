"""The child process that reads a PDF with pypdf and prints what it sees as JSON."""

from __future__ import annotations

import logging
import sys
from typing import Any

from flagstone.paper.auditing.readers import PageObjects, PdfObjects
from flagstone.records import encode


def main() -> None:
    """`second_reader FILE.pdf MOST_PAGES`."""
    logging.disable(logging.CRITICAL)
    sys.stdout.buffer.write(encode(seen_in(sys.argv[1], int(sys.argv[2]))))


def seen_in(path: str, most_pages: int) -> PdfObjects:
    from pypdf import PdfReader

    try:
        reader = PdfReader(path)
        if reader.is_encrypted:
            return PdfObjects((), fault="it is encrypted: make it without a password")
        if len(reader.pages) > most_pages:
            return PdfObjects((), fault=f"it has {len(reader.pages)} pages; at most {most_pages} are audited")
        return PdfObjects(tuple(map(page_objects, reader.pages)))
    except Exception as error:  # a broken file raises whatever it likes
        return PdfObjects((), fault=f"pypdf cannot read it: {type(error).__name__}: {error}")


def page_objects(page: Any) -> PageObjects:
    return PageObjects(page.extract_text())


if __name__ == "__main__":
    main()
