"""Plain text as TeX: sentences, and tables that may run over pages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flagstone.text import one_line

CELL = 240
LINE, WIDEST, SPARE = 92, 48, 2  # characters of a line of a table, of a column at most, and beyond a word
WIDTH = 0.88  # of a line; the rest is space between columns
WHOLE = 40  # a word with digits that is not longer than this is never broken
DIGITS = re.compile(r"\d+")
LIGATURE = re.compile(r"(-(?=-)|,(?=,)|[?!](?=`))")
LETTERS = "ßæÆøØœŒłŁ"
ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"
SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "{}&#%_"},
    "$": r"$\mathdollar$",  # \$ is a bitmap font where cm-super is missing
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "\N{MINUS SIGN}": "$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MICRO SIGN}": r"$\mu$",
    "\N{DEGREE SIGN}": r"$^{\circ}$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "→": r"$\rightarrow$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "λ": r"$\lambda$",
    "μ": r"$\mu$",
    "σ": r"$\sigma$",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
}


@dataclass(frozen=True)
class AppendixTable:
    """A table of plain text. `head` has no digits, because it stands on each page anew."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Part = str | AppendixTable


@dataclass(frozen=True)
class AppendixSection:
    """A heading, and the sentences and tables below it."""

    heading: str
    parts: tuple[Part, ...]

    @property
    def texts(self) -> Iterator[str]:
        """Everything that it prints, as plain text."""
        yield plain(self.heading)
        for part in self.parts:
            if isinstance(part, str):
                yield plain(part, len(part))
            else:
                yield from (plain(cell) for row in (part.head, *part.rows) for cell in row)


def section_tex(section: AppendixSection) -> str:
    rows = [f"\\subsection{{{escaped_tex(section.heading)}}}"]
    rows += [table_tex(part) if isinstance(part, AppendixTable) else sentence_tex(part) for part in section.parts]
    return "\n\n".join(rows)


def sentence_tex(text: str) -> str:
    return escaped_tex(text, len(text))


def table_tex(table: AppendixTable) -> str:
    widths = column_widths([table.head, *table.rows])
    columns = "".join(f">{{\\raggedright\\arraybackslash}}p{{{width:.3f}\\linewidth}}" for width in widths)
    head = " & ".join(f"\\textbf{{{escaped_tex(cell)}}}" for cell in table.head)
    rows = (" & ".join(map(escaped_tex, row)) + r" \\" for row in table.rows)
    return "\n".join(
        (
            r"{\footnotesize\setlength{\tabcolsep}{4pt}",
            f"\\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
            f"\\hline {head} \\\\ \\hline \\endhead",
            *rows,
            r"\hline \end{longtable}}",
        )
    )


def column_widths(rows: Sequence[Sequence[str]]) -> list[float]:
    """The part of a line that each column has: enough for its longest word, and more as its longest cell asks."""
    columns = [[plain(cell) for cell in column] for column in zip(*rows, strict=True)]
    words = [max(width(word) for cell in cells for word in (*cell.split(), "")) + SPARE for cells in columns]
    words = [min(WIDEST, length) for length in words]
    wanted = [min(WIDEST, max(map(width, cells))) - word for cells, word in zip(columns, words, strict=True)]
    more = [max(0, each) for each in wanted]
    left = max(0, LINE - sum(words))
    share = min(1.0, left / sum(more)) if sum(more) else 0.0
    sizes = [word + share * each for word, each in zip(words, more, strict=True)]
    return [WIDTH * each / max(sum(sizes), LINE) for each in sizes]


def width(text: str) -> float:
    """How wide a text is, in small letters."""
    return len(text) + 0.4 * sum(sign.isupper() for sign in text)


def plain(text: str, limit: int = CELL) -> str:
    """A text as it is printed: one line, without what the fonts of a paper lack."""
    line = unicodedata.normalize("NFKC", one_line(text, limit))
    return "".join(sign if is_printed(sign) else "?" for sign in line)


def is_printed(sign: str) -> bool:
    """Whether the fonts of every layout have this sign: those above, and Latin letters with an accent."""
    letter, *accents = list(unicodedata.normalize("NFD", sign))
    return sign in SIGNS or sign in LETTERS or (" " <= letter <= "~" and all(each in ACCENTS for each in accents))


def escaped_tex(text: str, limit: int = CELL) -> str:
    """Text of anybody, so that TeX prints it and does nothing else. A short word with digits stays in one piece."""
    return " ".join(word_tex(word) for word in plain(text, limit).split(" "))


def word_tex(word: str) -> str:
    found = LIGATURE.sub(r"\1{}", "".join(SIGNS.get(sign, sign) for sign in word))
    return f"\\mbox{{{found}}}" if len(word) <= WHOLE and DIGITS.search(word) else breakable(found)


def breakable(word: str) -> str:
    """A long word, such as a path, may be broken after a slash or an underscore."""
    return word.replace("/", r"/\allowbreak{}").replace(r"\_", r"\_\allowbreak{}")
