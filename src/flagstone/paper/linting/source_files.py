"""Reads the agent's files of a paper, and refuses those that are not plain text of LaTeX."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flagstone.artifacts.formats import Unreadable, decode_text, read_plain
from flagstone.errors import FlagstoneError
from flagstone.paper.linting.place import SourceFault, SourcePlace
from flagstone.paper.linting.printed_text import BREAK, Piece, PrintedText
from flagstone.paper.linting.rules import LintRules
from flagstone.paper.linting.source import PaperSource, joined_source
from flagstone.paper.linting.walking import source_of_text
from flagstone.schemas import read_yaml
from flagstone.text import escaped_text

SECTIONS, ABSTRACT, RECORD, TABLES = "sections", "abstract.tex", "paper.yaml", "tables.yaml"
SIZE_LIMIT = 150_000  # thirty pages have about as much in all
FILES_LIMIT = 40
# what every font of a venue has, besides ASCII and the letters of Western and Central Europe
SIGNS = set("\n\t§°±·×÷–—‘’“”„…−≤≥≈€\u00a0")


def read_sources(writing: Path, rules: LintRules, contents: Mapping[str, bytes | None] | None = None) -> PaperSource:
    """The title, the abstract and all sections of a folder, parsed once.

    `contents` are files that were read before, and are printed as they were then: a file may change in between.
    """
    known = {writing / name: content for name, content in (contents or {}).items() if content is not None}
    paths = list(dict.fromkeys([*known, *source_paths(writing)]))
    sources = [
        title_source(writing),
        table_source(writing),
        *(source_of_file(path, writing, rules, known.get(path)) for path in paths[:FILES_LIMIT]),
    ]
    if len(paths) > FILES_LIMIT:
        why = f"there are more than {FILES_LIMIT} files; a paper has fewer, so join some"
        sources.append(PaperSource(faults=(SourceFault(SourcePlace(SECTIONS, 1), why),)))
    return joined_source(sources)


def source_paths(writing: Path) -> list[Path]:
    folder = writing / SECTIONS
    is_folder = folder.is_dir() and not folder.is_symlink()
    inside = sorted(itertools.islice(folder.iterdir(), FILES_LIMIT + 1)) if is_folder else [folder]
    return [path for path in (writing / ABSTRACT, *inside) if os.path.lexists(path)]


def source_of_file(path: Path, writing: Path, rules: LintRules, content: bytes | None) -> PaperSource:
    name = escaped_text(path.relative_to(writing).as_posix())
    is_abstract = name == ABSTRACT
    start = SourcePlace(name, 1, "abstract" if is_abstract else "", "abstract" if is_abstract else "text")
    tex, why = text_of(path, content)
    if why:
        return PaperSource(faults=(SourceFault(start, why),))
    faults = PaperSource(faults=tuple(character_faults(tex, start)))
    return joined_source([faults, source_of_text(tex, start, rules)])


def title_source(writing: Path) -> PaperSource:
    """The words of paper.yaml, which is no LaTeX. Whoever builds the paper says what else is wrong with it."""
    record = record_in(writing / RECORD)
    keywords = record.get("keywords")
    texts = [record.get("title"), record.get("short_title"), *(keywords if isinstance(keywords, list) else [])]
    return named_source(RECORD, texts)


def table_source(writing: Path) -> PaperSource:
    """The words that are typed into tables.yaml: heads, and cells that are no facts."""
    texts: list[object] = []
    for table in record_in(writing / TABLES).values():
        found = table if isinstance(table, dict) else {}
        columns, rows = found.get("columns"), found.get("cells")
        texts += [each.get("head") for each in columns if isinstance(each, dict)] if isinstance(columns, list) else []
        for row in rows if isinstance(rows, list) else ():
            texts += [cell for cell in row if isinstance(cell, str)] if isinstance(row, list) else []
    return named_source(TABLES, texts)


def record_in(path: Path) -> dict[str, Any]:
    try:
        record = read_yaml(path)
    except FlagstoneError:
        return {}
    return record if isinstance(record, dict) else {}


def named_source(name: str, texts: Iterable[object]) -> PaperSource:
    """Texts that can hold no fact."""
    printed = [str(text) for text in texts if text]
    place = SourcePlace(name, 1, "title", "title")
    faults = tuple(fault for text in printed for fault in character_faults(text, place))
    pieces = tuple(Piece(part, place) for text in printed for part in (text, BREAK))
    return PaperSource(texts=(PrintedText(pieces),), faults=faults)


def text_of(path: Path, content: bytes | None) -> tuple[str, str]:
    """The text of a file, which may have been read, and why it cannot be used."""
    if path.suffix != ".tex":
        return "", "only .tex files stand in sections/; the layout and its styles are Flagstone's, so remove this one"
    try:
        content = read_plain(path, SIZE_LIMIT) if content is None or len(content) > SIZE_LIMIT else content
        return decode_text(content).replace("\r\n", "\n"), ""
    except Unreadable as refusal:
        return "", f"this file is of no use: {refusal.reason}; write the text itself here"


def character_faults(tex: str, start: SourcePlace) -> Iterator[SourceFault]:
    """Characters that print as a number, that no font has, or that hide what follows; each line once."""
    for number, line in enumerate(tex.split("\n"), start.line):
        here = SourcePlace(start.file, number, start.section, start.within)
        if "^^" in line:
            yield SourceFault(here, "^^ is a way to write another character; write that character")
        strange = [
            letter
            for letter in line
            if (ord(letter) > 126 and not is_plain(letter)) or (ord(letter) < 32 and letter != "\t")
        ]
        if strange:
            name = unicodedata.name(strange[0], f"U+{ord(strange[0]):04X}").lower()
            yield SourceFault(
                here, f"“{escaped_text(strange[0])}” ({name}) cannot stand in a paper; {cure_of(strange[0])}"
            )


def is_plain(letter: str) -> bool:
    return "\u00c0" <= letter <= "\u017f" or letter in SIGNS


def cure_of(letter: str) -> str:
    digits = unicodedata.normalize("NFKC", letter)
    if any(unicodedata.numeric(each, None) is not None for each in digits):
        return "a number is a fact: \\val{…}"
    return "use a macro for it, or leave it out"
