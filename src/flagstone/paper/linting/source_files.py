"""Reads the agent's files of a paper, and refuses those that are not plain text of LaTeX."""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from flagstone.paper.linting.place import SourceFault, SourcePlace
from flagstone.paper.linting.rules import LintRules
from flagstone.paper.linting.source import PaperSource, joined_source
from flagstone.paper.linting.walking import source_of_text
from flagstone.text import escaped_text

SECTIONS, ABSTRACT = "sections", "abstract.tex"
SIZE_LIMIT = 400_000
FILES_LIMIT = 60
# what every font of a venue has, besides ASCII and the letters of Western and Central Europe
SIGNS = set("\n\t§°±·×÷–—‘’“”„…−≤≥≈€\u00a0")


def read_sources(writing: Path, rules: LintRules) -> PaperSource:
    """All sections and the abstract of a folder, parsed once."""
    return joined_source(source_of_file(path, writing, rules) for path in source_paths(writing))


def source_paths(writing: Path) -> list[Path]:
    folder = writing / SECTIONS
    inside = sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []
    abstract = writing / ABSTRACT
    return [*([abstract] if abstract.exists() or abstract.is_symlink() else []), *inside][:FILES_LIMIT]


def source_of_file(path: Path, writing: Path, rules: LintRules) -> PaperSource:
    name = path.relative_to(writing).as_posix()
    start = SourcePlace(escaped_text(name), 1)
    if name == ABSTRACT:
        start = SourcePlace(name, 1, "abstract", "abstract")
    tex, why = text_of(path)
    if why:
        return PaperSource(faults=(SourceFault(start, why),))
    found = source_of_text(tex, start, rules)
    return joined_source([PaperSource(faults=tuple(character_faults(tex, start))), found])


def text_of(path: Path) -> tuple[str, str]:
    """The text of a file, and why it cannot be used."""
    if path.suffix != ".tex":
        return "", "only .tex files stand among the sections; move it elsewhere"
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        return "", "this is no regular file; write the text itself here"
    if status.st_size > SIZE_LIMIT:
        return "", f"this is larger than {SIZE_LIMIT // 1000} kB; a section is text"
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n"), ""
    except UnicodeDecodeError:
        return "", "this is not UTF-8; save it as UTF-8"


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
