"""Which facts of a paper, and which of its sentences, rest on a file that is not what it was."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from flagstone.layout import Run
from flagstone.records import content_of, read_record
from flagstone.text import collapse_spaces, one_line

VAL = re.compile(r"\\val\{([^{}]{1,200})\}")
END = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
MOST_FACTS, MOST_SENTENCES = 12, 3


def resting_on(run: Run, paths: Collection[str]) -> Iterator[str]:
    """One line a fact: its key, and the sentences that print it."""
    facts = read_record(run.root / "paper" / "facts.json") or {}
    inputs = {key: fact.get("inputs") or {} for key, fact in facts.items() if isinstance(fact, dict)}
    keys = [key for key, files in sorted(inputs.items()) if any(rests(each, path) for each in files for path in paths)]
    sentences = sentences_of(run) if keys else {}
    for key in keys[:MOST_FACTS]:
        shown = "; ".join(sentences.get(key, ())[:MOST_SENTENCES]) or "no sentence prints it"
        yield f"fact {one_line(key, 80)} rests on it: {shown}"
    if len(keys) > MOST_FACTS:
        yield f"{len(keys) - MOST_FACTS} more facts rest on it"


def rests(source: str, path: str) -> bool:
    """Whether a fact that reads one file rests on another: on itself, or on what its experiment or trial is made of."""
    return source == path or source.startswith(f"{path}/") or bool(study_of(source) & study_of(path))


def study_of(path: str) -> set[str]:
    """The experiment or trial that a file belongs to, or was exported by."""
    kind, name, *more = *path.split("/"), "", ""
    if kind in ("experiments", "trials") and name:
        return {name}
    return {more[0]} if (kind, name) == ("workspace", "results") and len(more) > 3 else set()


def sentences_of(run: Run) -> dict[str, list[str]]:
    """The sentences of a paper by the facts that they print, each with its file and line."""
    found: dict[str, list[str]] = {}
    for path in sorted(run.workspace.glob("writing/**/*.tex")):
        text = (content_of(path) or b"").decode("utf-8", "replace")
        start = 0
        for sentence in END.split(text):
            start = text.index(sentence, start)
            place = f"{run.relative(path)}:{text.count(chr(10), 0, start) + 1}"
            for key in dict.fromkeys(VAL.findall(sentence)):
                found.setdefault(key, []).append(f"{place} “{one_line(collapse_spaces(sentence), 160)}”")
    return found
