"""Whether a paper keeps to its venue: pages, words of the abstract, sections, statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flagstone.paper.building.typesetting.venue import Venue
from flagstone.text import list_text

END_OF_TEXT, END_OF_REFERENCES = "flagstone:text", "flagstone:references"
LABEL = r"\\newlabel\{%s\}\{\{(?:[^{}]|\{[^{}]*\})*\}\{(\d+)\}"
HEADING = re.compile(r"\\(section|subsection|paragraph)\*?\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}")
COMMENT = re.compile(r"(?<!\\)%.*")
MACRO = re.compile(r"\\(?:val|ref|cite[a-z]*)\s*\{[^{}]*\}|\\lit\s*\{[^{}]*\}\s*\{[^{}]*\}")
CLAIM = re.compile(r"\\claim\s*\{[^{}]*\}")
COMMAND = re.compile(r"\\[A-Za-z]+\*?|[{}$~]")


@dataclass(frozen=True)
class WrittenText:
    """The LaTeX of a paper: its abstract, and what stands before and after the references."""

    abstract: str
    before_references: str
    after_references: str = ""


def limit_problems(venue: Venue, text: WrittenText, aux: str) -> Iterator[str]:
    """What a paper breaks of its venue's rules, each with the cure."""
    yield from page_problems(venue, aux)
    words = abstract_words(text.abstract)
    if venue.abstract_words and words > venue.abstract_words:
        yield f"shorten the abstract: it has {words} words, and {venue.name} allows {venue.abstract_words}"
    before, after = list(headings_in(text.before_references)), list(headings_in(text.after_references))
    # what no limit counts can hold none of the sections that the limit is for
    is_counted = venue.page_limit is not None and not venue.references_in_limit
    sections = before if is_counted else [*before, *after]
    wanted = (("sections", venue.required_sections, sections), ("statements", venue.statements, [*before, *after]))
    for what, names, headings in wanted:
        missing = [name for name in names if not any(heading_key(name) in heading for heading in headings)]
        if missing:
            where = ", before the references" if is_counted and what == "sections" else ""
            yield (
                f"add the {what} that {venue.name} asks for, each with text under its own heading{where}: "
                f"{list_text(missing, 12)}"
            )


def page_problems(venue: Venue, aux: str) -> Iterator[str]:
    """Whether the paper ends in time. An agent may write the same label as well, so the last page counts."""
    if not venue.page_limit:
        return
    labels = (END_OF_REFERENCES, END_OF_TEXT) if venue.references_in_limit else (END_OF_TEXT,)
    page = max((int(number) for label in labels for number in re.findall(LABEL % label, aux)), default=0)
    what = "text and references end" if venue.references_in_limit else "the text ends"
    if not page:
        yield f"the page limit of {venue.name} ({venue.page_limit}) cannot be checked: nobody knows where {what}"
    if page > venue.page_limit:
        yield f"shorten it: {what} on page {page}, and {venue.name} allows {venue.page_limit}"


def headings_in(source: str) -> Iterator[str]:
    """The headings that have words under them, their own or those of a smaller heading."""
    text = COMMENT.sub("", source)
    found = list(HEADING.finditer(text))
    for number, heading in enumerate(found, 1):
        ends = (each.start() for each in found[number:] if each[1] == "section" or heading[1] != "section")
        if printed_words(text[heading.end() : next(ends, len(text))]):
            yield heading_key(heading[2])


def heading_key(heading: str) -> str:
    """A heading without what differs between venues: case, ends of words in -s, points."""
    words = re.findall(r"[a-z]+", heading.casefold())
    return " ".join(word.removesuffix("s") for word in words)


def abstract_words(source: str) -> int:
    """How many words an abstract prints; a fact is one."""
    return printed_words(MACRO.sub(" x ", CLAIM.sub(" ", COMMENT.sub("", source))))


def printed_words(text: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in COMMAND.sub(" ", text).split())
