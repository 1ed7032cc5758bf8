"""The summary that a stage leaves, in the form that the checks ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flagstone.agents.demo.reading import Approved, first_result
from flagstone.text import printable_text

OPTIONS = (
    "Use suggestion 1",
    "Use suggestion 2",
    "Use suggestion 3",
    "Refine with your own feedback",
    "Approve and continue",
    "Abort",
)
SCRIPTED = "Everything here was produced by a scripted demo agent: no model, no understanding, no network."
FORMS = str.maketrans({"[": "(", "]": ")"})
TODO = re.compile(r"\b(TODO|TBD)\b\s*:?", re.IGNORECASE)


@dataclass(frozen=True)
class DemoSummary:
    """The sections of a summary, as Markdown without their headings."""

    stage: str
    title: str
    objective: str
    approved: str
    did: str
    results: str
    files: Mapping[str, str]
    suggestions: Sequence[str]
    omitted: frozenset[str] = field(default_factory=frozenset)

    def markdown(self) -> str:
        """The whole document; `omitted` leaves sections out, for a script that misbehaves."""
        sections = {
            "Objective": self.objective,
            "Previously Approved Stage Summaries": self.approved,
            "What I Did": self.did,
            "Key Results": self.results,
            "Files Produced": "\n".join(f"- `{path}` - {about}" for path, about in self.files.items()),
            "Suggestions for Refinement": numbered_list(self.suggestions),
            "Your Options": numbered_list(OPTIONS),
        }
        kept = [f"## {name}\n\n{text.strip()}" for name, text in sections.items() if name not in self.omitted]
        return "\n\n".join([f"# Stage {self.stage}: {self.title}", *kept]) + "\n"


def numbered_list(lines: Sequence[str]) -> str:
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def approved_lines(approved: Sequence[Approved]) -> str:
    """One line for each approved stage, in the words of its own first result."""
    if not approved:
        return "No stage was approved before this one: it rests on the brief alone."
    return "\n".join(f"- Stage {each.nr}, {each.title}: {quoted_line(first_result(each.text))}" for each in approved)


def quoted_line(text: str) -> str:
    return harmless_text(text[:240]) or "its summary names no result in words."


def quote_block(text: str, limit: int = 4000) -> str:
    """Words of a person as a block that can neither end itself nor pass for a section of ours."""
    longest = max((len(run) for run in re.findall("~+", text)), default=0)
    fence = "~" * max(4, longest + 1)
    return f"{fence}text\n{harmless_text(text[:limit])}\n{fence}"


def harmless_text(text: str) -> str:
    """Without control characters, and without marks that would pass for something left to fill in."""
    return TODO.sub("(to do) ", printable_text(text, " ").translate(FORMS)).strip()


def answer_to_feedback(feedback: str) -> str:
    """What the script says about words that it cannot understand."""
    if not feedback:
        return ""
    return f"A person asked:\n\n{quote_block(feedback)}\n\nA scripted agent cannot act on free text; "
