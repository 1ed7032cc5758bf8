"""What registries answered: raw, with digest and time. The lock file of a run holds these answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.records import content_of, digest_bytes, write_if_changed
from flagstone.text import one_line

PUBLISHED = ("workspace", "literature", "refs.lock.json")
RECORDS = "answers.json"  # of a folder of records that were made by hand
VERSION = 1
Value = TypeVar("Value")


class NoAnswer(Exception):
    """A registry could not be asked, or its answer cannot be used. It says nothing about the work."""


@dataclass(frozen=True)
class RawAnswer:
    """One answer of a registry. `hand_made` means that a person wrote it, and no registry was asked."""

    source: str
    path: str
    status: int
    body: str
    at: str
    hand_made: bool = False

    @property
    def sha256(self) -> str:
        return digest_bytes(self.body.encode("utf-8", "surrogatepass"))

    def as_row(self) -> dict[str, object]:
        mark = {"hand_made": True} if self.hand_made else {}
        return {"status": self.status, "at": self.at, "sha256": self.sha256, **mark, "body": self.body}


class Fetcher(Protocol):
    """Asks a registry over the network. Raises NoAnswer if it cannot be asked."""

    def fetch(self, source: str, path: str) -> RawAnswer: ...

    def left_s(self) -> float: ...


class NoNetwork:
    """Asks nobody."""

    def fetch(self, source: str, path: str) -> RawAnswer:
        raise NoAnswer(f"{source} was not asked: the network is off, and the lock file does not hold its answer")

    def left_s(self) -> float:
        return 1e6


@dataclass
class Answers:
    """Answers from records made by hand, else from the lock file, else from the network."""

    by_hand: Mapping[tuple[str, str], RawAnswer]
    locked: Mapping[tuple[str, str], RawAnswer]
    fetcher: Fetcher
    used: dict[tuple[str, str], RawAnswer] = field(default_factory=dict)

    def anew(self) -> Answers:
        """The same, without what was used so far."""
        return Answers(self.by_hand, self.locked, self.fetcher)

    def ask(self, source: str, path: str, read: Callable[[RawAnswer], Value]) -> Value:
        """What a reader finds in the answer to one question. Raises NoAnswer if there is none that it can read."""
        key = (source, path)
        known = self.by_hand.get(key) or self.used.get(key) or self.locked.get(key)
        if known:
            with suppress(NoAnswer):  # what cannot be read is asked again
                value = read(known)
                self.used[key] = known
                return value
        fetched = self.fetcher.fetch(source, path)
        value = read(fetched)
        self.used[key] = fetched
        return value


def read_lock(path: Path) -> tuple[dict[tuple[str, str], RawAnswer], list[str]]:
    """The answers that a lock file holds, and what is wrong with it. An answer that was changed is not believed."""
    raw = content_of(path)
    if raw is None:
        return {}, []
    try:
        rows = json.loads(raw)["answers"]
        items = list(rows.items())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}, [f"{path.name} cannot be read; everything is asked again"]
    found, problems = {}, []
    for name, row in items:
        answer = answer_of(name, row)
        if answer is None or row.get("sha256") != answer.sha256:
            problems.append(f"{path.name}: the answer to “{one_line(name, 120)}” is not what was fetched; not used")
        elif not answer.hand_made:  # what was made by hand counts only while a person's settings name it
            found[answer.source, answer.path] = answer
    return found, problems


def answer_of(name: str, row: Any) -> RawAnswer | None:
    """One row of a lock file. Returns None if it is none."""
    source, _, path = name.partition(" ")
    if not isinstance(row, dict) or not isinstance(row.get("body"), str) or not isinstance(row.get("status"), int):
        return None
    return RawAnswer(source, path, row["status"], row["body"], str(row.get("at", "")), row.get("hand_made") is True)


def write_lock(run: Run, used: Iterable[RawAnswer], stale: Mapping[tuple[str, str], RawAnswer]) -> None:
    """Writes the lock file of a run and its published copy. Older answers stay: a later draft may need them again."""
    kept = {**stale, **{(answer.source, answer.path): answer for answer in used}}
    rows = {f"{source} {path}": answer.as_row() for (source, path), answer in sorted(kept.items())}
    value = {"version": VERSION, "hand_made": any(answer.hand_made for answer in kept.values()), "answers": rows}
    content = json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
    for path in (run.references_lock, run.below(*PUBLISHED)):
        write_if_changed(path, content)


def records_in(folder: Path) -> dict[tuple[str, str], RawAnswer]:
    """The answers that somebody made by hand. Their bodies may be written as JSON values or as text."""
    path = folder / RECORDS
    try:
        value = json.loads(path.read_bytes())
        rows = value["answers"].items()
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise FlagstoneError(
            f"{path} holds no records of citations: {error}",
            hint="correct the setting citations.records, or remove it to ask the registries themselves",
        ) from error
    found = {}
    for name, row in rows:
        source, _, route = name.partition(" ")
        body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"], ensure_ascii=False)
        found[source, route] = RawAnswer(source, route, row.get("status", 200), body, "", hand_made=True)
    return found
