"""Compute every fact that facts.yaml names, and say at once everything that is wrong with it."""

from __future__ import annotations

import ast
import graphlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from flagstone.artifacts.formats import Unreadable
from flagstone.errors import suggestion
from flagstone.layout import Run
from flagstone.paper.facts.expressions import keys_in, parse_expression, value_of_tree
from flagstone.paper.facts.fact import Fact, FactBook
from flagstone.paper.facts.formats import MINUS, printed_value, refuse_percent_twice
from flagstone.paper.facts.permission import Permission
from flagstone.paper.facts.quantity import Quantity, quantity_of, reduce_values
from flagstone.paper.facts.request import (
    MOST_PROBLEMS,
    FactRequest,
    WrittenFile,
    first_problems,
    form_fault,
    kind_of,
    read_written,
    requests_in,
)
from flagstone.paper.facts.results_file import read_results_file
from flagstone.paper.facts.sources import FactSource, source_of
from flagstone.text import list_text

NAMED_BEFORE = ""  # the fault of a fact whose file is named at another fact


def build_facts(run: Run) -> FactBook:
    """The facts of a run's paper. They may rest on what the stages offer."""
    written = read_written(run, "facts")
    computing = Computing(run, Permission.of(run), {each.key: each for each in requests_in(written)})
    computing.compute()
    return computing.book(written)


@dataclass
class Computing:
    """The facts of one run while they are computed: quantities by key, and why others have none."""

    run: Run
    permission: Permission
    requests: dict[str, FactRequest]
    quantities: dict[str, Quantity] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def compute(self) -> None:
        sources: list[tuple[FactSource, FactRequest]] = []
        trees: dict[str, ast.expr] = {}
        for asked in self.requests.values():
            try:
                if fault := form_fault(asked):
                    raise ValueError(fault)
                if asked.expr:
                    trees[asked.key] = parse_expression(asked.expr)
                elif asked.value is None:
                    sources.append((source_of(asked.source), asked))
                else:
                    self.quantities[asked.key] = literature_value(asked)
            except ValueError as error:
                self.faults[asked.key] = str(error)
        sources.sort(key=lambda each: each[0].path)
        for path, group in groupby(sources, key=lambda each: each[0].path):
            self.read_file(path, list(group))  # one file at a time is in memory
        self.compute_trees(trees)

    def read_file(self, path: str, group: list[tuple[FactSource, FactRequest]]) -> None:
        """All facts that rest on one file."""
        try:
            file = read_results_file(self.run, path)
            fault = self.permission.fault(path, file.digest)
        except Unreadable as refusal:
            is_there = os.path.lexists(self.run.root / path)
            fault = f"{path} {refusal.reason}" + ("" if is_there else f"; {self.permission.missing_text(path)}")
        if fault:
            first, *others = [asked.key for _, asked in group]
            besides = f"; {list_text(others)} rest on it too" if others else ""
            self.faults |= {first: fault + besides, **dict.fromkeys(others, NAMED_BEFORE)}
            return
        for source, asked in group:
            try:
                found = quantity_of(file, source)
                self.quantities[asked.key] = reduce_values(found, asked.reduce) if asked.reduce else found
            except (ValueError, OverflowError) as error:
                self.faults[asked.key] = f"{asked.source[:200]}: {error}"

    def compute_trees(self, trees: dict[str, ast.expr]) -> None:
        """All facts that are expressions, each after those that it needs."""
        needs = {key: [each for each in keys_in(tree) if each in trees] for key, tree in trees.items()}
        try:
            order = list(graphlib.TopologicalSorter(needs).static_order())
        except graphlib.CycleError as error:
            circle = " -> ".join(error.args[1][:6])
            self.faults |= dict.fromkeys(error.args[1], f"these need each other in a circle: {circle}; remove one")
            self.compute_trees({key: tree for key, tree in trees.items() if key not in self.faults})
            return
        for key in order:
            try:
                self.quantities[key] = value_of_tree(trees[key], self.quantity_named)
            except (ValueError, OverflowError) as error:
                self.faults[key] = str(error)

    def quantity_named(self, key: str) -> Quantity:
        if key in self.quantities:
            return self.quantities[key]
        if key in self.requests:
            raise ValueError(f"{key} has no value")
        close = suggestion(key, self.requests)
        raise ValueError(f"there is no fact {key[:60]!r}; {close or 'add it to facts.yaml'}")

    def book(self, written: WrittenFile) -> FactBook:
        facts, lists = {}, {}
        for key, found in self.quantities.items():
            if found.is_list:
                lists[key] = len(found.values)
                continue
            try:
                facts[key] = fact_of(self.requests[key], found)
            except (ValueError, OverflowError) as error:
                self.faults[key] = str(error)
        problems = tuple(first_problems(list(self.problems(written))))
        return FactBook(facts, problems, lists, frozenset(self.faults))

    def problems(self, written: WrittenFile) -> Iterator[str]:
        yield from written.problems
        bad = [key for key in self.requests if self.faults.get(key, NAMED_BEFORE) != NAMED_BEFORE]
        yield from (written.message(key, self.faults[key]) for key in bad[:MOST_PROBLEMS])
        yield from bad[MOST_PROBLEMS:]


def fact_of(asked: FactRequest, found: Quantity) -> Fact:
    """A quantity with the text that prints it. Raises ValueError if it cannot be printed."""
    value = found.values[0]
    assert value is not None  # empty cells were refused before
    place = asked.source.partition("#")[2]
    refuse_percent_twice(asked.format, f"{asked.unit} {place} {asked.expr}")
    return Fact(
        key=asked.key,
        value=value,
        printed=printed_value(value, asked.format),
        n=found.n,
        seeds=found.seeds,
        unit=asked.unit,
        kind=kind_of(asked),
        inputs=dict(sorted(found.inputs.items())),
        source=asked.text,
        is_exploratory=found.is_exploratory,
        cite=asked.cite,
        quote=asked.quote,
    )


def literature_value(asked: FactRequest) -> Quantity:
    """A typed value. Its quote must have it, as it is printed."""
    assert asked.value is not None
    printed = printed_value(asked.value, asked.format)
    if printed not in asked.quote.replace("-", MINUS) and printed not in asked.quote:
        raise ValueError(f"its quote does not have {printed!r}; quote the sentence that does, word for word")
    return Quantity((asked.value,))
