"""What can go wrong between us and a registry. None of it makes a work verified or invented."""

from __future__ import annotations

import json
import threading
import time
from email.utils import formatdate

import pytest
from citing_run import ATTENTION, MEASURED, QUICK, CitingRun
from registry_server import Play, RegistryServer

from flagstone.paper.citations import VERIFICATION, unreachable_works
from flagstone.paper.citations.registries import client, each_in_parallel
from flagstone.paper.citations.registries.reply import get
from flagstone.records import write_record

PAGE = "<html><title>Are you a robot?</title></html>"
WORK = "crossref /works/10.1038%2Fnphys1170"


@pytest.mark.parametrize(
    ("source", "play", "says"),
    [
        ("crossref", Play(503), "Crossref could not be reached: it failed (HTTP 503)"),
        ("crossref", Play(429), "it asks us to ask less often"),
        ("crossref", Play(200, PAGE), "it answered with a web page"),
        ("crossref", Play(404, PAGE), "it answered with a web page"),
        ("crossref", Play(200, '{"message": {"title": ["x"', cut=False), "its answer was cut short, or is none"),
        ("crossref", Play(200, "[" * 100_000), "its answer was cut short, or is none"),
        ("crossref", Play(200, json.dumps({"message": {}}), cut=True), "its answer was cut short"),
        ("crossref", Play(200, '{"message": {"DOI": "10.1/other"}}'), "Crossref answered about another work"),
        ("crossref", Play(401, "{}"), "Crossref refused the question (HTTP 401)"),
        ("crossref", Play(200, "{}" + " " * 5_000_000), "the answer is larger than 4 MB"),
        ("doi.org", Play(200, "[]"), "doi.org did not say who registered the DOI"),
        ("doi.org", Play(200, '{"ok": true}'), "doi.org did not say who registered the DOI"),
        ("openalex", Play(403), "OpenAlex could not be reached: it asks us to ask less often"),
        ("openalex", Play(200, '{"title": "Measured measurement"}'), "without saying whether the work is retracted"),
        (
            "openalex",
            Play(200, '{"title": "A merged one", "is_retracted": false}'),
            "OpenAlex answered about another work, “A merged one”",
        ),
    ],
)
def test_a_reply_that_is_no_answer_leaves_a_work_unreachable(
    citing: CitingRun, source: str, play: Play, says: str
) -> None:
    citing.server.always[source] = play
    row = citing.row(**MEASURED)
    assert row.status == "UNREACHABLE"
    assert says in row.message


@pytest.mark.parametrize(
    "body",
    [
        "Rate exceeded.",
        "<html></html>",
        "<feed><entry></feed>",
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>',
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>cut',
        "",
    ],
)
def test_what_is_no_feed_of_arxiv_is_no_answer(citing: CitingRun, body: str) -> None:
    citing.server.always["arxiv"] = Play(200, body)
    assert citing.row(**ATTENTION, arxiv="1706.03762").status == "UNREACHABLE"


def test_arxiv_is_asked_again_when_it_says_in_plain_text_that_the_rate_is_exceeded(citing: CitingRun) -> None:
    citing.server.plays["arxiv"] = [Play(200, "Rate exceeded.")]
    assert citing.row(**ATTENTION, arxiv="1706.03762").status == "VERIFIED"
    citing.server.always["arxiv"] = Play(200, "Rate exceeded.")
    row = citing.row(**ATTENTION, arxiv="1706.03762v2")
    assert row.message == "arXiv could not be reached: it asks us to ask less often"


@pytest.mark.parametrize(
    "play",
    [Play(500), Play(429), Play(200, PAGE), Play(200, "{"), Play(200, '{"a": 1}', cut=True), Play(hang_s=0.5)],
)
def test_a_registry_that_recovers_is_believed(citing: CitingRun, play: Play) -> None:
    citing.server.plays["crossref"] = [play, play]
    assert citing.row(**MEASURED).status == "VERIFIED"


def test_two_failures_and_then_an_answer_take_no_more_than_the_tries(citing: CitingRun) -> None:
    citing.server.plays["crossref"] = [Play(500)] * 3
    assert citing.row(**MEASURED).status == "UNREACHABLE"
    assert citing.server.asked.count(WORK) == 3


@pytest.mark.parametrize("is_date", [False, True])
def test_a_wait_that_a_registry_asks_for_is_kept(
    citing: CitingRun, monkeypatch: pytest.MonkeyPatch, is_date: bool
) -> None:
    wait = formatdate(time.time() + 60, usegmt=True) if is_date else "60"
    slept: list[float] = []
    monkeypatch.setattr(client.time, "sleep", slept.append)
    citing.server.plays["crossref"] = [Play(429, headers={"Retry-After": wait})]
    assert citing.row(**MEASURED).status == "VERIFIED"
    assert 50 < max(slept) <= 60


def test_a_wait_of_minutes_is_not_kept(citing: CitingRun) -> None:
    citing.server.always["crossref"] = Play(429, headers={"Retry-After": "121"})
    row = citing.row(**MEASURED)
    assert (row.status, row.message) == ("UNREACHABLE", "Crossref asks us to wait 121 s")
    assert citing.server.asked.count(WORK) == 1


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "http://localhost:1/x", "ftp://127.0.0.1/x", "//example.org/x"]
)
def test_nobody_is_sent_on_to_a_file_or_another_server(citing: CitingRun, place: str) -> None:
    citing.server.always[WORK] = Play(302, headers={"Location": place})
    row = citing.row(**MEASURED)
    assert row.status == "UNREACHABLE"
    assert "another server" in row.message or "HTTP 302" in row.message


