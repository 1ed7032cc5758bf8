"""The code of a Jupyter notebook, each line at the number that it has in the file."""

from __future__ import annotations

import json
from collections.abc import Iterator

MAGIC = ("%", "!", "?")


def notebook_code(text: str) -> str:
    """The code cells of a notebook as one program. ValueError if it is none, or is written on few long lines."""
    lines = text.splitlines()
    code = [""] * len(lines)
    position = 0
    for line in code_lines(json.loads(text)):
        spellings = {json.dumps(line), json.dumps(line, ensure_ascii=False)}
        position = next(
            (number for number in range(position, len(lines)) if lines[number].strip().rstrip(",") in spellings), -1
        )
        if position < 0:
            raise ValueError("its lines of code are no lines of the file")
        code[position] = line.rstrip("\n")
        position += 1
    return "\n".join(code)


def code_lines(notebook: object) -> Iterator[str]:
    """The lines of all code cells. What is no Python, such as `!pip install`, is left out."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for cell in cells if isinstance(cells, list) else ():
        source = cell.get("source") if isinstance(cell, dict) and cell.get("cell_type") == "code" else None
        lines = [line for line in source if isinstance(line, str)] if isinstance(source, list) else []
        if lines and not lines[0].startswith("%%"):
            yield from (
                line for line in lines if not line.lstrip().startswith(MAGIC) and not line.rstrip().endswith("?")
            )
