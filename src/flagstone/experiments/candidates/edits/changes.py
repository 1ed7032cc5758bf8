"""What an edit changed, in a few words, read off its diff."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from flagstone.text import one_line

# `LR = 3e-4`, `lr: float = 3e-4`, `lr: 3e-4`, `"lr": 3e-4,`
ASSIGNED = re.compile(r"""\s*["']?([A-Za-z_][\w.]*)["']?\s*(?::\s*[\w.\[\] |]+\s*=|=(?!=)|:)\s*(.+?),?\s*(?:#.*)?\Z""")
NOTE = re.compile(r"\s*RUN_NOTE\s*=")
FILE = re.compile(r"diff --git a/(.+) b/(.+)\Z")
LONGEST_LINE = 400  # of a line; what is behind it is never shown, and would be searched through
VALUE = 40
LINE = 60


@dataclass(frozen=True)
class Change:
    """One thing an edit changed: where, and how. Edits of the same `where` become one sentence."""

    where: str
    how: str


def changes_in(diff: str) -> list[Change]:
    """Every change of a diff: constants by name, other lines by what they were and are."""
    found: list[Change] = []
    path, removed, added, is_header = "", list[str](), list[str](), True
    for line in [*diff.splitlines(), "@@"]:
        header = FILE.match(line)
        if header or line.startswith(("@@", " ")):
            found += block_changes(path, removed, added)
            removed, added = [], []
            path, is_header = (header[2], True) if header else (path, False)
        elif not is_header and line[:1] in ("-", "+"):
            (removed if line[0] == "-" else added).append(line[1:LONGEST_LINE])
    return found


def block_changes(path: str, removed: list[str], added: list[str]) -> list[Change]:
    """The changes of lines that stand together."""
    removed, added = ([line for line in lines if not NOTE.match(line)] for lines in (removed, added))
    before, after = ({hit[1]: hit[2] for hit in map(ASSIGNED.match, lines) if hit} for lines in (removed, added))
    both = [name for name in after if name in before and before[name] != after[name]]
    found = [
        Change(f"{path} {name}", f"{one_line(before[name], VALUE)} → {one_line(after[name], VALUE)}") for name in both
    ]
    rest = [line for line in removed if not is_of(line, both)], [line for line in added if not is_of(line, both)]
    if any(line.strip() for lines in rest for line in lines):
        found.append(Change(path, lines_words(*rest)))
    return found


def is_of(line: str, names: list[str]) -> bool:
    hit = ASSIGNED.match(line)
    return hit is not None and hit[1] in names


def lines_words(removed: list[str], added: list[str]) -> str:
    """`− old + new (+3/−2 lines)`."""
    old = next((line.strip() for line in removed if line.strip()), "")
    new = next((line.strip() for line in added if line.strip()), "")
    words = [f"− {one_line(old, LINE)}"] if old else []
    words += [f"+ {one_line(new, LINE)}"] if new else []
    more = f"(+{len(added)}/−{len(removed)} lines)" if len(added) + len(removed) > 2 else ""
    return " ".join([*words, *([more] if more else [])])


def changes_text(changes: list[Change], most: int = 3) -> str:
    """All changes of one edit in a line."""
    words = [f"{each.where}: {each.how}" for each in changes[:most]]
    more = f"and {len(changes) - most} more" if len(changes) > most else ""
    return "; ".join([*words, *([more] if more else [])]) or "nothing"


LONGEST_NOTE = 4096


def run_note(path: Path) -> str:
    """The text of RUN_NOTE, whatever comes after it on its line. Returns '' if there is none."""
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
                return value.value[:LONGEST_NOTE]
    return ""
