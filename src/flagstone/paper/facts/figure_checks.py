"""Whether a drawn figure is fit to be printed: its lines, fonts, size and data, and what its caption says."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from flagstone.artifacts.formats import Unreadable, decode_text
from flagstone.paper.facts.figure_job import COLUMN_INCHES
from flagstone.paper.facts.results_file import table_rows

POINTS = 72.0  # of an inch
SLACK = 1.1
PAGE_SLACK = 1.3  # the text of a layout with one column is between 4.8 and 6.5 in wide
MOST_DRAWING_BYTES = 4_000_000
TEXT_POINTS = (6.5, 9.5)
DRAWING = re.compile(rb"(?:^|\s)(?:[lcvyh]|re|f\*?|S|B\*?|Tj|TJ)(?=\s)")
FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
COUNT_WORDS = re.compile(r"\bn\b|\bn\s*=", re.IGNORECASE)
BARS = {
    "sd": (re.compile(r"\bs\.?d\b|standard deviation", re.IGNORECASE), "sd"),
    "sem": (re.compile(r"\bs\.?e\.?m\b|standard error", re.IGNORECASE), "sem"),
    "interval": (re.compile(r"\bintervals?\b", re.IGNORECASE), "interval"),
}
FLOAT = re.compile(r"\\begin\{(figure\*?|wrapfigure)\}(.*?)\\end\{\1\}", re.DOTALL)


def pdf_faults(pdf: bytes, inches: float, said: list[str]) -> Iterator[str]:
    """What is wrong with the PDF of a figure that is to be so many inches wide. Its text is added to `said`."""
    from pypdf import PdfReader  # here, not above: it is needed only where a figure is drawn
    from pypdf.errors import PyPdfError

    try:
        pages = PdfReader(io.BytesIO(pdf)).pages
        if len(pages) != 1:
            yield f"its PDF has {len(pages)} pages; save one"
            return
        page = pages[0]
        yield from size_faults(page, inches)
        yield from font_faults(page)
        stream = page.get_contents()
        content = stream.get_data() if stream is not None else b""
        if not DRAWING.search(content):
            yield "it is a bitmap or empty; draw it with lines and text, and save it as PDF"
        if len(content) > MOST_DRAWING_BYTES:  # a reader would take minutes
            yield "it has too many lines and points; draw the points with rasterized=True"
            return
        yield from text_faults(page, said)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield f"its PDF cannot be read ({type(error).__name__}); save it with matplotlib's savefig"


def size_faults(page: Any, inches: float) -> Iterator[str]:
    found = float(page.mediabox.width) / POINTS
    most = inches * (SLACK if inches <= COLUMN_INCHES else PAGE_SLACK)
    if not inches * 0.5 <= found <= most:
        yield f"it is {found:.1f} in wide; draw it {inches} in wide (figsize), so that its text keeps its size"


def font_faults(page: Any) -> Iterator[str]:
    for name, font in fonts_in(page, 0):
        if font.get("/Subtype") == "/Type3":
            yield f"its font {name} is a Type 3 bitmap or drawing; set pdf.fonttype to 42"
            continue
        holder = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        descriptor = holder.get("/FontDescriptor")
        if descriptor is None or not any(key in descriptor.get_object() for key in FONT_FILES):
            yield f"its font {name} is not embedded; set pdf.fonttype to 42, and leave pdf.use14corefonts off"


def fonts_in(holder: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """The fonts of a page, and of the drawings within it."""
    resources = holder.get("/Resources")
    if resources is None or depth > 3:
        return
    resources = resources.get_object()
    fonts = resources.get("/Font")
    for name, font in (fonts.get_object() if fonts is not None else {}).items():
        found = font.get_object()
        yield str(found.get("/BaseFont", name)).lstrip("/"), found
    drawings = resources.get("/XObject")
    for drawing in (drawings.get_object() if drawings is not None else {}).values():
        yield from fonts_in(drawing.get_object(), depth + 1)


def text_faults(page: Any, said: list[str]) -> Iterator[str]:
    """Whether most of its text has the size of a caption."""
    sizes = Counter[float]()

    def note(text: str, _: Any, matrix: Any, __: Any, size: float) -> None:
        scale = abs(matrix[3]) or abs(matrix[1]) or 1.0
        sizes[round(size * scale, 1)] += len(text.strip())

    said.append(page.extract_text(visitor_text=note))
    sizes = +sizes
    if not sizes:
        return
    usual = sizes.most_common(1)[0][0]
    if not TEXT_POINTS[0] <= usual <= TEXT_POINTS[1]:
        yield f"most of its text is {usual:g} pt; use 7 to 9 pt"


def data_faults(content: bytes) -> Iterator[str]:
    """What is wrong with the data beside a figure."""
    try:
        rows = list(table_rows(decode_text(content), ","))
    except Unreadable as refusal:
        yield f"its data cannot be used: {refusal.reason}"
        return
    if not rows:
        yield "its data has no rows; write what the figure shows, one row for each point or bar"


def caption_faults(caption: str | None, bars: str) -> Iterator[str]:
    """What a caption does not say."""
    if caption is None:
        yield "it has no caption; put it into a figure with \\caption, or give `caption`"
        return
    words = re.sub(r"[\\${}~]", " ", caption)
    if not COUNT_WORDS.search(words):
        yield "its caption does not say n; say how many runs each point stands for (n = …)"
    wanted = [BARS[bars]] if bars in BARS else list(BARS.values()) if bars != "none" else []
    if wanted and not any(pattern.search(words) for pattern, _ in wanted):
        names = " or ".join(name for _, name in wanted)
        yield f"its caption does not say what its bars are; write {names}, or set `bars: none` if it has none"


def captions_in(texts: Mapping[str, str]) -> dict[str, str]:
    """The caption beside each included figure, by the figure's name."""
    found = {}
    for text in texts.values():
        for _, body in FLOAT.findall(text):
            for name in re.findall(r"\\includegraphics\s*(?:\[[^\]]*\])?\s*\{(?:[^{}]*/)?([^{}/]+?)(?:\.pdf)?\}", body):
                found[name] = " ".join(captions_of(body))
    return found


def captions_of(body: str) -> Iterator[str]:
    """The text of each `\\caption{…}`, to its own closing brace."""
    for mark in re.finditer(r"\\caption\*?\s*(?:\[[^\]]*\])?\s*\{", body):
        depth, start = 1, mark.end()
        for at in range(start, len(body)):
            depth += {"{": 1, "}": -1}.get(body[at], 0) if body[at - 1] != "\\" else 0
            if not depth:
                yield body[start:at]
                break
