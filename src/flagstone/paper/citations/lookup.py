"""Looks up the works of a run: in records made by hand, in its lock file, and at the registries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.layout import Run, shipped_files
from flagstone.paper.citations.registries import (
    Answers,
    Fetcher,
    NoAnswer,
    NoNetwork,
    RawAnswer,
    Registries,
    SharedPatience,
    WorkRecord,
    each_in_parallel,
    read_lock,
    records_in,
    works_at_arxiv_with,
    works_at_crossref,
    write_lock,
)
from flagstone.paper.citations.requests import CitationRequest, with_record
from flagstone.paper.citations.verifying import CitationStatus, Verification, verify
from flagstone.settings import Settings, merge

DEMO_RECORDS = Path(__file__).parents[2] / "agents" / "demo" / "material" / "citations"


@dataclass(frozen=True)
class LookedUpWork:
    """A request, what asking came to, and the answers that this rests on."""

    request: CitationRequest
    verification: Verification
    answers: tuple[RawAnswer, ...] = ()

    @property
    def is_by_hand(self) -> bool:
        return any(answer.hand_made for answer in self.answers)


@dataclass(frozen=True)
class Lookup:
    """The works that were looked up, the answers that the lock file held before, and what is wrong with it."""

    run: Run
    works: tuple[LookedUpWork, ...]
    locked: Mapping[tuple[str, str], RawAnswer]
    problems: tuple[str, ...]

    def save(self) -> list[str]:
        """Keeps the answers for builds without a network. Says why if it cannot: an agent may not write there."""
        try:
            write_lock(self.run, [answer for work in self.works for answer in work.answers], self.locked)
        except (WorkFailed, OSError):
            return ["the answers could not be kept, so that they are asked for again"]
        return []


def look_up(
    run: Run,
    requests: Sequence[CitationRequest],
    settings: Settings,
    *,
    refresh: bool = False,
    fill_in: bool = False,
) -> Lookup:
    """Verifies works. With `refresh`, what the lock file holds is asked again.

    With `fill_in`, what a request does not say is taken from its record.
    """
    locked, problems = read_lock(run.references_lock)
    answers = Answers(hand_made_records(run, settings), {} if refresh else locked, fetcher_of(settings))
    return Lookup(run, tuple(verify_all(requests, answers, fill_in=fill_in)), locked, tuple(problems))


def search_works(run: Run, words: str, settings: Settings) -> tuple[list[WorkRecord], list[str]]:
    """The works that Crossref and arXiv find for these words, and who could not be asked."""
    answers = Answers(hand_made_records(run, settings), {}, fetcher_of(settings))
    problems = []

    def search(works_at: Callable[[str, Answers], list[WorkRecord]]) -> list[WorkRecord]:
        try:
            return works_at(words, answers)
        except NoAnswer as error:
            problems.append(str(error))
            return []

    found = each_in_parallel(search, (works_at_crossref, works_at_arxiv_with), answers.fetcher.left_s)
    return [record for _, records in sorted(found.items()) for record in records], problems


def hand_made_records(run: Run, settings: Settings) -> Mapping[tuple[str, str], RawAnswer]:
    """The records that a person's settings name. No agent may write them."""
    named = chosen_keys(settings)["records"]
    if not named:
        return records_in(DEMO_RECORDS) if has_demo_records(settings) else {}
    folder = (run.root / Path(named).expanduser()).resolve()
    if folder.is_relative_to(run.workspace.resolve()):
        raise FlagstoneError(
            f"citations.records names {folder}, where agents write", hint="move the folder out of the workspace"
        )
    return records_in(folder)


def has_demo_records(settings: Settings) -> bool:
    """Whether the records are those that come with the demo. Then no registry is asked."""
    return settings.merged["agent"] == "demo" and not chosen_keys(settings)["records"]


def chosen_keys(settings: Settings) -> Mapping[str, Any]:
    """What `citations` is set to. The schemas of a project that an earlier version made have no defaults for it."""
    ours = schemas.defaults(shipped_files() / "schemas", "settings")["citations"]
    return merge(ours, settings.merged.get("citations", {}))


def may_ask(settings: Settings) -> bool:
    """Whether registries are asked at all."""
    return bool(chosen_keys(settings)["network"]) and not has_demo_records(settings)


def fetcher_of(settings: Settings) -> Fetcher:
    chosen = chosen_keys(settings)
    if not may_ask(settings):
        return NoNetwork()
    return Registries(chosen, SharedPatience(chosen["patience_s"]))


def verify_all(requests: Sequence[CitationRequest], answers: Answers, *, fill_in: bool = False) -> list[LookedUpWork]:
    """Verifies several works at once. Those that are not done when no registry answers any more are UNREACHABLE."""

    def verify_one(request: CitationRequest) -> LookedUpWork:
        own = answers.anew()
        found = verify(request, own)
        if fill_in and found.record:
            request = with_record(request, found.record)
            found = verify(request, own)
        return LookedUpWork(request, found, tuple(own.used.values()))

    done = each_in_parallel(verify_one, requests, answers.fetcher.left_s)
    late = Verification(CitationStatus.UNREACHABLE, "no registry answered in time")
    return [done.get(position) or LookedUpWork(request, late) for position, request in enumerate(requests)]
