"""What a marker has tried in vain and why, and what people would like to be tried or never mentioned again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger import NOT_AN_IDEA, Entry, entries_of, rows_of, tail_entries, tail_of
from flagstone.experiments.proposers import Guidance, idea_of
from flagstone.locks import sole_use
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.reporting import status_word
from flagstone.plans import Home
from flagstone.records import decode, encode, utc, write_atomic
from flagstone.text import collapse_spaces, one_line

LONGEST_BYTES = 1000  # of one idea: a prompt has room for the newest in any case
EARLIER = 12  # failed ideas of earlier experiments that a prompt is offered; it takes those that fit
NAME = re.compile(r"\bidea-(\d+)\b")


@dataclass(frozen=True)
class WantedIdea:
    """An idea of a person. It is in every prompt until the note of a run names it, or a person drops it."""

    name: str
    text: str
    added_at: str
    is_dropped: bool = False


@dataclass(frozen=True)
class StoredIdeas:
    """All that people said: their ideas, and the failed runs that no prompt may mention, such as `1/r0007`."""

    ideas: tuple[WantedIdea, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mention:
    """A run whose note names an idea of a person. Only the agent says that it tried this."""

    run: str
    status: str
    metric: float | None


@dataclass(frozen=True)
class FailedIdea:
    """One run that failed: what was tried, how it ended, and why."""

    run: str
    status: str
    metric: float | None
    tried: str
    change: str
    why: str
    is_dropped: bool


def read_ideas(folder: MarkerFolder) -> StoredIdeas:
    try:
        return decode(folder.ideas.read_bytes(), StoredIdeas)
    except FileNotFoundError:
        return StoredIdeas()
    except (OSError, ValueError, RecursionError) as error:
        raise FlagstoneError(
            f"{folder.ideas} cannot be read: {one_line(str(error))}", hint="repair the file, or move it away"
        ) from None


def change_ideas(folder: MarkerFolder, change: Callable[[StoredIdeas], StoredIdeas]) -> StoredIdeas:
    """Changes what people said. Two callers at once do not lose each other's words."""
    folder.root.mkdir(parents=True, exist_ok=True)
    with sole_use(folder.ideas.with_suffix(".lock")):
        stored = change(read_ideas(folder))
        write_atomic(folder.ideas, encode(stored) + b"\n")
        return stored


def add_idea(folder: MarkerFolder, text: str) -> WantedIdea:
    """Adds an idea of a person, as one printable line."""
    line = collapse_spaces(text)
    if not line:
        raise FlagstoneError("the idea has no words", hint='write it down: --add "cache the squares"')
    if (size := len(line.encode())) > LONGEST_BYTES:
        raise FlagstoneError(
            f"the idea is {size} bytes long, and may have {LONGEST_BYTES}", hint="say it shorter, or as two ideas"
        )

    def add(now: StoredIdeas) -> StoredIdeas:
        idea = WantedIdea(f"idea-{len(now.ideas) + 1}", line, utc(time.time()))
        return replace(now, ideas=(*now.ideas, idea))

    return change_ideas(folder, add).ideas[-1]


def drop_idea(folder: MarkerFolder, name: str) -> str:
    """Keeps a failed run, or an idea of a person, out of every later prompt. Returns its full name."""
    if NAME.fullmatch(name):
        if all(each.name != name for each in read_ideas(folder).ideas):
            raise FlagstoneError(f"there is no {name}", hint=f"see all: flagstone marker ideas {folder.name!r}")
        change_ideas(folder, partial(without_idea, name=name))
        return name
    full = full_name(folder, name)
    change_ideas(folder, lambda now: replace(now, dropped=tuple(dict.fromkeys((*now.dropped, full)))))
    return full


def without_idea(now: StoredIdeas, name: str) -> StoredIdeas:
    return replace(
        now, ideas=tuple(replace(each, is_dropped=each.is_dropped or each.name == name) for each in now.ideas)
    )


def full_name(folder: MarkerFolder, name: str) -> str:
    """The failed run that a person means, with its experiment. Raises an error if that is none, or not clear."""
    rows = [(f"{home.root.name}/{row.run_id}", row) for home in folder.homes for row in rows_of(home.ledger)]
    found = [(full, row) for full, row in rows if name in (full, row.run_id)]
    if len(found) > 1:
        raise FlagstoneError(
            f"there are several runs {name}", hint=f"name one of them: {', '.join(full for full, _ in found)}"
        )
    if not found:
        raise FlagstoneError(
            f"there is no run {one_line(name, 40)}", hint=f"see all: flagstone marker ideas {folder.name!r}"
        )
    full, row = found[0]
    if row.improved:
        raise FlagstoneError(f"{full} was kept, so it is no failed idea", hint="drop a run that failed")
    return full


def failed_ideas(folder: MarkerFolder) -> Iterator[FailedIdea]:
    """Every run that failed, the oldest first."""
    dropped = read_ideas(folder).dropped
    for home in folder.homes:
        for entry in filter(has_failed, entries_of(home.ledger)):
            idea, run = idea_of(entry, partial(tail_of, home)), f"{home.root.name}/{entry.run_id}"
            is_plain = idea.outcome == status_word(entry) or not entry.has_proposal
            why = idea.why if is_plain else f"{idea.outcome}: {idea.why}".removesuffix(": ")
            yield FailedIdea(run, status_word(entry), entry.value, idea.note, idea.change, why, run in dropped)


def has_failed(entry: Entry) -> bool:
    return not entry.is_baseline and not entry.improved and entry.status not in NOT_AN_IDEA


def mentions(folder: MarkerFolder) -> dict[str, list[Mention]]:
    """The runs whose notes name an idea of a person, by that name."""
    found: dict[str, list[Mention]] = {}
    for home in folder.homes:
        for row in rows_of(home.ledger):
            for name in dict.fromkeys(each.group() for each in NAME.finditer(row.note)):
                mention = Mention(f"{home.root.name}/{row.run_id}", status_word(row), row.value)
                found.setdefault(name, []).append(mention)
    return found


def guidance_of(folder: MarkerFolder, home: Home) -> Guidance:
    """What the next prompt of an experiment says besides its own runs."""
    stored = read_ideas(folder)
    open_ideas = [each for each in reversed(stored.ideas) if not each.is_dropped]
    tried = mentions(folder) if open_ideas else {}
    own = f"{home.root.name}/"
    return Guidance(
        wanted=tuple(f"{each.name}: {each.text}" for each in open_ideas if each.name not in tried),
        earlier=tuple(islice(earlier_lines(folder, home, stored.dropped), EARLIER)),
        dropped=frozenset(name.removeprefix(own) for name in stored.dropped if name.startswith(own)),
    )


def earlier_lines(folder: MarkerFolder, home: Home, dropped: tuple[str, ...]) -> Iterator[str]:
    """What failed in the experiments before this one, the newest first."""
    before = [each for each in folder.homes if int(each.root.name) < int(home.root.name)]
    tails = (((each, entry) for entry in reversed(tail_entries(each.ledger, 3 * EARLIER))) for each in reversed(before))
    for each, entry in chain.from_iterable(tails):
        line = f"{each.root.name}/{idea_of(entry).line}"
        if has_failed(entry) and f"{each.root.name}/{entry.run_id}" not in dropped:
            yield line
