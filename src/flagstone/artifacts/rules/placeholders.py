"""Text that was meant to be replaced: placeholders, and sentences copied from a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flagstone.artifacts.rules.summary import without_comments

if TYPE_CHECKING:
    from markdown_it.token import Token

# Alone in brackets, perhaps with dots: "[Pending]" is one, "[pending review by the IRB board]" is prose.
ALONE = (
    r"in progress|pending|todo|to do|tbd|tba|tbc|fixme|xxx+|wip|placeholder|coming soon|fill in|insert here"
    r"|to be (?:determined|populated|completed|filled(?: in)?|added|decided|announced|written|done|updated)"
)
PLACEHOLDER = re.compile(
    rf"\[\s*(?:(?:{ALONE})\s*[.…:!?]*"
    r"|(?:todo|tbd|fixme|in progress|pending|placeholder)\s*(?:[:…–—-]|\.\.\.)[^\]\n]*"
    r"|(?:placeholder|to be (?:determined|populated)|(?-i:TODO|TBD|FIXME))\b[^\]\n]*"
    r")\s*\]",
    re.IGNORECASE,
)
BARE = re.compile(r"(?<![\w/-])(?:TODO|FIXME|TBD)\s*:")
NOTHING_ELSE = re.compile(r"\W*(?:tbd|tba|todo|fixme|placeholder|in progress|lorem ipsum.*)\W*", re.IGNORECASE)
ANGLE = re.compile(r"<[A-Za-z][^<>=/!:\n]*[a-z] [a-z][^<>=/!:\n]*(?<! )>")
DOTS = re.compile(r"(?:\.\.\.|…)")
READ_AS = {
    "code_inline": "\N{OBJECT REPLACEMENT CHARACTER}",
    "softbreak": "\n",
    "hardbreak": "\n",
    "link_open": "[",
    "link_close": "]",
}
TEMPLATE_TEXTS = frozenset(
    (
        "first refinement suggestion",
        "second refinement suggestion",
        "third refinement suggestion",
        "first suggestion",
        "second suggestion",
        "third suggestion",
        "suggestion 1",
        "suggestion 2",
        "suggestion 3",
        "path/to/file",
        "path to file",
        "stage nn: stage name",
        "what this stage had to settle, in two to four sentences that name the brief's question",
        "exactly three suggestions, a numbered list from one to three",
        "the six fixed options, a numbered list from one to six",
    )
)


def prose_text(token: Token) -> str:
    """A token's words as they are read, without code; links keep brackets, for `[TBD](…)` is still open."""
    if token.type == "html_block":
        return without_comments(token.content)
    return "".join(READ_AS.get(child.type, child.content) for child in token.children or ())


def prose_blocks(tokens: Sequence[Token]) -> Iterator[str]:
    return (prose_text(token) for token in tokens if token.type in ("inline", "html_block"))


def placeholders(tokens: Sequence[Token]) -> Iterator[str]:
    """Every piece of text outside code that says something is still to come."""
    for text in prose_blocks(tokens):
        yield from (found.group() for found in PLACEHOLDER.finditer(text))
        yield from (found.group() for found in BARE.finditer(text))
        for line in text.split("\n"):
            if len(line) < 200 and NOTHING_ELSE.fullmatch(line) and not PLACEHOLDER.search(line):
                yield line.strip()


def template_texts(tokens: Sequence[Token]) -> Iterator[str]:
    """Every piece of text that belongs to the instructions and not to an answer."""
    for text in prose_blocks(tokens):
        for line in text.split("\n"):
            bare = " ".join(line.replace("[", " ").replace("]", " ").split()).strip(" .*_").lower().replace("’", "'")
            if bare in TEMPLATE_TEXTS or DOTS.fullmatch(line.strip()):
                yield line.strip()
        yield from (found.group() for found in ANGLE.finditer(text))
