"""A waiver is a person's decision about one request as it stands. Nobody else can make one, or stretch one."""

from __future__ import annotations

import json
from typing import Any

from citing_run import MEASURED, CitingRun

from flagstone.paper.citations import read_requests, waive, waivers_of
from flagstone.seals import Decision, decisions

UNKNOWN = {**MEASURED, "doi": "10.1000/invented"}


def with_waiver(citing: CitingRun, **changes: Any) -> None:
    citing.request({"key": "work", **UNKNOWN, **changes})
    request = read_requests(citing.run).by_key["work"]
    waive(citing.run, request, "NOT_FOUND", Decision("person", "ann", "2026-01-01T00:00:00Z", "command", "a book"))


def test_a_waived_work_passes_and_says_who_let_it_pass_and_why(citing: CitingRun) -> None:
    with_waiver(citing)
    found = citing.references("work")
    assert (found.rows[0].status, found.rows[0].waived) == ("NOT_FOUND", "ann: a book")
    assert found.checks[0].status == "passed"
    assert "0 cited works verified, 1 waived by a person" in found.checks[0].message
    assert "[NOT FOUND: not verified]" in found.bib


def test_a_waiver_is_sealed_like_an_approval(citing: CitingRun) -> None:
    with_waiver(citing)
    (seal,) = decisions(citing.run, "")
    assert (seal.event, seal.by, seal.who, seal.comment) == ("waived", "person", "ann", "a book")


def test_a_waiver_of_a_request_that_changed_does_not_hold(citing: CitingRun) -> None:
    with_waiver(citing)
    citing.request({"key": "work", **UNKNOWN, "doi": "10.1000/invented2"})
    assert citing.references("work").rows[0].waived == ""


def test_what_the_request_is_quoted_for_may_change_under_a_waiver(citing: CitingRun) -> None:
    with_waiver(citing)
    citing.request({"key": "work", **UNKNOWN, "claims": []})
    assert citing.references("work").rows[0].waived


def test_a_waiver_without_a_seal_does_not_count_and_is_named(citing: CitingRun) -> None:
    with_waiver(citing)
    citing.run.seals.unlink()
    found = citing.references("work")
    assert found.checks[0].status == "failed"
    assert "line 1 of approved/waivers.jsonl has no seal, and does not count" in found.checks[0].message


def test_a_waiver_that_was_edited_does_not_count(citing: CitingRun) -> None:
    with_waiver(citing)
    path = citing.run.approved / "waivers.jsonl"
    path.write_text(path.read_text().replace("a book", "a boot"))
    assert citing.references("work").checks[0].status == "failed"


def test_a_line_that_is_added_by_hand_does_not_count_and_the_others_do(citing: CitingRun) -> None:
    with_waiver(citing)
    request = read_requests(citing.run).by_key["work"]
    path = citing.run.approved / "waivers.jsonl"
    forged = {**json.loads(path.read_text()), "request": "0" * 64}
    path.write_text(path.read_text() + json.dumps(forged) + "\n")
    found, problems = waivers_of(citing.run)
    assert list(found) == [request.digest]
    assert problems == ["line 2 of approved/waivers.jsonl has no seal, and does not count"]


def test_a_second_waiver_is_chained_to_the_first(citing: CitingRun) -> None:
    with_waiver(citing)
    with_waiver(citing, year=1999)
    found, problems = waivers_of(citing.run)
    assert (len(found), problems) == (2, [])
    path = citing.run.approved / "waivers.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert "does not count" in waivers_of(citing.run)[1][0]
