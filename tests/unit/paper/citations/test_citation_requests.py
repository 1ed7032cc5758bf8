"""sources.json comes from an agent: whatever it holds, what is wrong is named, and nothing breaks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from citing_run import MEASURED, CitingRun

from flagstone.paper.citations import CitationRequest, CitationRequests, add_requests, read_requests


def write(citing: CitingRun, content: bytes) -> Path:
    path = citing.run.workspace / "literature" / "sources.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff",
        b"[" * 100_000,
        b'{"sources": 3}',
        b"3",
        b'{"sources": [NaN]}',
        b'{"other": []}',
        b"x" * 9_000_000,
    ],
)
def test_a_file_that_holds_no_requests_is_named(citing: CitingRun, content: bytes) -> None:
    write(citing, content)
    found = read_requests(citing.run)
    assert not found.by_key
    assert "workspace/literature/sources.json" in found.problems[0]


def test_no_file_is_no_request_and_no_fault(citing: CitingRun) -> None:
    assert read_requests(citing.run) == CitationRequests({})


def test_a_hundred_thousand_works_are_refused_at_once(citing: CitingRun) -> None:
    write(citing, json.dumps({"sources": [{"key": f"a{number}"} for number in range(100_000)]}).encode())
    assert "holds 100000 works; at most 5000 are read" in read_requests(citing.run).problems[0]
    found = citing.references("a1")
    assert found.checks[0].status == "failed"
    assert len(found.checks[0].message) < 2_000


def test_a_link_out_of_the_run_is_not_followed(citing: CitingRun, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text(json.dumps({"sources": [{"key": "work", **MEASURED}]}))
    path = write(citing, b"")
    path.unlink()
    path.symlink_to(tmp_path / "outside.json")
    assert not read_requests(citing.run).by_key


def test_a_pipe_does_not_hold_us(citing: CitingRun) -> None:
    path = write(citing, b"")
    path.unlink()
    os.mkfifo(path)
    assert not read_requests(citing.run).by_key


@pytest.mark.parametrize("key", ["", "a b", "a,b", "a}b", "\\input", "ä", "1a", "x" * 81, None, 3, ["a"]])
def test_a_key_that_bibtex_would_stumble_over_is_named(citing: CitingRun, key: object) -> None:
    citing.request({"key": key}, {"key": "work", **MEASURED})
    found = read_requests(citing.run)
    assert list(found.by_key) == ["work"]
    assert "row 1 has no key that can be cited" in found.problems[0]


def test_of_two_requests_with_one_key_the_first_counts(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED}, {"key": "work", "title": "Another"})
    found = read_requests(citing.run)
    assert found.by_key["work"].title == "Measured measurement"
    assert "the key work stands there twice" in found.problems[0]


@pytest.mark.parametrize(
    "row",
    [
        {"title": 3, "authors": "A, B", "year": [], "doi": {}, "arxiv": None, "claims": "x"},
        {"title": "x" * 100_000, "authors": [None, 3, {}] * 1000, "year": "10.5", "claims": [None, {"quote": {}}]},
        {"title": "\ud800", "authors": ["\udcff"], "year": 10**30, "doi": "10.1000/\ud800"},
    ],
)
def test_values_of_a_wrong_kind_do_not_break_the_lookup(citing: CitingRun, row: dict[str, object]) -> None:
    citing.request({"key": "work", **row})
    assert citing.references("work").rows[0].status in ("NOT_FOUND", "UNREACHABLE")


def write_own(citing: CitingRun, *rows: dict[str, Any]) -> None:
    citing.run.writing.mkdir(parents=True, exist_ok=True)
    (citing.run.writing / "sources.json").write_text(json.dumps({"sources": list(rows)}))


def test_a_paper_adds_works_and_quotes_to_those_of_an_approved_survey(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED, "year": 1999, "claims": [{"quote": "one of the survey"}]})
    write_own(
        citing,
        {"key": "work", "year": 2009, "claims": [{"quote": "one of the paper"}]},
        {"key": "more", "title": "More"},
    )
    found = read_requests(citing.run)
    assert list(found.by_key) == ["work", "more"]
    work = found.by_key["work"]
    assert (work.title, work.year) == ("Measured measurement", 2009)
    assert list(work.quotes) == ["one of the survey", "one of the paper"]


def test_what_is_wrong_with_the_file_of_the_paper_is_named(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED})
    write_own(citing, {"key": "1"})
    assert "workspace/writing/sources.json: row 1 has no key" in read_requests(citing.run).problems[0]


def test_a_work_is_added_to_the_paper_once_the_survey_is_offered(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED})
    before = (citing.run.workspace / "literature" / "sources.json").read_bytes()
    stages = citing.run.root / "stages"
    stages.mkdir(exist_ok=True)
    row = {"path": "workspace/literature/sources.json", "digest": "0"}
    (stages / "01_survey.json").write_text(json.dumps({"artifacts": [row]}))
    more = CitationRequest("more", title="More")
    assert add_requests(citing.run, [more]) == []
    assert add_requests(citing.run, [more, CitationRequest("work")]) == ["more", "work"]
    assert read_requests(citing.run).by_key["more"] == more
    assert (citing.run.workspace / "literature" / "sources.json").read_bytes() == before
