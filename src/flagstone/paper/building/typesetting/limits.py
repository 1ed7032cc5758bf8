"""Whether a paper keeps to its venue: pages, words of the abstract, sections, statements."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flagstone.paper.building.typesetting.venue import Venue
from flagstone.text import list_text

END_OF_TEXT, END_OF_REFERENCES = "flagstone:text", "flagstone:references"
LABEL = r"\\newlabel\{%s\}\{\{[^{}]*\}\{(\d+)\}"
HEADING = re.compile(r"\\(?:section|subsection|paragraph)\*?\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}")
COMMENT = re.compile(r"(?<!\\)%.*")
MACRO = re.compile(r"\\(?:val|ref|cite[a-z]*)\s*\{[^{}]*\}")
COMMAND = re.compile(r"\\[A-Za-z]+\*?|[{}$~]")


def limit_problems(venue: Venue, text: str, abstract: str, aux: str) -> Iterator[str]:
    """What a paper breaks of its venue's rules, each with the cure."""
    label = END_OF_REFERENCES if venue.references_in_limit else END_OF_TEXT
    page = re.search(LABEL % label, aux)
    if venue.page_limit and page and int(page[1]) > venue.page_limit:
        what = "text and references end" if venue.references_in_limit else "the text ends"
        yield f"shorten it: {what} on page {page[1]}, and {venue.name} allows {venue.page_limit}"
    words = abstract_words(abstract)
    if venue.abstract_words and words > venue.abstract_words:
        yield f"shorten the abstract: it has {words} words, and {venue.name} allows {venue.abstract_words}"
    headings = [heading_key(heading) for heading in HEADING.findall(COMMENT.sub("", text))]
    for what, wanted in (("sections", venue.required_sections), ("statements", venue.statements)):
        missing = [name for name in wanted if not any(heading_key(name) in heading for heading in headings)]
        if missing:
            yield f"add the {what} that {venue.name} asks for, each under its own heading: {list_text(missing, 12)}"


def heading_key(heading: str) -> str:
    """A heading without what differs between venues: case, ends of words in -s, points."""
    words = re.findall(r"[a-z]+", heading.casefold())
    return " ".join(word.removesuffix("s") for word in words)


def abstract_words(source: str) -> int:
    """How many words an abstract prints; a fact is one."""
    text = MACRO.sub(" x ", COMMENT.sub("", source))
    return sum(any(letter.isalnum() for letter in word) for word in COMMAND.sub(" ", text).split())