def test_a_work_that_was_merged_is_found_at_its_new_address(citing: CitingRun) -> None:
    name = next(name for name in citing.server.answers if name.startswith("openalex") and "nphys1170" in name)
    citing.server.answers["openalex /works/W2"] = citing.server.answers[name]
    citing.server.plays[name] = [Play(301, headers={"Location": f"{citing.server.base}/openalex/works/W2"})]
    assert citing.row(**MEASURED).status == "VERIFIED"


def test_redirections_end(citing: CitingRun) -> None:
    citing.server.always[WORK] = Play(301, headers={"Location": f"{citing.server.base}/{WORK.replace(' /', '/')}"})
    assert citing.row(**MEASURED).status == "UNREACHABLE"
    assert len(citing.server.asked) < 10


def test_arxiv_is_asked_over_one_connection_and_others_over_several(citing: CitingRun) -> None:
    citing.request(*({"key": f"a{number}", **ATTENTION, "arxiv": f"1706.0376{number}"} for number in range(6)))
    citing.server.always["arxiv"] = Play(200, "x", hang_s=0.05)
    citing.references(*(f"a{number}" for number in range(6)))
    assert citing.server.most_at_once["arxiv"] == 1


def test_if_no_server_answers_everything_ends_in_time_and_unreachable(citing: CitingRun) -> None:
    for source in citing.server.servers:
        citing.server.always[source] = Play(hang_s=30)
    rows = [{"key": f"d{number}", **MEASURED, "doi": f"10.1000/{number}"} for number in range(30)]
    rows += [{"key": f"a{number}", **ATTENTION, "arxiv": f"1706.{number:05}"} for number in range(30)]
    citing.request(*rows)
    began = time.monotonic()
    found = citing.references(*(str(row["key"]) for row in rows))
    assert {row.status for row in found.rows} == {"UNREACHABLE"}
    assert time.monotonic() - began < QUICK["patience_s"] + 5 * QUICK["timeout_s"] + 2
    assert len(citing.server.asked) < 20  # a registry that hangs is not asked about every work


def test_a_registry_that_hangs_is_given_up_while_another_one_answers(citing: CitingRun) -> None:
    citing.server.always["doi.org"] = Play(hang_s=30)
    dois = [{"key": f"d{number}", **MEASURED, "doi": f"10.1000/{number}"} for number in range(12)]
    answered = [{"key": f"a{number}", **ATTENTION, "arxiv": "1706.03762"} for number in range(40)]
    citing.request(*(row for pair in zip(dois * 4, answered, strict=False) for row in pair))
    found = citing.references(*(str(row["key"]) for row in [*dois, *answered]), patience_s=20)
    assert {row.status for row in found.rows if row.key.startswith("d")} == {"UNREACHABLE"}
    assert {row.status for row in found.rows if row.key.startswith("a")} == {"VERIFIED"}
    assert len([name for name in citing.server.asked if name.startswith("doi.org")]) <= 3 * QUICK["tries"]


def test_one_try_takes_no_longer_than_it_may_however_slowly_its_bytes_come(server: RegistryServer) -> None:
    server.always["doi.org"] = Play(200, "[" + " " * 60 + "]", drip_s=0.05)
    assert get(f"{server.base}/doi.org/x", {}, 0.3).is_cut


def test_what_cannot_be_interrupted_is_left_behind() -> None:
    """Such as the question to a name server."""
    never = threading.Event()
    assert each_in_parallel(lambda item: never.wait(3), [1, 2], lambda: 0.0) == {}
    never.set()


def test_a_server_that_sends_a_byte_now_and_then_does_not_hold_us(citing: CitingRun) -> None:
    citing.server.always["doi.org"] = Play(200, "[" + " " * 1000 + "]", drip_s=0.1)
    assert citing.row(**MEASURED).status == "UNREACHABLE"


def test_nobody_listening_is_unreachable(citing: CitingRun, server: RegistryServer) -> None:
    servers = dict.fromkeys(server.servers, "http://127.0.0.1:9")
    assert citing.row(settings={"servers": servers}, **MEASURED).status == "UNREACHABLE"


def test_keys_and_address_of_a_person_reach_the_registry_and_no_record(
    citing: CitingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENALEX_API_KEY", "sekret-1")
    monkeypatch.setenv("SEMANTIC_SCHOLAR_API_KEY", "sekret-2")
    citing.server.answers = {
        name + ("&api_key=sekret-1" if name.startswith("openalex") else ""): row
        for name, row in citing.server.answers.items()
    }
    row = citing.row(
        settings={"mailto": "ann@example.org"},
        title="A work without an identifier",
        authors=["Nameless, Nora"],
        year=2014,
    )
    assert row.status == "NO_ID"
    assert all("mailto:ann@example.org" in headers["User-Agent"] for headers in citing.server.headers)
    assert any(headers.get("X-Api-Key") == "sekret-2" for headers in citing.server.headers)
    assert "sekret" not in (citing.run.root / "paper" / "refs.lock.json").read_text()


def test_a_paper_waits_for_a_registry_only_if_nothing_else_is_wrong_with_its_citations(citing: CitingRun) -> None:
    away = {"key": "away", **MEASURED, "claims": [{"statement": "s", "quote": "four words of it", "place": "abstract"}]}
    citing.request(away, {"key": "lost", "title": "Lost", "authors": ["A, B"], "year": 2000, "doi": "no DOI"})
    for source in ("doi.org", "crossref", "openalex"):
        citing.server.always[source] = Play(500)
    write_record(citing.run.paper / VERIFICATION, citing.references("away").as_record())
    assert unreachable_works(citing.run, citing.settings()) == ["away"]
    assert unreachable_works(citing.run, citing.settings(network=False)) == []
    assert citing.references("away", "lost").waits_for == ()
