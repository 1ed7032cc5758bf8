"""What a verdict says that a claim rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flagstone.artifacts.formats import Unreadable
from flagstone.layout import Run
from flagstone.paper.facts import Fact, Permission, read_results_file, source_of, value_at
from flagstone.text import escaped_text

WORDS = ("SUPPORTED", "NO PRACTICAL EFFECT", "HARMFUL", "INCONCLUSIVE")
DIRECTIONS = {"min": "lower", "max": "higher", "decrease": "lower", "increase": "higher"}
DESIGN = "workspace/data/design.json"


@dataclass(frozen=True)
class ClaimVerdict:
    """The word of a verdict, the file and the record that it stands in, and which values of its metric are better."""

    word: str
    path: str
    record: tuple[str, ...] = ()
    is_exploratory: bool = False
    better: str = ""

    def is_about(self, fact: Fact) -> bool:
        """Whether a fact rests on this verdict: on its trial, or on its record in the file."""
        if self.path.startswith("trials/"):
            folder = self.path.rpartition("/")[0] + "/"
            return any(path.startswith(folder) for path in fact.inputs)
        if fact.source.startswith(f"{self.path}#/"):
            place = source_of(fact.source)
            return (place.rows_at + place.column)[: len(self.record)] == self.record
        return self.path in fact.inputs


def ruling_of(run: Run, name: str, permission: Permission) -> ClaimVerdict:
    """The verdict of a trial, or the word at a place in a results file. Raises ValueError if there is none."""
    text = f"{name.rstrip('/')}/verdict.json#/outcome" if name.startswith("trials/") and "#" not in name else name
    source = source_of(text)
    try:
        file = read_results_file(run, source.path)
        fault = permission.fault(source.path, file.digest)
    except Unreadable as refusal:
        fault = f"{source.path} {refusal.reason}; name a trial that has ended, or FILE.json#/place/of/the/word"
    if fault:
        raise ValueError(fault)
    word = value_at(file.value, source.column)
    if source.has_rows or not isinstance(word, str):
        raise ValueError(f"{escaped_text(name)} leads to no word; name the place of the verdict, such as …/verdict")
    record = source.column[:-1]
    holders = [value_at(file.value, record[:length]) for length in range(len(record) + 1)]
    mean = holders[-1].get("mean", holders[-1].get("estimate")) if isinstance(holders[-1], Mapping) else None
    if word.upper() == "SUPPORTED" and isinstance(mean, int | float) and mean <= 0:
        raise ValueError(f"{escaped_text(name)} says SUPPORTED, and the mean beside it is {mean}; correct the analysis")
    marked = any(isinstance(each, Mapping) and each.get("exploratory") for each in holders)
    is_open = source.path.rpartition("/")[2].startswith("exploratory")
    return ClaimVerdict(word.upper(), source.path, record, marked or is_open, direction_in(file.value))


def direction_in(record: Any) -> str:
    """Which values of a record's metric are better. Returns '' if it does not say."""
    metric = record.get("metric", record.get("primary")) if isinstance(record, Mapping) else None
    return DIRECTIONS.get(str(metric.get("direction")), "") if isinstance(metric, Mapping) else ""


def better_values(run: Run, fact: Fact) -> str:
    """Which values of a fact's metric are better, as its trial or the design of the study says."""
    for path in fact.inputs:
        parts = path.split("/")
        if parts[0] == "trials" and (found := direction_in(record_at(run, f"trials/{parts[1]}/verdict.json"))):
            return found
    design = record_at(run, DESIGN)
    primary = design.get("primary") if isinstance(design, Mapping) else None
    metric = primary.get("metric") if isinstance(primary, Mapping) else None
    return direction_in(design) if isinstance(metric, str) and metric and metric in fact.source else ""


def record_at(run: Run, path: str) -> Any:
    try:
        return read_results_file(run, path).value
    except Unreadable:
        return None
