"""What an audit found: counts, strays, what the readers saw, and its checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flagstone.artifacts import RuleCheck
from flagstone.text import count_text

RULE = "paper-audit"
MOST_NAMED = 20
SINGULAR = {"facts": "fact", "literals": "literal", "citations": "citation"}
WITHIN = {"tables": "in tables", "figures": "in figures", "formulas": "in formulas", "generated": "in generated text"}


@dataclass(frozen=True)
class Stray:
    """A digit string that nothing explains."""

    text: str
    page: int
    context: str


@dataclass(frozen=True)
class AuditReport:
    """`explained` counts digit strings by what explains them; `unprinted` is what was expected and not found;
    `chance` is how likely one more typed integer from 0 to 12 would therefore pass.

    `faults` are problems of the file itself, `notices` are what an audit cannot see.
    """

    pages: int
    explained: Mapping[str, int]
    strays: tuple[Stray, ...] = ()
    faults: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    unprinted: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    chance: float = 0.0

    @property
    def has_passed(self) -> bool:
        return not self.strays and not self.faults

    @property
    def one_line(self) -> str:
        """For example: 412 digit strings: 230 facts, 12 literals, 90 in tables, 80 structure."""
        parts = [kind_text(kind, count) for kind, count in self.explained.items() if count]
        parts += [f"{len(self.strays)} unexplained"] if self.strays else []
        total = sum(self.explained.values()) + len(self.strays)
        return f"{count_text(total, 'digit string')}: {', '.join(parts)}" if parts else "no digit strings"

    @property
    def checks(self) -> list[RuleCheck]:
        """One check for each problem, or one that passed."""
        problems = [*self.faults, *map(stray_text, self.strays[:MOST_NAMED])]
        if len(self.strays) > MOST_NAMED:
            problems.append(f"{len(self.strays) - MOST_NAMED} more digit strings are not explained: see audit.json")
        if not problems:
            return [RuleCheck(RULE, "passed", "; ".join((self.one_line, *self.notices)))]
        return [RuleCheck(RULE, "failed", problem) for problem in problems]


def kind_text(kind: str, count: int) -> str:
    return f"{count} {SINGULAR[kind] if count == 1 and kind in SINGULAR else WITHIN.get(kind, kind)}"


def stray_text(stray: Stray) -> str:
    if stray.text.startswith("-") and not stray.text.strip("-0.,"):
        return f"page {stray.page}: a negative zero, in “{stray.context}”: print it without its sign"
    return (
        f"page {stray.page}: {stray.text} is neither a fact, a literal nor structure, in “{stray.context}”: "
        "print it with \\val{…}, or declare it with \\lit{…}{reason}"
    )
