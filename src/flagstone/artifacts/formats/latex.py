"""As much LaTeX and BibTeX as it takes to see which files belong together and what is cited."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
INPUT = re.compile(r"\\(?:input|include|subfile)\s*\{([^{}]+)\}|\\input\s+([^\s{}\\]+)")
IF_EXISTS = re.compile(r"\\IfFileExists\s*\{([^{}]+)\}")
MACRO = re.compile(r"[#\\]")
CITE = re.compile(r"\\[A-Za-z]*[cC]ite[A-Za-z]*\*?\s*(?:\[[^\]]*\]\s*){0,2}\{([^{}]*)\}")
BIBLIOGRAPHY = re.compile(r"\\(?:bibliography|addbibresource)\s*(?:\[[^\]]*\])?\s*\{([^{}]+)\}")
VENUE = re.compile(r"^\s*%+\s*(?:flagstone\s+)?venue\s*:\s*([A-Za-z0-9_.-]+)", re.MULTILINE | re.IGNORECASE)
ENTRY = re.compile(r"@\s*([A-Za-z]+)\s*[{(]\s*")
KEY = re.compile(r"([^\s,{}()=\"#%~\\]+)\s*,")
NOT_ENTRIES = frozenset({"comment", "string", "preamble"})
CLASS = re.compile(r"\\documentclass\s*(?:\[[^\]]*\]\s*)?\{\s*[^{}\s]+\s*\}")


def without_comments(tex: str) -> str:
    return "\n".join(COMMENT.sub(r"\1", line) for line in tex.split("\n"))


def inputs(tex: str) -> list[str]:
    """What a source reads in whatever happens, as paths with their ending; `tex` is free of comments."""
    optional = set(IF_EXISTS.findall(tex))
    names = [(braced or plain).strip().strip('"') for braced, plain in INPUT.findall(tex)]
    return [with_ending(name, ".tex") for name in names if name not in optional and not MACRO.search(name)]


def bibliographies(tex: str) -> list[str]:
    return [with_ending(name.strip(), ".bib") for names in BIBLIOGRAPHY.findall(tex) for name in names.split(",")]


def with_ending(name: str, ending: str) -> str:
    clean = os.path.normpath(name)
    return clean if clean.endswith(ending) else clean + ending


def cited_keys(tex: str) -> set[str]:
    return {key.strip() for keys in CITE.findall(tex) for key in keys.split(",") if key.strip() not in ("", "*")}


def entry_keys(bib: str) -> Iterator[str]:
    """The keys of all whole entries; an entry whose braces do not close raises ValueError with its line."""
    at = 0
    while found := ENTRY.search(bib, at):
        line = bib.count("\n", 0, found.start()) + 1
        at = end_of_entry(bib, found.end(), line)
        if found[1].lower() not in NOT_ENTRIES:
            key = KEY.match(bib, found.end())
            if not key:
                raise ValueError(f"line {line}: an entry without a key")
            yield key[1]


def end_of_entry(bib: str, start: int, line: int) -> int:
    """Where an entry ends: the brace that closes the one before `start`."""
    opened = "(" if bib[start - 1 :: -1].lstrip().startswith("(") else "{"
    depth = 1
    for found in re.compile(r"\\.|[{}()]").finditer(bib, start):
        mark = found.group()
        depth += {"{": 1, "}": -1}.get(mark, 0)
        if depth == 0 or (opened == "(" and depth == 1 and mark == ")"):
            return found.end()
    raise ValueError(f"line {line}: an entry whose braces do not close")
