"""A search over values in the files that may change: at random, or by TPE. It needs no model, and keeps no state.

What is proposed depends on the seed, the number of the run and the runs so far, and on nothing else. At random, every
second proposal draws all constants from their whole ranges; the others change a few of them a little from the best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from random import Random
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger import Entry
from flagstone.experiments.proposers.config_files import is_config, set_values, values_in
from flagstone.experiments.proposers.constants import Assignment, PythonFile, constants_in
from flagstone.experiments.proposers.protocol import Proposed, View
from flagstone.experiments.proposers.ranges import Range, ranges_of
from flagstone.plans import ARGUMENTS_FILE, WORD_VALUES_FILE, Spec, SubjectSpec
from flagstone.text import one_line

TRIES = 100
NOTE = 200
HINT = (
    "in experiment.yaml: `search: {parameters: {LR: {low: 0.001, high: 0.1, log: true}}}`; each is a line NAME = value "
    "of the file that is started, or a key of the YAML, JSON or TOML file that `file` names"
)

Values = Mapping[str, Any]


@dataclass(frozen=True)
class SearchProposer:
    """Replaces declared values in the files of the draft."""

    ranges: Sequence[Range]
    method: str

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        files = {name: content_of(draft / name) for name in dict.fromkeys(each.file for each in self.ranges)}
        found, faults = places_in(files, self.ranges)
        if faults:
            raise FlagstoneError(f"search cannot continue: {'; '.join(faults)}", hint=HINT)
        now = {name: each.value for name, each in found.items()}
        here = replace(self, ranges=[each.like(now[each.name]) for each in self.ranges])
        tried = [values for values in map(parameters_of, view.entries) if values]
        if here.is_used_up(tried, now):
            return Proposed(failure="every combination of the constants was tried", facts={"exhausted": True})
        values = here.draw(view, now, tried)
        for name, content in files.items():
            (draft / name).write_bytes(with_values(name, content, values, self.ranges, found))
        # 1, 1.0 and True are not the same
        changed = {name: value for name, value in values.items() if repr(value) != repr(now[name])}
        note = ", ".join(f"{name} {value_text(value)}" for name, value in changed.items())
        change = ", ".join(f"{name} = {value_text(now[name])} → {value_text(value)}" for name, value in changed.items())
        facts = {"parameters": values, "change": one_line(change, NOTE)}
        return Proposed(note=one_line(note, NOTE), facts=facts)

    def is_used_up(self, tried: Sequence[Values], now: Values) -> bool:
        """Whether there is no combination left. The last runs are all that is looked at."""
        count = prod(each.count for each in self.ranges)
        if count > len(tried) + 1:
            return False
        return count <= len({key_of(each) for each in (now, *tried) if self.holds(each)})

    def is_new(self, values: Values, now: Values, tried: Sequence[Values]) -> bool:
        """Whether these are other values than now, and than any of these ranges that were tried."""
        equal = (each for each in tried if each == values and self.holds(each))
        return all(key_of(each) != key_of(values) for each in (now, *equal))

    def holds(self, values: Values) -> bool:
        """Whether these are a combination of the ranges; the project's own values need not be one."""
        return all(each.holds(values.get(each.name)) for each in self.ranges)

    def draw(self, view: View, now: Values, tried: Sequence[Values]) -> Values:
        """Other values than now, and, as far as they can be found, than any that were tried."""
        if self.method == "tpe":
            from flagstone.experiments.proposers.tpe import suggest

            values = suggest(view, self.ranges)
            if self.is_new(values, now, tried):
                return values
        return self.at_random(view, now, tried)

    def at_random(self, view: View, now: Values, tried: Sequence[Values]) -> Values:
        chance = Random(f"{view.spec.seed}:{view.number}")
        values = now
        for _ in range(TRIES):
            draw = self.anywhere if view.number % 2 == 0 else self.nearby
            values = draw(now, chance)
            if self.is_new(values, now, tried):
                return values
        # close by everything was tried: somewhere else there is something left
        for _ in range(TRIES * TRIES):
            values = self.anywhere(now, chance)
            if self.is_new(values, now, tried):
                break
        return values

    def anywhere(self, now: Values, chance: Random) -> Values:
        return {each.name: each.anywhere(chance) for each in self.ranges}

    def nearby(self, now: Values, chance: Random) -> Values:
        """The values with a few constants, at least one, moved by a small step."""
        chosen = [each for each in self.ranges if chance.random() < 0.5] or [chance.choice(self.ranges)]
        return {**now, **{each.name: each.near(now[each.name], chance) for each in chosen}}


