"""What TeX that Flagstone and LaTeX wrote prints, as far as its digits go, and what an .aux file says."""

from __future__ import annotations

import re
from collections.abc import Iterator

COMMENT = re.compile(r"(?<!\\)%.*")
UNPRINTED = re.compile(
    r"\\(?:label|cite\w*|ref|bibitem(?:\[[^\]]*\])?|begin\{thebibliography\}|begin|end|hspace\*?|vspace\*?|bibinfo"
    r"|href|input|natexlab|selectlanguage|includegraphics(?:\[[^\]]*\])?)\s*\{[^{}]*\}"
)
LENGTH = re.compile(r"\\(?:penalty|hskip|vskip|kern|hangindent)\s*-?[\d.]+\w*(?:\s+(?:plus|minus)\s+[\d.]+\w*)*")
BREAK = re.compile(r"\\\\(?:\[[^\]]*\])?")
MACRO = re.compile(r"\\(?:[a-zA-Z@]+\*?|.)")
SIGNS = {"\\flagstoneminus": "−", "{-}": "-", "---": "—", "--": "–", "~": " "}


def printed_text(tex: str) -> str:
    """The text without macros, braces, labels and lengths. Words may come out wrong; digits do not."""
    for pattern, instead in ((COMMENT, ""), (UNPRINTED, " "), (LENGTH, " "), (BREAK, " ")):
        tex = pattern.sub(instead, tex)
    for sign, plain in SIGNS.items():
        tex = tex.replace(sign, plain)
    return MACRO.sub(" ", tex).replace("{", "").replace("}", "").replace("$", "")


def arguments_of(tex: str, macro: str, count: int) -> Iterator[list[str]]:
    """The arguments in braces of each use of a macro."""
    for found in re.finditer(re.escape(macro) + r"\s*(?={)", tex):
        yield groups_at(tex, found.end(), count)


def groups_at(tex: str, position: int, count: int) -> list[str]:
    """The next groups in braces, without the braces; fewer if there are fewer."""
    groups: list[str] = []
    while len(groups) < count and (start := tex.find("{", position)) >= 0 and not tex[position:start].strip():
        depth = 0
        for position in range(start, len(tex)):
            depth += (tex[position] == "{") - (tex[position] == "}")
            if not depth:
                break
        groups.append(tex[start + 1 : position])
        position += 1
    return groups
