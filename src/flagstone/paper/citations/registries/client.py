"""Asks registries over the network: one small client, which believes no answer that is cut, foreign or too large."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from flagstone import __version__
from flagstone.paper.citations.registries.answers import NoAnswer, RawAnswer
from flagstone.paper.citations.registries.patience import SharedPatience
from flagstone.paper.citations.registries.reply import Gone, HttpReply, get
from flagstone.records import utc

LONGEST_WAIT_S = 120  # that a registry may ask for
PAUSE_S = 1.0  # after the first failed try; it doubles with each
STRIKES = 3  # after which a registry is not asked again in this call
NAMES = {"crossref": "Crossref", "datacite": "DataCite", "arxiv": "arXiv", "openalex": "OpenAlex"}
SLOWER = {"openalex": (403, 429)}  # what else than 429 means: ask less often
AT_ONCE = {"arxiv": 1}
ONCE_ONLY = ("semantic_scholar",)  # it refuses most of those who have no key, and is left out then
SPACING_S = {"arxiv": 3.0}


class Unusable(Exception):
    """A reply that is no answer. It may be another one next time."""

    def __init__(self, reason: str, *, wait_s: float | None = None, strikes: int = 1) -> None:
        super().__init__(reason)
        self.wait_s, self.strikes = wait_s, strikes


@dataclass
class Lane:
    """The way to one registry: how many may be on it, how far apart, and how often it failed in a row."""

    at_once: int
    spacing_s: float
    strikes: int = 0
    reason: str = ""
    last_s: float = 0.0
    pacing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.places = threading.Semaphore(self.at_once)

    def keep_distance(self) -> None:
        with self.pacing:
            time.sleep(max(0.0, self.last_s + self.spacing_s - time.monotonic()))
            self.last_s = time.monotonic()


@dataclass
class Registries:
    """The registries as the settings name them. `pause_s` is the wait after the first failed try."""

    settings: Mapping[str, Any]
    patience: SharedPatience
    pause_s: float = field(default_factory=lambda: PAUSE_S)
    spacing_s: Mapping[str, float] = field(default_factory=lambda: SPACING_S)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def __post_init__(self) -> None:
        names = self.settings["servers"]
        self.lanes = {name: Lane(AT_ONCE.get(name, 3), self.spacing_s.get(name, 0.0)) for name in names}

    def left_s(self) -> float:
        return self.patience.left_s()

    def fetch(self, source: str, path: str) -> RawAnswer:
        """The answer of a registry. Raises NoAnswer if it has none that can be used."""
        lane, name = self.lanes[source], NAMES.get(source, source)
        if not lane.places.acquire(timeout=self.left_s()):
            raise NoAnswer(f"{name} could not be asked in time")
        try:
            for number in range(self.tries(source)):
                if lane.strikes >= STRIKES or not self.left_s():
                    raise NoAnswer(f"{name} could not be reached: {lane.reason or 'no registry answers'}")
                try:
                    return self.answer_to(source, path)
                except Unusable as failure:
                    lane.reason, strikes, wait_s = str(failure), failure.strikes, failure.wait_s
                if number + 1 < self.tries(source):
                    time.sleep(min(self.pause_s * 2**number if wait_s is None else wait_s, self.left_s()))
            lane.strikes += strikes
            raise NoAnswer(f"{name} could not be reached: {lane.reason}")
        finally:
            lane.places.release()

    def tries(self, source: str) -> int:
        return 1 if source in ONCE_ONLY else int(self.settings["tries"])

    def answer_to(self, source: str, path: str) -> RawAnswer:
        """One try."""
        lane = self.lanes[source]
        lane.keep_distance()
        url, headers = self.address(source, path)
        try:
            reply = get(url, headers, min(self.settings["timeout_s"], max(self.left_s(), 0.001)))
        except Gone as error:
            raise Unusable(str(error), strikes=STRIKES) from None
        self.patience.renew()
        body = self.usable_body(source, reply)
        lane.strikes = 0
        return RawAnswer(source, path, reply.status, body, utc(time.time()))

    def address(self, source: str, path: str) -> tuple[str, dict[str, str]]:
        """Where to ask, with the key of the person, which no record may hold."""
        contact = f"; mailto:{self.settings['mailto']}" if self.settings["mailto"] else ""
        headers = {"User-Agent": f"Flagstone/{__version__} (citation check{contact})"}
        key = self.environ.get(self.settings["keys"].get(source, ""), "")
        if key and source == "semantic_scholar":
            headers["x-api-key"] = key
        url = self.settings["servers"][source].rstrip("/") + path
        return (f"{url}&api_key={key}" if key and source == "openalex" else url), headers

    def usable_body(self, source: str, reply: HttpReply) -> str:
        """The body of a reply that can be believed. Raises Unusable, or NoAnswer if asking again would not help."""
        text = reply.body.decode("utf-8", "replace")
        is_slower = reply.status in SLOWER.get(source, (429,)) or text.startswith("Rate exceeded")
        if is_slower:
            raise Unusable("it asks us to ask less often", wait_s=self.wait_asked_for(source, reply), strikes=STRIKES)
        if reply.status >= 500:
            raise Unusable(f"it failed (HTTP {reply.status})", wait_s=self.wait_asked_for(source, reply))
        if reply.status not in (200, 404) or (reply.status == 404 and source == "arxiv"):
            raise NoAnswer(f"{NAMES.get(source, source)} refused the question (HTTP {reply.status})")
        is_page = text.lstrip()[:1] == "<" and source != "arxiv"
        # OpenAlex says in HTML that it does not know a work
        if is_page and not (reply.status == 404 and source == "openalex"):
            raise Unusable("it answered with a web page, perhaps for people to solve")
        if reply.is_cut or (reply.status == 200 and not has_form(source, text)):
            raise Unusable("its answer was cut short, or is none")
        return text

    def wait_asked_for(self, source: str, reply: HttpReply) -> float | None:
        """The seconds that a registry asks us to wait. Returns None if it names none. NoAnswer if it wants too many."""
        wait_s = seconds_in(reply.headers.get("retry-after", ""))
        if wait_s is not None and wait_s > LONGEST_WAIT_S:
            self.lanes[source].strikes = STRIKES
            self.lanes[source].reason = f"it asks us to wait {wait_s:.0f} s"
            raise NoAnswer(f"{NAMES.get(source, source)} asks us to wait {wait_s:.0f} s")
        if wait_s:
            self.patience.renew(wait_s)
        return wait_s


def has_form(source: str, text: str) -> bool:
    """Whether an answer is whole: JSON, or of arXiv a feed."""
    if source == "arxiv":
        return text.lstrip().startswith("<") and text.rstrip().endswith("</feed>")
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def seconds_in(header: str) -> float | None:
    """What Retry-After says, in seconds or as a date. Returns None if it says nothing."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
