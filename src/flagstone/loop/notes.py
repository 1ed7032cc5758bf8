"""The note that an edit carries in the file itself: `RUN_NOTE = "…"`."""

from __future__ import annotations

import ast
from pathlib import Path

LONGEST = 4096


def run_note(path: Path) -> str:
    """The text of RUN_NOTE, whatever stands behind it on its line; '' where there is none."""
    try:
        return note_in(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


def note_that_changed(before: bytes | None, path: Path) -> str:
    """The note of a file, unless it is still that of the file it was edited from."""
    now = run_note(path)
    return "" if before is not None and note_in(before.decode("utf-8", "replace")) == now else now


def note_in(source: str) -> str:
    for line in source.splitlines():
        if line.startswith("RUN_NOTE"):
            try:
                tree = ast.parse(line.strip())
            except (SyntaxError, ValueError):
                continue
            node = tree.body[0] if tree.body else None
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value[:LONGEST]
    return ""
