"""The words of config/claim_words.yaml as patterns, and where a text uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

BETWEEN = r"[\s\u00a0-]+"
SMALL = "two three four five six seven eight nine ten eleven twelve"
QUESTION = re.compile(r"[^.!?\ue004]{0,400}\?")
CERTAIN = re.compile(r"\b(?:no|without|beyond|out\s+of)\s+(?:any\s+|all\s+)?question\b", re.IGNORECASE)
TAG = re.compile(r",\s*(?:does|do|is|are|has|have|did|was|right|no)\b[^.,!?]{0,20}\?\Z", re.IGNORECASE)
CONJUNCTION = re.compile(r"\b(?:and|but|so|then|which|that|while|yet|because|as)\b", re.IGNORECASE)
CLAUSE = re.compile(r"[^.,;:()\u2014\ue004]*\Z")


def pattern_of(words: str) -> re.Pattern[str]:
    """A pattern of any of some words. In `no-effect` there may be a space or a hyphen; `*` is the rest of a word."""
    parts = (BETWEEN.join(map(re.escape, word.split("-"))).replace(r"\*", r"\w*") for word in words.split())
    return re.compile(rf"(?<![\w\\])(?:{'|'.join(sorted(parts, key=len, reverse=True))})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Wording:
    """The lists of words, each as one pattern."""

    lists: Mapping[str, Any]

    @cached_property
    def claim_words(self) -> dict[str, re.Pattern[str]]:
        return {group: pattern_of(words) for group, words in self.lists["watched"].items()}

    @cached_property
    def in_claims(self) -> dict[str, re.Pattern[str]]:
        """Every word that a claim may use, by what it says."""
        inside = self.lists["inside"]
        return {group: pattern_of(f"{words} {inside.get(group, '')}") for group, words in self.lists["watched"].items()}

    def said_in(self, text: str) -> dict[str, list[tuple[str, bool]]]:
        """The words of a claim by what they say, each with whether a negation turns it around."""
        blanked = blank(text, self.patterns["exceptions"])
        groups = {**self.in_claims, "supported": self.patterns["supported"]}
        return {
            group: [(found.group(), self.is_negated(blanked, found.start())) for found in pattern.finditer(blanked)]
            for group, pattern in groups.items()
        }

    def is_negated(self, text: str, offset: int) -> bool:
        before = CONJUNCTION.split(clause_before(text, offset))[-1]
        return bool(self.patterns["negations"].search(" ".join(before.split()[-4:])))

    @cached_property
    def patterns(self) -> dict[str, re.Pattern[str]]:
        return {name: pattern_of(words) for name, words in self.lists.items() if isinstance(words, str)}

    @cached_property
    def number_words(self) -> re.Pattern[str]:
        """A small number before what it counts, a fraction, or `one in five`."""
        small, any_number = SMALL.replace(" ", "|"), f"one {SMALL}".replace(" ", "|")
        nouns = "|".join(BETWEEN.join(noun.split("-")) for noun in self.lists["counted"].split())
        kinds = (
            rf"(?:{small})(?:{BETWEEN}(?!and\b|or\b|of\b)[a-z]+){{0,2}}?{BETWEEN}(?:{nouns})(?:e?s)?(?!\w)",
            rf"(?:{small}){BETWEEN}of{BETWEEN}(?:the|our|these|those|its|all)(?!\w)",
            rf"(?:{any_number})(?:\s+[a-z]+)?\s+(?:in|of|out\s+of|point)\s+(?:{any_number})(?!\w)",
            rf"(?:{any_number}){BETWEEN}(?:third|quarter|fifth|sixth|seventh|eighth|ninth|tenth)s(?!\w)",
            rf"point\s+(?:zero|{small})(?!\w)",
            rf"factor{BETWEEN}of{BETWEEN}(?:{small})(?!\w)",
            rf"(?:{any_number}){BETWEEN}(?:per\s*cent|percentage|%)",
            self.patterns["fractions"].pattern,
        )
        return re.compile(rf"(?<![\w\\])(?:{'|'.join(kinds)})", re.IGNORECASE)

    def claims_in(self, text: str) -> Iterator[tuple[int, str, str]]:
        """Where a text claims something: the place, the word, and the group that the word is in."""
        blanked = blank(text, self.patterns["exceptions"])
        for group, pattern in self.claim_words.items():
            for found in pattern.finditer(blanked):
                before = CERTAIN.sub(" ", clause_before(blanked, found.start()))
                asked = QUESTION.match(blanked, found.end())
                is_asked = bool(asked) and not (asked and TAG.search(asked.group()))
                is_open = bool(self.patterns["questions"].search(before)) or is_asked
                if is_open or (group != "strong" and self.patterns["maybe"].search(before)):
                    continue
                yield found.start(), found.group(), group


def clause_before(text: str, offset: int) -> str:
    """What stands before a word in its clause."""
    found = CLAUSE.search(text, max(0, offset - 120), offset)
    return found.group() if found else ""


def blank(text: str, pattern: re.Pattern[str]) -> str:
    """A text of the same length without the phrases of a pattern."""
    return pattern.sub(lambda found: " " * len(found.group()), text)
