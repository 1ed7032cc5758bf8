"""Seeds: which one each measurement gets, and whether an edit changed anything else."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

import yaml

from flagstone.experiments.candidates.edits.meaning import is_seed_name, meaning

HALF_BITS = 15
HALF = (1 << HALF_BITS) - 1
ROUNDS = 4
NUMBER_LINE = re.compile(r"\s*([\w.-]+)\s*[:=]\s*-?\d+\s*")


def seed_for(experiment_seed: int, repeat: int) -> int:
    """The seed of a repeat: 0 for the run a candidate is screened by, then the fresh ones. No two are equal.

    A Feistel network over 30 bits: without the seed of the experiment the next one cannot be guessed from those before,
    and it is a permutation, so that no repeat is by accident the same run as another.
    """
    left, right = repeat >> HALF_BITS & HALF, repeat & HALF
    for step in range(ROUNDS):
        mixed = sha256(f"flagstone seeds {experiment_seed} {step} {right}".encode()).digest()
        left, right = right, left ^ (int.from_bytes(mixed[:2], "big") & HALF)
    return left << HALF_BITS | right


def is_no_op(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    """Whether an edit changes nothing that a program sees, but at most comments, layout, docstrings and the note."""
    return is_same(before, after, without_seeds=False)


def is_seed_only(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    """Whether an edit changes nothing but seeds, and what `is_no_op` forgives besides."""
    return is_same(before, after, without_seeds=True)


def is_same(before: Mapping[str, bytes], after: Mapping[str, bytes], without_seeds: bool) -> bool:
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    return all(
        path in before
        and path in after
        and read(path, before[path], without_seeds) == read(path, after[path], without_seeds)
        for path in changed
    )


def read(path: str, content: bytes, without_seeds: bool) -> object:
    """What a file says, in a form to compare. One that cannot be read, or is of another kind, says its own bytes."""
    reader = READERS.get(PurePosixPath(path).suffix.lower())
    try:
        return reader(content.decode("utf-8"), without_seeds) if reader else content
    except (ValueError, SyntaxError, RecursionError, MemoryError, yaml.YAMLError):
        return content


def values_in(parse: Callable[[str], Any]) -> Callable[[str, bool], object]:
    """A reader of a format of names and values. The order stays, for it may mean something."""
    return lambda text, without_seeds: repr(mask_seeds(parse(text)) if without_seeds else parse(text))


def mask_seeds(value: Any, name: str = "") -> Any:
    """The value with a word in place of each number that is the seed of something."""
    if isinstance(value, dict):
        return {key: mask_seeds(part, str(key)) for key, part in value.items()}
    if isinstance(value, list):
        return [mask_seeds(part, name) for part in value]
    is_seed = isinstance(value, int) and not isinstance(value, bool) and is_seed_name(name)
    return "a seed" if is_seed else value


def lines_of(text: str, without_seeds: bool) -> object:
    """The lines that say something, of a format whose comments have a line of their own."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for line in lines if line and line.lstrip()[0] not in "#;"]
    if not without_seeds:
        return kept
    named = [(line, NUMBER_LINE.fullmatch(line)) for line in kept]
    return [f"{found[1]} is a seed" if found and is_seed_name(found[1]) else line for line, found in named]


READERS: Mapping[str, Callable[[str, bool], object]] = {
    ".py": meaning,
    ".yaml": values_in(lambda text: list(yaml.safe_load_all(text))),
    ".yml": values_in(lambda text: list(yaml.safe_load_all(text))),
    ".json": values_in(json.loads),
    ".toml": values_in(tomllib.loads),
    ".cfg": lines_of,
    ".ini": lines_of,
}
