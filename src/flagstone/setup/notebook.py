"""The code of a Jupyter notebook, in which each line is found where it stands in the file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

MAGIC = re.compile(r"\s*(%+\w|!|\?|[\w.,\s]+=\s*(!|%\w)|[\w.]+\?+\s*$)")


def notebook_syntax(text: str) -> ast.Module:
    """The code cells of a notebook as one program, with the numbers that lines have in the file."""
    rows = list(placed_lines(text))
    tree = ast.parse("\n".join(line for _, line in rows))
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.expr | ast.arg | ast.keyword | ast.excepthandler):
            node.end_lineno = rows[(node.end_lineno or node.lineno) - 1][0]
            node.lineno = rows[node.lineno - 1][0]
    return tree


def placed_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line of code with its number in the file. All are on line 1 where a notebook is written as one line."""
    number, position = 1, 0
    for piece in code_pieces(json.loads(text)):
        if position >= 0:
            start, position = position, place_of(piece, text, position)
            number += text.count("\n", start, max(start, position))
        yield from ((number, without_magic(line)) for line in piece.splitlines())
        position += len(piece) if position >= 0 else 0


def place_of(piece: str, text: str, start: int) -> int:
    """Where a piece of code begins in the JSON text. Returns -1 if it is spelled in an unusual way."""
    place = text.find(json.dumps(piece, ensure_ascii=False), start)
    return place if place >= 0 else text.find(json.dumps(piece), start)


def without_magic(line: str) -> str:
    """The line. What is no Python, such as `!pip install`, is left out; a block of nothing else stays one."""
    return f"{line[: len(line) - len(line.lstrip())]}pass" if MAGIC.match(line) else line


def code_pieces(notebook: object) -> Iterator[str]:
    """The sources of all code cells as the file has them: one text a line, or one for the whole cell."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for cell in cells if isinstance(cells, list) else ():
        source = cell.get("source") if isinstance(cell, dict) and cell.get("cell_type") == "code" else None
        pieces = [source] if isinstance(source, str) else source if isinstance(source, list) else []
        pieces = [piece for piece in pieces if isinstance(piece, str)]
        if pieces and not pieces[0].startswith("%%"):
            yield from pieces
