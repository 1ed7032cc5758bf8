"""What `flagstone paper cite` prints: works in lines for people, or in at most 8 kB of JSON for agents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from flagstone.paper.citations import CURES, CitationRow, CitationStatus
from flagstone.text import one_line

MOST_CHARACTERS, MOST_ROWS = 8_000, 100
SETTLED = "✓"


def bounded_json(value: Mapping[str, Any], name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """A value with as many of its rows as fit, and the number of those that were left out."""
    for count in range(min(len(rows), MOST_ROWS), -1, -1):
        whole = {**value, name: rows[:count], "left_out": len(rows) - count}
        text = json.dumps(whole, indent=1, ensure_ascii=False)
        if len(text.encode("utf-8", "replace")) <= MOST_CHARACTERS:
            return text
    return json.dumps({"left_out": len(rows)})


def short_row(row: CitationRow) -> dict[str, Any]:
    """A row as an agent reads it."""
    told = {
        "key": row.key,
        "status": row.status.value,
        "message": one_line(row.message, 300),
        "cure": "" if row.is_settled else CURES[row.status],
        "lost_quotes": [each.quote for each in row.quotes if not each.place][:3],
        "title": one_line(row.title, 160),
        "identifier": row.identifier,
        "waived": one_line(row.waived, 160),
    }
    return {name: value for name, value in told.items() if value}


def print_rows(rows: Sequence[CitationRow]) -> None:
    for row in rows:
        sign = SETTLED if row.is_settled else "✗"
        is_verified = row.status is CitationStatus.VERIFIED
        words = f"{one_line(row.title, 100)} ({row.identifier})" if is_verified else one_line(row.message, 300)
        waived = f" (waived by {one_line(row.waived, 160)})" if row.waived else ""
        click.echo(f"{sign} {row.key or 'not added'}  {row.status.value}: {words}{waived}")
        if not row.is_settled:
            click.echo(f"    {CURES[row.status]}")
        for each in row.quotes:
            if not each.place:
                click.echo(f"    no text of it holds the quote “{each.quote}”")
