"""Finds for each digit string of the pages what explains it; each expectation is used up once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flagstone.paper.auditing.digits import DigitString, digit_strings, digits_printed
from flagstone.paper.auditing.expectations import ExpectedDigits
from flagstone.paper.auditing.places import UNSURE, Places, references_begin
from flagstone.paper.auditing.readers import PdfText

# The first four are numbers of results: two of them without a space between would be a third one
EXACT = ("facts", "literals", "tables", "generated")
KINDS = (*EXACT, "figures", "formulas", "structure", "citations", "bibliography")
# what may stand in few places is used up first
IN_TURN = ("figures", "bibliography", "citations", *EXACT, "formulas", "structure")
EXACT_KINDS = frozenset(EXACT)
SMALL_KINDS = tuple(kind for kind in IN_TURN if kind not in EXACT)
MOST_PARTS = 6
LONGEST_GLUED = 24
EVERYWHERE = 0  # instead of a page
GROUP_GAPS = (" ", ", ")  # between groups of three digits; in mathematics a comma is followed by a space
FIRST_ENTRY = re.compile(r"^(?:\[1\]|1\.?\s)", re.M)
SENTENCE_ENDS = re.compile(r" [.,;:]")
IN_BRACKETS = re.compile(r"[(\[][^()\[\]]{0,80}$")
GAP = 3


@dataclass
class Explanation:
    """What explains each kind of digit string, what nothing explains, and what is expected and not found."""

    counts: Counter[str] = field(default_factory=Counter)
    strays: list[DigitString] = field(default_factory=list)
    left: dict[str, Counter[str]] = field(default_factory=dict)
    left_on_pages: dict[int, dict[str, Counter[str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class DigitSource:
    """A text that is expected of a kind: on one page, or everywhere."""

    kind: str
    page: int
    text: str


class Explainer:
    """Uses the expectations up, first for strings in running text, then for those that have a place of their own."""

    def __init__(self, read: PdfText, expected: ExpectedDigits, figures: Mapping[int, Counter[str]]) -> None:
        pages, labels = read.pages, read.objects.labels
        self.pages = pages
        self.places = Places.of(labels, expected.headings, expected.lists)
        self.references = references_begin(pages)
        self.left = {kind: getattr(expected, kind).copy() for kind in KINDS if kind != "figures"}
        if self.cites_by_number():
            self.left["bibliography"] += expected.labels
        else:
            self.left["citations"] = expected.years.copy()
        self.on_pages = {
            number: {"figures": figures[number].copy(), "structure": Counter(expected.on_pages.get(label))}
            for number, label in enumerate(labels, start=1)
        }
        self.expect_page_numbers(read)
        self.one_size = {number: set(page.one_size) for number, page in enumerate(read.objects.pages, start=1)}
        self.counts: Counter[str] = Counter()
        self.users: dict[DigitSource, list[DigitString]] = {}

    def expect_page_numbers(self, read: PdfText) -> None:
        """Finds the number of a page as what TeX sets first or last, since poppler puts it between two columns."""
        for number, (page, label) in enumerate(zip(read.objects.pages, read.objects.labels, strict=True), start=1):
            lines = [line.strip(" -|") for line in page.text.splitlines() if line.strip()] or [""]
            if label in (lines[0], lines[-1]):
                self.on_pages[number]["structure"] += digits_printed([label])
                self.places.numbered_pages.add(number)

    def explain(self) -> Explanation:
        found = [each for number, text in enumerate(self.pages, start=1) for each in self.strings_of(text, number)]
        placed = [each for each in found if self.place_of(each)]
        in_place = {(each.page, each.start) for each in placed}
        strays = [each for each in found if (each.page, each.start) not in in_place and not self.takes_whole(each)]
        strays = [each for each in strays if not self.takes_parts(each)]
        unsure = [each for each in placed if self.place_of(each) in UNSURE]
        sure = [each for each in placed if self.place_of(each) not in UNSURE]
        sure = [each for each in sure if not self.takes_place(each) and not self.takes_whole(each)]
        unsure = [each for each in unsure if not self.takes_whole(each) and not self.takes_place(each)]
        strays += [each for each in (*sure, *unsure) if not self.takes_parts(each)]
        strays = list(self.single_strays(sorted(strays, key=lambda each: (each.page, each.start))))
        return Explanation(self.counts, strays, self.left, self.on_pages)

    def strings_of(self, text: str, page: int) -> list[DigitString]:
        """The digit strings of a page. Groups of three digits after a space are one string if that is expected."""
        strings: list[DigitString] = []
        for each in digit_strings(text, page):
            last = strings[-1] if strings else each
            both = last.text + text[last.end : each.start].strip() + each.text
            if (
                len(each.text) == 3
                and text[last.end : each.start] in GROUP_GAPS
                and any(wanted.startswith(both) for kind in EXACT for wanted in self.left[kind])
            ):
                strings[-1] = DigitString(both, page, last.start, each.end)
            else:
                strings.append(each)
        return strings

    def text_of(self, found: DigitString) -> str:
        return self.pages[found.page - 1]

    def place_of(self, found: DigitString) -> str:
        return self.places.place_of(found, self.text_of(found))

    def takes_place(self, found: DigitString) -> bool:
        if not self.places.take(found, self.text_of(found)):
            return False
        self.counts["structure"] += 1
        return True

    def takes_whole(self, found: DigitString) -> bool:
        source = self.source_of(found.text, found)
        if source is None:
            return False
        self.use(source)
        self.users.setdefault(source, []).append(found)
        return True

    def source_of(self, text: str, found: DigitString, only: Sequence[str] = IN_TURN) -> DigitSource | None:
        """An expectation that has this text left; if there is none, one that another string can do without."""
        return self.free_source(self.sources_of(text, found, only)) or self.freed_source(text, found, only, set())

    def sources_of(self, text: str, found: DigitString, only: Sequence[str]) -> list[DigitSource]:
        """Whatever may explain this text here, used up or not."""
        kinds = [(kind, found.page) for kind in only if kind in self.on_pages[found.page]]
        kinds += [(kind, EVERYWHERE) for kind in only if kind in self.left and self.may_be(kind, found)]
        spellings = {text: None, text.lstrip("-"): None}
        return [
            DigitSource(*kind, each) for kind in kinds for each in spellings if each == text or kind[0] not in EXACT
        ]

    def counter_of(self, source: DigitSource) -> Counter[str]:
        return self.left[source.kind] if source.page == EVERYWHERE else self.on_pages[source.page][source.kind]

    def free_source(self, sources: Sequence[DigitSource]) -> DigitSource | None:
        return next((source for source in sources if self.counter_of(source)[source.text] > 0), None)

    def freed_source(
        self, text: str, found: DigitString, only: Sequence[str], tried: set[DigitSource]
    ) -> DigitSource | None:
        """A source after one of its users has moved to another one that has the same text left."""
        for source in self.sources_of(text, found, only):
            if source in tried:
                continue
            tried.add(source)
            for user in self.users.get(source, ()):
                others = self.sources_of(user.text, user, IN_TURN)
                other = self.free_source(others) or self.freed_source(user.text, user, IN_TURN, tried)
                if other is not None:
                    self.use(other)
                    self.users.setdefault(other, []).append(user)
                    self.users[source].remove(user)
                    self.use(source, -1)
                    return source
        return None

    def may_be(self, kind: str, found: DigitString) -> bool:
        """Whether it stands where its kind is printed."""
        if kind == "bibliography":
            return (found.page, found.start) >= self.references
        before, after = self.text_of(found)[: found.start], self.text_of(found)[found.end :]
        # poppler may set a raised number apart from its word
        is_raised = bool(before[-1:].strip()) or bool(SENTENCE_ENDS.match(after))
        return kind != "citations" or is_raised or bool(IN_BRACKETS.search(before))

    def cites_by_number(self) -> bool:
        page, start = self.references
        first = "".join([self.pages[page - 1][start:], *self.pages[page:]] if page else self.pages)
        return bool(FIRST_ENTRY.search(first))

    def use(self, source: DigitSource, by: int = 1) -> None:
        self.counter_of(source)[source.text] -= by
        self.counts[source.kind] += by

    def takes_parts(self, found: DigitString) -> bool:
        """Whether it is several strings without a space between, such as a fact and the mark of its footnote."""
        return len(found.text) <= LONGEST_GLUED and self.takes_rest(found.text, found, ())

    def takes_rest(self, rest: str, found: DigitString, before: Sequence[str]) -> bool:
        """Whether the rest can be cut into parts; `before` are the kinds of the parts that touch it."""
        if not rest:
            return True
        for end in range(len(rest), 0, -1) if len(before) < MOST_PARTS else ():
            for kind in self.kinds_after(before, found) if rest[end - 1].isdigit() else ():
                source = self.source_of(rest[:end], found, (kind,))
                if source is None:
                    continue
                self.use(source)
                further = rest[end:].lstrip(".,")
                if self.takes_rest(further, found, (*before, kind) if further == rest[end:] else ()):
                    return True
                self.use(source, -1)
        return False

    def kinds_after(self, before: Sequence[str], found: DigitString) -> Sequence[str]:
        """What may touch such parts: no result another result, and a result only what is raised, lowered or smaller."""
        if not before:
            return IN_TURN
        is_one_size = found.text in self.one_size[found.page]
        if EXACT_KINDS.intersection(before):
            return () if is_one_size else SMALL_KINDS
        return SMALL_KINDS if is_one_size else IN_TURN

    def single_strays(self, strays: Sequence[DigitString]) -> Iterator[DigitString]:
        """Those that are not one half of a string that a line break or a space cut in two."""
        waiting: DigitString | None = None
        for each in strays:
            if waiting and self.takes_both(waiting, each):
                waiting = None
                continue
            if waiting:
                yield waiting
            waiting = each
        if waiting:
            yield waiting

    def takes_both(self, one: DigitString, other: DigitString) -> bool:
        if one.page != other.page or self.text_of(one)[one.end : other.start].strip(" \n.,-"):
            return False
        both = (digits_alone(one.text + other.text), digits_alone(other.text + one.text))
        counters = [(kind, one.page, counter) for kind, counter in self.on_pages[one.page].items()]
        counters += [(kind, EVERYWHERE, counter) for kind, counter in self.left.items() if self.may_be(kind, one)]
        for kind, page, counter in counters:
            whole = next((text for text in counter if counter[text] > 0 and digits_alone(text) in both), None)
            if whole is not None:
                self.use(DigitSource(kind, page, whole))
                return True
        return False


def digits_alone(text: str) -> str:
    return text[0] * text.startswith("-") + "".join(each for each in text if each.isdigit())
