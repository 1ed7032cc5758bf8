"""facts.json and facts.tex: the facts for programs, and the macros that print them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from flagstone.paper.facts.fact import Fact, FactBook
from flagstone.paper.facts.formats import MINUS
from flagstone.records import write_if_changed

# TeX reads these as commands; a backslash in the replacement of another may not be replaced again, so it is one table
ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        ",": "{,}",  # mathematics sets a space after it
        "-": "{-}",  # two would become a dash
        MINUS: r"\flagstoneminus{}",
    }
)
# \val has to be expandable: contents, running heads and bookmarks take its text before anything is set.
MACROS = r"""% Written by Flagstone from facts.yaml. Changes are lost.
\DeclareRobustCommand{\flagstoneminus}{\ensuremath{\mathord{-}}}
\makeatletter
\AtBeginDocument{\@ifpackageloaded{hyperref}{\pdfstringdefDisableCommands{\def\flagstoneminus{\textminus}}}{}}
\makeatother
\def\val#1{\ifcsname flagstone.#1\endcsname\csname flagstone.#1\endcsname\else\ThisFactIsUnknown\fi}
\def\lit#1#2{#1}
"""


def write_facts(book: FactBook, out: Path) -> None:
    """Writes both files. The same facts give the same bytes."""
    write_if_changed(out / "facts.json", facts_json(book).encode())
    write_if_changed(out / "facts.tex", facts_tex(book).encode())


def facts_json(book: FactBook) -> str:
    records = {key: asdict(book.facts[key]) for key in sorted(book.facts)}
    return json.dumps(records, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def facts_tex(book: FactBook) -> str:
    return MACROS + "".join(definitions(book.facts[key] for key in sorted(book.facts)))


def definitions(facts: Iterator[Fact]) -> Iterator[str]:
    for fact in facts:
        yield f"\\expandafter\\def\\csname flagstone.{fact.key}\\endcsname{{{tex_text(fact.printed)}}}\n"


def tex_text(text: str) -> str:
    """A text as TeX prints it, character by character."""
    return text.translate(ESCAPES)
