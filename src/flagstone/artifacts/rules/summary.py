"""Parse a stage's summary with a Markdown parser, keeping every section's text as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.artifacts.formats import Unreadable, decode_text, read_plain
from flagstone.artifacts.rules.findings import RuleCheck, failed_check

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

SUMMARY_LIMIT_BYTES = 1_000_000
SECTIONS = (
    "Objective",
    "Previously Approved Stage Summaries",
    "What I Did",
    "Key Results",
    "Files Produced",
    "Suggestions for Refinement",
    "Your Options",
)
FILES, SUGGESTIONS, OPTIONS_SECTION = SECTIONS[4:]
OPTIONS = (
    "Use suggestion 1",
    "Use suggestion 2",
    "Use suggestion 3",
    "Refine with your own feedback",
    "Approve and continue",
    "Abort",
)
KNOWN_FOLDERS = ("workspace/", "experiments/", "trials/", "paper/", "bundle/", "stages/", "drafts/", "index/", "logs/")
FILE_ENDINGS = frozenset(
    re.findall(
        r"\w+",
        "aux bib bst cfg cls csv gz html ipynb jl jpeg jpg json jsonl log md npy npz parquet pdf pkl png ps"
        " pt py r rst safetensors sh sty svg tar tex toml tsv txt xml yaml yml zip",
    )
)
NOT_A_PATH = re.compile(r"""://|[*?\[\]{}$|;&<>()"'`,]|\s-|^-|^@|^#""")
ROOTED = re.compile(r"/|\.\.?/|~|[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class SummarySection:
    """A level-two heading and the text below it, unchanged."""

    name: str
    text: str
    tokens: Sequence[Token]

    @property
    def is_empty(self) -> bool:
        return not any(has_content(token) for token in self.tokens)


@dataclass(frozen=True)
class StageSummary:
    """A stage's summary as it was written, taken apart at its headings."""

    title: str
    title_count: int
    starts_with_title: bool
    sections: tuple[SummarySection, ...]
    tokens: Sequence[Token]

    def section(self, name: str) -> SummarySection | None:
        return next((section for section in self.sections if section.name == name), None)

    def text_of(self, name: str) -> str:
        section = self.section(name)
        return section.text if section else ""

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The paths listed under Files Produced, as written."""
        section = self.section(FILES)
        return tuple(dict.fromkeys(paths_in(section.tokens))) if section else ()

    @cached_property
    def suggestions(self) -> tuple[str, ...]:
        """The texts of the numbered suggestions (three, when the contract is kept)."""
        section = self.section(SUGGESTIONS)
        return tuple(text for _, text in numbered_items(section)) if section else ()


def read_summary(path: Path) -> tuple[str, tuple[RuleCheck, ...]]:
    """The draft's text, or why it cannot be read as text."""
    try:
        return decode_text(read_plain(path, SUMMARY_LIMIT_BYTES)), ()
    except Unreadable as refusal:
        return "", (unreadable_summary(refusal.reason),)


def unreadable_summary(reason: str) -> RuleCheck:
    return failed_check("summary-unreadable", f"the summary cannot be read: {reason}; write it as UTF-8 Markdown text")


def parse_summary(text: str) -> StageSummary:
    """Parses a summary. It accepts any text."""
    clean = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    lines, tokens = clean.split("\n"), markdown_parser().parse(clean)
    heads = [at for at, token in enumerate(tokens) if is_heading(token)]
    titles = [at for at in heads if tokens[at].tag == "h1"]
    bounds = [*heads, len(tokens)]
    sections = []
    for at, following in pairwise(bounds):
        if tokens[at].tag == "h2":
            body = tokens[at + 3 : following]
            sections.append(
                SummarySection(heading_text(tokens[at + 1]), section_text(lines, tokens, at, following), body)
            )
    return StageSummary(
        title=heading_text(tokens[titles[0] + 1]) if titles else "",
        title_count=len(titles),
        starts_with_title=bool(titles) and titles[0] == 0,
        sections=tuple(sections),
        tokens=tokens,
    )


@cache
def markdown_parser() -> MarkdownIt:
    """The parser, made once: it keeps nothing between two texts."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def is_heading(token: Token) -> bool:
    """A top-level `#` or `##` heading: underlined ones and those in lists and quotations are content."""
    at_top = token.type == "heading_open" and token.level == 0
    return at_top and token.tag in ("h1", "h2") and token.markup.startswith("#")


def heading_text(inline: Token) -> str:
    return " ".join(inline.content.split())


def section_text(lines: list[str], tokens: Sequence[Token], at: int, following: int) -> str:
    """The lines between a heading and the next one, word for word."""
    _, first = tokens[at].map or (0, 0)
    end, _ = (tokens[following].map if following < len(tokens) else None) or (len(lines), 0)
    return "\n".join(lines[first:end]).strip("\n")


def has_content(token: Token) -> bool:
    if token.type in ("inline", "fence", "code_block"):
        return bool(token.content.strip())
    return token.type == "html_block" and bool(without_comments(token.content).strip())


def without_comments(html: str) -> str:
    return re.sub(r"<!--.*?(?:-->|\Z)", " ", html, flags=re.DOTALL)


def numbered_items(section: SummarySection) -> list[tuple[str, str]]:
    """Number and text of every item of the section's own numbered lists; lists within items are text."""
    items: list[tuple[str, str]] = []
    for at, token in enumerate(section.tokens):
        if token.type == "list_item_open" and token.level == 1 and token.markup in (".", ")") and token.info:
            items.append((token.info, item_text(section.tokens, at)))
    return items


def item_text(tokens: Sequence[Token], at: int) -> str:
    """What an item says: its inline texts, nested ones on lines of their own."""
    level, texts = tokens[at].level, []
    for token in tokens[at + 1 :]:
        if token.type == "list_item_close" and token.level == level:
            break
        if token.type in ("inline", "fence", "code_block") and token.content.strip():
            texts.append(token.content.strip())
    return "\n".join(texts)


def paths_in(tokens: Iterable[Token]) -> Iterator[str]:
    """Of each list item, and of each line outside lists, the first back-ticked path."""
    in_items: list[bool] = []
    for token in tokens:
        if token.type == "list_item_open":
            in_items.append(False)
        elif token.type == "list_item_close":
            in_items.pop()
        elif token.type == "inline":
            for line in code_lines(token):
                path = next(filter(is_path_like, line), None)
                if path is None or (in_items and in_items[-1]):
                    continue
                yield path
                if in_items:
                    in_items[-1] = True


def code_lines(inline: Token) -> list[list[str]]:
    """The back-ticked texts of an inline token, line by line."""
    lines: list[list[str]] = [[]]
    for child in inline.children or ():
        if child.type in ("softbreak", "hardbreak"):
            lines.append([])
        elif child.type == "code_inline":
            lines[-1].append(child.content.strip())
    return lines


def is_path_like(text: str) -> bool:
    """Not an address, a pattern or a command; and below a known folder, rooted, or with a file's ending."""
    if not text or NOT_A_PATH.search(text) or len(text) > 1000:
        return False
    if text.startswith(KNOWN_FOLDERS):
        return " " not in text or has_ending(text)
    if " " in text:
        return False
    if ROOTED.match(text):
        return True
    return text.endswith("/") if "/" in text and not has_ending(text) else has_ending(text)


def has_ending(text: str) -> bool:
    name, dot, ending = text.rpartition(".")
    return bool(dot and name) and ending.lower() in FILE_ENDINGS