def search_of(spec: Spec) -> SearchProposer:
    """The search that a spec asks for; everything that is wrong with it in one error."""
    ranges, faults = ranges_of(spec.search.get("parameters", {}))
    entry, method = spec.subject.entry, spec.search["method"]
    ranges = [replace(each, file=each.file or entry) for each in ranges]
    if not ranges:
        faults.append("search.parameters names no constant")
    for name in dict.fromkeys(each.file for each in ranges):
        if not spec.subject.may_change(name):
            faults.append(f"search changes {name or 'the entry'}, which is not one of the files that may change")
    if method == "tpe":
        from flagstone.experiments.proposers.tpe import fault_of_optuna

        faults += fault_of_optuna()
    if not spec.parent and not faults:  # a child begins with the files of its parent, which are not there
        faults += faults_of_files(spec.subject, ranges)
    if faults:
        raise FlagstoneError(f"experiment {spec.name} cannot search: {'; '.join(faults)}", hint=HINT)
    return SearchProposer(tuple(ranges), method)


def faults_of_files(subject: SubjectSpec, ranges: Sequence[Range]) -> list[str]:
    files = {}
    own = {ARGUMENTS_FILE} if subject.command_arguments else set[str]()  # not in the project
    for name in dict.fromkeys(each.file for each in ranges if each.file not in own):
        try:
            files[name] = subject.arguments_file if name == WORD_VALUES_FILE else (subject.root / name).read_bytes()
        except OSError as error:
            return [f"cannot read {subject.root / name}: {error.strerror}"]
    return places_in(files, ranges)[1]


def content_of(path: Path) -> bytes:
    """What a file of the draft holds. Raises an error if it cannot be changed as a file of its own."""
    if path.is_symlink():
        raise FlagstoneError(f"search cannot change {path.name}: it is a link", hint=HINT)
    try:
        return path.read_bytes()
    except OSError as error:
        raise FlagstoneError(f"search cannot read {path.name}: {error.strerror}", hint=HINT) from error


def places_in(files: Mapping[str, bytes], ranges: Sequence[Range]) -> tuple[dict[str, Assignment], list[str]]:
    """Where each parameter stands in its file, and everything that is wrong with them in words."""
    found: dict[str, Assignment] = {}
    faults: list[str] = []
    for name, content in files.items():
        own = {each.key: each.name for each in ranges if each.file == name}
        places, said = values_in(name, content, [*own]) if is_config(name) else constants_in(content, [*own])
        found |= {own[key]: place for key, place in places.items()}
        faults += [f"{name} {fault}" for fault in said]
    return found, faults


def with_values(
    name: str, content: bytes, values: Values, ranges: Sequence[Range], found: Mapping[str, Assignment]
) -> bytes:
    """One file with the values that are its own."""
    own = {each.name: values[each.name] for each in ranges if each.file == name}
    return set_values(content, own, found) if is_config(name) else PythonFile.of(content).set_values(own, found)


def parameters_of(entry: Entry) -> Values | None:
    found = entry.proposal.get("parameters")  # asked of 200 runs each time: `Mapping` would take far longer than `dict`
    return found if isinstance(found, dict) else None


def key_of(values: Values) -> str:
    """Values as they are written: 1, 1.0 and True are not the same."""
    return repr(sorted(values.items()))


def value_text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
