"""The child process that reads a PDF with pypdf and prints what it sees as JSON."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from flagstone.paper.auditing.digits import digits_printed
from flagstone.paper.auditing.glyphs import false_digits
from flagstone.paper.auditing.readers import PageObjects, PdfObjects
from flagstone.records import digest_bytes, encode

DEEPEST = 6
SMALLEST, LARGEST = 1_000, 4_000_000  # pixels: smaller ones are marks, and larger ones take long
NAMES = ("/Title", "/Author", "/Subject", "/Keywords")
ACTIONS = ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/RichMediaExecute", "/Rendition")
ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
INLINE_IMAGE = re.compile(rb"\sBI\s[^\x00]{1,400}?\sID\s")


def main() -> None:
    """`second_reader MOST_PAGES FILE.pdf…`."""
    logging.disable(logging.CRITICAL)
    sys.stdout.buffer.write(encode([seen_in(path, int(sys.argv[1])) for path in sys.argv[2:]]))


def seen_in(path: str, most_pages: int) -> PdfObjects:
    from pypdf import PdfReader

    try:
        reader = PdfReader(path)
        if reader.is_encrypted:
            return PdfObjects((), fault="it is encrypted: make it without a password")
        if len(reader.pages) > most_pages:
            return PdfObjects((), fault=f"it has {len(reader.pages)} pages; at most {most_pages} are audited")
        return file_objects(reader)
    except Exception as error:  # a broken file raises whatever it likes
        return PdfObjects((), fault=f"pypdf cannot read it: {type(error).__name__}: {error}")


def file_objects(reader: Any) -> PdfObjects:
    info = reader.metadata or {}
    return PdfObjects(
        pages=tuple(map(page_objects, reader.pages)),
        labels=tuple(reader.page_labels),
        bookmarks=tuple(titles_of(reader.outline)),
        metadata={name[1:]: str(info[name]) for name in NAMES if info.get(name)},
        active=tuple(dict.fromkeys(active_in(reader))),
    )


def titles_of(outline: Any) -> Iterator[str]:
    for each in outline:
        if isinstance(each, list):
            yield from titles_of(each)
        else:
            yield str(each.title)


def active_in(reader: Any) -> Iterator[str]:
    """What a viewer would run, open or hide."""
    root = reader.root_object
    names = plain(root.get("/Names"))
    found = {
        "JavaScript": "/JavaScript" in names,
        "another file": "/EmbeddedFiles" in names,
        "layers that can be hidden": "/OCProperties" in root,
        "an XFA form": "/XFA" in plain(root.get("/AcroForm")),
    }
    yield from (what for what, is_there in found.items() if is_there)
    yield from actions_in(root)
    for page in reader.pages:
        yield from actions_in(page)
        for annotation in plain_list(page.get("/Annots")):
            yield from actions_in(plain(annotation))


def actions_in(holder: Mapping[str, Any]) -> Iterator[str]:
    actions = [
        plain(holder.get("/OpenAction")),
        plain(holder.get("/A")),
        *map(plain, plain(holder.get("/AA")).values()),
    ]
    yield from (f"an action: {action['/S'][1:]}" for action in actions if action.get("/S") in ACTIONS)


def page_objects(page: Any) -> PageObjects:
    contents = page.get_contents()
    streams = [contents.get_data() if contents is not None else b""]
    resources = list(resources_of(page, streams))
    fonts = [plain(font) for each in resources for font in plain(each.get("/Font")).values()]
    objects: list[Any] = [plain(one) for each in resources for one in plain(each.get("/XObject")).values()]
    properties = [plain(one) for each in resources for one in plain(each.get("/Properties")).values()]
    pictures: list[Any] = [
        one for one in map(plain, plain(resources[0].get("/XObject")).values()) if one.get("/Subtype") == "/Form"
    ]
    large = [one for one in objects if one.get("/Subtype") == "/Image" and SMALLEST <= pixels_of(one) <= LARGEST]
    code = b"\n".join(streams)
    is_replaced = b"/ActualText" in plain_names(code) or any("/ActualText" in one for one in properties)
    runs: list[str] = []
    text = page.extract_text(visitor_text=lambda run, *_: runs.append(run))
    return PageObjects(
        text=text,
        one_size=tuple(digits_printed(runs)),
        contents=digest_bytes(streams[0]),
        figures=tuple(digest_bytes(one.get_data()) for one in pictures if one.get("/Subtype") == "/Form"),
        bitmaps=sum(one.get("/Subtype") == "/Image" for one in objects) + len(INLINE_IMAGE.findall(code)),
        bitmap_digests=tuple(digest_bytes(one.get_data()) for one in large),
        bitmap_looks=tuple(map(look_of, large)),
        type3_fonts=tuple(
            str(font.get("/Name", "without a name")) for font in fonts if font.get("/Subtype") == "/Type3"
        ),
        false_digits=tuple(dict.fromkeys(text for font in fonts for text in false_digits(font))),
        annotations=tuple(annotation_texts(page)),
        replaces_text=is_replaced,
    )


def resources_of(holder: Any, streams: list[bytes], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The resources of a page and of every form that it shows; the code of the forms goes to `streams`."""
    resources = plain(holder.get("/Resources"))
    yield resources
    for one in plain(resources.get("/XObject")).values():
        form = one.get_object()
        if depth < DEEPEST and form.get("/Subtype") == "/Form":
            streams.append(form.get_data())
            yield from resources_of(form, streams, depth + 1)


def pixels_of(image: Mapping[str, Any]) -> int:
    return int(image.get("/Width", 0)) * int(image.get("/Height", 0))


def look_of(image: Any) -> str:
    """Which of neighbouring points is darker, in 9 × 8 points. Scaling and packing a picture anew do not change it."""
    try:
        points = list(image.decode_as_image().convert("L").resize((9, 8)).getdata())
    except Exception:  # a filter that nobody knows, for example
        return ""
    return "".join(str(int(points[at] > points[at + 1])) for at in range(72) if at % 9 != 8)


def annotation_texts(page: Any) -> Iterator[str]:
    """Each text that an annotation or a field shows on demand."""
    for one in plain_list(page.get("/Annots")):
        annotation = plain(one)
        holders = (annotation, plain(annotation.get("/Parent")), plain(annotation.get("/MK")))
        yield from (
            str(each[key])
            for each in holders
            for key in ("/Contents", "/V", "/DV", "/TU", "/CA", "/RC")
            if each.get(key)
        )


def plain_names(code: bytes) -> bytes:
    """Names as they are read: #54 is a T."""
    return ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), code)


def plain(value: Any) -> Mapping[str, Any]:
    """A dictionary of the file; empty if it is something else."""
    value = value.get_object() if hasattr(value, "get_object") else value
    return value if isinstance(value, dict) else {}


def plain_list(value: Any) -> list[Any]:
    value = value.get_object() if hasattr(value, "get_object") else value
    return list(value) if isinstance(value, list) else []


if __name__ == "__main__":
    main()
