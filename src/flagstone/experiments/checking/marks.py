"""Lines that report themselves when a program uses a file, and text that no program can read."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping

SHELLS = (".sh", ".bash")
NOT_READABLE = "flagstone mark {token} <<<{{[(:\t]\x01\n"


def marked_sources(files: Mapping[str, bytes], token: str) -> dict[str, bytes]:
    """The files that can be marked without a change of what they do: Python, and scripts of a shell."""
    found = {path: marked_source(path, content, token) for path, content in files.items()}
    return {path: content for path, content in found.items() if content is not None}


def marked_source(path: str, content: bytes, token: str) -> bytes | None:
    """A source with a line that writes the token and its path to stderr; None if it cannot have one."""
    try:
        source = content.decode()
    except UnicodeDecodeError:
        return None
    if path.endswith((".py", ".pyw")):
        return marked_python(source, mark(token, path))
    head = source.partition("\n")[0]
    if path.endswith(SHELLS) or (head.startswith("#!") and head.rstrip().endswith("sh")):
        return put_line(source, f"printf '%s\\n' '{mark(token, path)}' >&2\n", after=int(head.startswith("#!")))
    return None


def mark(token: str, path: str) -> str:
    return f"flagstone mark {token} {os.fsencode(path).hex() if set(path) & set(chr(39) + '=:') else path}"


def marked_python(source: str, words: str) -> bytes | None:
    """The line comes after the docstring and imports from `__future__`: before them it would change what they mean."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    after = 0
    for number, node in enumerate(tree.body):
        is_docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (is_docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")):
            break
        after = node.end_lineno or 0
    lines = source.splitlines(keepends=True)
    while after < min(2, len(lines)) and lines[after].startswith("#"):
        after += 1
    marked = put_line(source, f"__import__('os').write(2, {os.fsencode(words) + b'%c' % 10!r})\n", after=after)
    try:
        compile(marked, "marked", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return marked


def put_line(source: str, line: str, *, after: int) -> bytes:
    lines = source.splitlines(keepends=True)
    if after and not lines[after - 1].endswith("\n"):
        lines[after - 1] += "\n"
    return "".join([*lines[:after], line, *lines[after:]]).encode()


def marked_paths(log: str, token: str, paths: Mapping[str, bytes]) -> frozenset[str]:
    """Which files have reported themselves."""
    lines = {line.strip() for line in log.splitlines() if token in line}
    return frozenset(path for path in paths if any(mark(token, path) in line for line in lines))
