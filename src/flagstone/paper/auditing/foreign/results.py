"""The numbers of a folder of results, with the file of each, and the constants of its code."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.records import digest_file

FILE_BYTES = 20_000_000
MOST_FILES = 20_000
MOST_NUMBERS = 1_000_000
LONGEST_GROUP = 100  # a longer list is a curve, not one value a seed
CODE = {".py", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".sh", ".ipynb"}
PICTURES = {".png", ".jpg", ".jpeg", ".pdf", ".svg"}
PLAIN = {".txt", ".log", ".md", ".out"}
LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w])")
DIGITS = re.compile(r"\d+")


@dataclass
class Results:
    """`numbers` has the first place of each value. A group has values whose places differ in a number alone."""

    numbers: dict[float, str] = field(default_factory=dict)
    groups: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    constants: set[str] = field(default_factory=set)
    pictures: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    unread: list[str] = field(default_factory=list)

    def add(self, value: object, place: str, group: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return
        if len(self.numbers) < MOST_NUMBERS:
            self.numbers.setdefault(abs(float(value)), place)
        if len(self.groups[group]) <= LONGEST_GROUP:
            self.groups[group].append(float(value))


def read_results(folder: Path) -> Results:
    """Reads every JSON, CSV and text file of a folder within bounds, and names what it could not read."""
    results = Results()
    for path in files_below(folder):
        name, ending = path.relative_to(folder).as_posix(), path.suffix.lower()
        try:
            if ending in PICTURES:
                results.pictures[digest_file(path)].append(name)
            elif path.stat().st_size > FILE_BYTES:
                results.unread.append(f"{name} is larger than {FILE_BYTES // 1_000_000} MB")
            else:
                read_file(path, name, results)
        except (OSError, ValueError, RecursionError, csv.Error) as error:
            results.unread.append(f"{name}: {type(error).__name__}")
    return results


def files_below(folder: Path) -> Iterator[Path]:
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            count += 1
            path = Path(root, name)
            if count > MOST_FILES:
                return
            if path.is_file() and not path.is_symlink():
                yield path


def read_file(path: Path, name: str, results: Results) -> None:
    ending = path.suffix.lower()
    if ending in CODE:
        results.constants.update(LITERAL.findall(path.read_text("utf-8", "replace")))
    elif ending == ".json":
        add_value(json.loads(path.read_text("utf-8")), f"{name}#", results)
    elif ending == ".jsonl":
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            if line.strip():
                add_value(json.loads(line), f"{name}#/{number}", results)
    elif ending in (".csv", ".tsv"):
        add_table(path, name, results)
    elif ending in PLAIN:
        for found in NUMBER.findall(path.read_text("utf-8", "replace")):
            results.add(float(found), name, f"{name}#text")


def add_value(value: object, place: str, results: Results) -> None:
    if isinstance(value, Mapping):
        for key, each in value.items():
            add_value(each, f"{place}/{key}", results)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            add_value(each, f"{place}/{number}", results)
    else:
        results.add(value, place, DIGITS.sub("*", place))


def add_table(path: Path, name: str, results: Results) -> None:
    """Rows that differ in numbers alone are one group."""
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t" if path.suffix.lower() == ".tsv" else ","):
            words = "|".join(str(value) for value in row.values() if not is_number(value))
            for column, value in row.items():
                if is_number(value):
                    results.add(float(str(value)), f"{name}#{column}", f"{DIGITS.sub('*', name)}#{column}|{words}")


def is_number(value: object) -> bool:
    return isinstance(value, str) and bool(NUMBER.fullmatch(value.strip()))
