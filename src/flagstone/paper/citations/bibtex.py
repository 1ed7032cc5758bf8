"""Renders a bibliography in BibTeX from records. Nothing that a registry or an agent wrote reaches TeX as a command."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from flagstone.paper.citations.registries import WorkRecord
from flagstone.paper.citations.requests import CitationRequest
from flagstone.paper.citations.verifying import CitationStatus, Verification
from flagstone.text import printable_text

SAFE_DOI = re.compile(r"[A-Za-z0-9./()_:;<>+-]+\Z")  # what \url prints as it stands
MOST_AUTHORS = 50
TEXT = 500  # characters of a field
HEAD = "% Rendered by Flagstone from the records of registries. Edits are replaced: change the requests instead.\n"


def bibliography(entries: Iterable[tuple[CitationRequest, Verification]]) -> str:
    """All entries, by key."""
    ordered = sorted(entries, key=lambda entry: entry[0].key)
    return HEAD + "".join(f"\n{entry_text(request, verification)}" for request, verification in ordered)


def entry_text(request: CitationRequest, verification: Verification) -> str:
    """One entry: from the record, or, if there is none, what was asked for and a mark that says so."""
    record = verification.record
    kind = record.kind if record else "misc"
    if record and record.source == "arxiv":
        kind = "article"
    fields = dict(fields_of(record) if record else fields_asked_for(request))
    if verification.status is not CitationStatus.VERIFIED:
        fields["note"] = f"[{verification.status.replace('_', ' ')}: not verified]"
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@{kind}{{{request.key},\n{lines}\n}}\n"


def fields_of(record: WorkRecord) -> Iterator[tuple[str, str]]:
    """The fields of an entry, escaped."""
    yield "author", authors_text(record.authors)
    # a second pair of braces keeps the case of the title
    yield "title", f"{{{tex_text(record.title)}}}"
    yield "year", str(record.years[0]) if record.years else ""
    if record.source == "arxiv":
        yield "journal", f"arXiv preprint {tex_text(record.identifier)}"
        return
    within = {"article": "journal", "inproceedings": "booktitle", "incollection": "booktitle"}.get(record.kind)
    yield within or "howpublished", tex_text(record.venue or ("" if record.kind == "book" else record.publisher))
    yield "volume", tex_text(record.volume)
    yield "number", tex_text(record.issue)
    yield "pages", re.sub(r"\s*[-–—]+\s*", "--", tex_text(record.pages.replace("–", "-")))
    yield "publisher", tex_text(record.publisher) if record.kind in ("book", "incollection", "inproceedings") else ""
    yield "school", tex_text(record.publisher) if record.kind == "phdthesis" else ""
    yield "institution", tex_text(record.publisher) if record.kind == "techreport" else ""
    yield "doi", record.doi if SAFE_DOI.match(record.doi) else ""


def fields_asked_for(request: CitationRequest) -> Iterator[tuple[str, str]]:
    yield "author", authors_text(request.authors)
    yield "title", f"{{{tex_text(request.title)}}}"
    yield "year", str(request.year or "")


def authors_text(names: Iterable[str]) -> str:
    known = [author_text(name) for name in names if name]
    more = ["others"] if len(known) > MOST_AUTHORS else []
    return " and ".join([*known[:MOST_AUTHORS], *more])


def author_text(name: str) -> str:
    """`Family, Given` as BibTeX splits it; what it would split wrongly is in braces."""
    family, comma, given = name.partition(",")
    if not comma:
        is_group = re.search(r"\band\b|\d", name) or len(name.split()) > 4
        return f"{{{tex_text(name)}}}" if is_group else tex_text(name)
    parts = (family.strip(), given.replace(",", " ").strip())
    return ", ".join(f"{{{tex_text(part)}}}" if re.search(r"\band\b", part) else tex_text(part) for part in parts)


def tex_text(text: str) -> str:
    """A text that TeX prints as it stands: braces balance, and no character means anything to TeX or BibTeX."""
    from pylatexenc.latexencode import UnicodeToLatexEncoder

    encoder = UnicodeToLatexEncoder(
        unknown_char_policy="replace", unknown_char_warning=False, replacement_latex_protection="braces-all"
    )
    plain = unicodedata.normalize("NFC", " ".join(printable_text(text[:TEXT], " ").split()))
    # BibTeX counts braces whether they are escaped or not
    parts = re.split(r"([{}])", plain)
    braces = {"{": r"{\textbraceleft}", "}": r"{\textbraceright}"}
    return "".join(braces.get(part) or str(encoder.unicode_to_latex(part)) for part in parts)
