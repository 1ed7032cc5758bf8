"""Pieces of Markdown, and the end of a generation that lacks a sentence."""

from __future__ import annotations

from collections.abc import Iterable

Row = tuple[str, ...]


def grid(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [
        " | ".join(head),
        " | ".join("---" for _ in head),
        *(" | ".join(c.replace("|", "\\|") for c in r) for r in rows),
    ]
    return "".join(f"| {line} |\n" for line in lines)


def code_block(words: str) -> str:
    return f"```text\n{words.rstrip()}\n```\n"


def refuse(names: list[str], part: str) -> None:
    if names:
        raise SystemExit(f"docs/meanings.yaml, {part}: say what these mean, or take them out: {', '.join(names)}")
