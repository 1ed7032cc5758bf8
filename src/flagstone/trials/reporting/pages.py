"""A page of headings, sentences and tables, written as Markdown and as HTML from the same content."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
body { color: #1c1c1c; background: #fff }
table { border-collapse: collapse; font-size: 14px; display: block; overflow-x: auto; margin: 1rem 0 }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .6rem; text-align: left; white-space: nowrap }
td:nth-child(6):last-child { white-space: normal; min-width: 20rem }
img { max-width: 100%; background: #fff }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #161616 } th, td { border-color: #444 } }
"""


@dataclass(frozen=True)
class Table:
    """A table with its columns; a cell is text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def csv(self) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        return text.getvalue().encode()


@dataclass(frozen=True)
class Picture:
    """A picture beside the page, with what it shows in words."""

    name: str
    alt: str


@dataclass(frozen=True)
class Section:
    """A heading and what follows it: sentences, tables, pictures."""

    heading: str
    parts: tuple[str | Table | Picture, ...]


def markdown(title: str, sections: Sequence[Section]) -> str:
    found = [f"# {plain_line(title)}"]
    for section in sections:
        found.append(f"## {plain_line(section.heading)}")
        found += [markdown_part(part) for part in section.parts]
    return "\n\n".join(found) + "\n"


def markdown_part(part: str | Table | Picture) -> str:
    if isinstance(part, Table):
        rows = [part.columns, tuple("---" for _ in part.columns), *part.rows]
        return "\n".join("| " + " | ".join(markdown_cell(cell) for cell in row) + " |" for row in rows)
    if isinstance(part, Picture):
        return f"![{part.alt}]({part.name})"
    return plain_line(part)


def markdown_cell(text: str) -> str:
    return plain_line(text).replace("|", "\\|")


def plain_line(text: str) -> str:
    return " ".join(text.split())


def page(title: str, sections: Sequence[Section]) -> str:
    """The same as HTML. Text is escaped: agents have written some of it."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    for section in sections:
        body.append(f"<h2>{html.escape(section.heading)}</h2>")
        body += [html_part(part) for part in section.parts]
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"<head>{meta}<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
    return f'<!doctype html>\n<html lang="en">{head}\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


def html_part(part: str | Table | Picture) -> str:
    if isinstance(part, Picture):
        return f'<p><img src="{html.escape(part.name)}" alt="{html.escape(part.alt)}"></p>'
    if isinstance(part, str):
        return f"<p>{html.escape(part)}</p>"
    head = "".join(f"<th>{html.escape(name)}</th>" for name in part.columns)
    rows = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in part.rows)
    return f"<table>\n<tr>{head}</tr>\n{rows}\n</table>"
