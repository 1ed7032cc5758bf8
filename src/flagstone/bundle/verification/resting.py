"""Which facts of a paper, and which of its sentences, rest on a file that is not what it was."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from flagstone.gates import read_text
from flagstone.layout import Run
from flagstone.records import read_record
from flagstone.text import collapse_spaces, list_text, one_line

VAL = re.compile(r"\\val\{([^{}]{1,200})\}|\bval: *([\w.-]{1,200})")
END = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*- )")
MOST_FACTS, MOST_SENTENCES = 12, 12


def resting_on(run: Run, paths: Collection[str]) -> Iterator[str]:
    """The facts that rest on these files, and each sentence, caption or cell of a table that prints one of them."""
    facts = read_record(run.root / "paper" / "facts.json") or {}
    inputs = {key: fact.get("inputs") or {} for key, fact in facts.items() if isinstance(fact, dict)}
    keys = [key for key, files in sorted(inputs.items()) if any(rests(each, path) for each in files for path in paths)]
    if keys:
        words = "1 fact rests" if len(keys) == 1 else f"{len(keys)} facts rest"
        yield f"{words} on it: {one_line(list_text(keys, MOST_FACTS), 1000)}"
        found = [sentence for sentence, printed in sentences_of(run) if not printed.isdisjoint(keys)]
        yield from found[:MOST_SENTENCES]
        if len(found) > MOST_SENTENCES:
            yield f"and {len(found) - MOST_SENTENCES} more sentences"


def rests(source: str, path: str) -> bool:
    """Whether a fact that reads one file rests on another: on itself, or on what its experiment or trial is made of."""
    return source == path or source.startswith(f"{path}/") or bool(study_of(source) & study_of(path))


def study_of(path: str) -> set[str]:
    """The experiment or trial that a file belongs to, or was exported by."""
    kind, name, *more = *path.split("/"), "", ""
    if kind in ("experiments", "trials") and name:
        return {name}
    return {more[0]} if (kind, name) == ("workspace", "results") and len(more) > 3 else set()


def sentences_of(run: Run) -> Iterator[tuple[str, set[str]]]:
    """Whatever of a paper prints facts, with its file and line, and the facts."""
    writing = run.workspace / "writing"
    for path in [*sorted(writing.glob("**/*.tex")), writing / "tables.yaml", writing / "figures.yaml"]:
        text, start = read_text(path), 0
        for sentence in END.split(text):
            start = text.index(sentence, start)
            printed = {key or of_cell for key, of_cell in VAL.findall(sentence)}
            place = f"{run.relative(path)}:{text.count(chr(10), 0, start) + 1}"
            if printed:
                yield f"{place} “{one_line(collapse_spaces(sentence), 160)}”", printed
