"""A survey leaves requests that can be looked up, and not a file that merely exists."""

from __future__ import annotations

import json
import time

import pytest
from material import outcome

from flagstone.artifacts.rules import RuleCheck
from flagstone.layout import Run
from flagstone.stages import NamedFile

SOURCES = NamedFile("workspace/literature/sources.json", ("sources",))
GOOD = {"key": "a2024b", "title": "A Work", "authors": ["A, B"], "year": 2024, "doi": None, "claims": []}


def checks(run: Run, content: bytes) -> dict[str, RuleCheck]:
    path = run.root / SOURCES.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return dict(outcome(run, leaves=(SOURCES,)))


def found(run: Run, value: object) -> RuleCheck:
    return checks(run, json.dumps(value).encode())["citation-requests"]


def test_requests_pass(run: Run) -> None:
    check = found(run, {"searched_until": "2026-11-29", "sources": [GOOD, {"key": "b", "title": "B"}]})
    assert (check.status, check.message) == ("passed", "2 works may be looked up")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"sources": [{"key": "a"}]}, "title"),
        ({"sources": [{**GOOD, "key": "a b"}]}, "key"),
        ({"sources": [{**GOOD, "status": "VERIFIED"}]}, "status"),
        ({"sources": [{**GOOD, "claims": [{"statement": "s"}]}]}, "quote"),
        ({"sources": [{"key": "a", "title": "b"}] * 100_000}, "it holds more than 5000 works"),
        ({"sources": "none"}, "sources"),
    ],
)
def test_what_cannot_be_looked_up_is_named_with_the_cure(run: Run, value: object, says: str) -> None:
    began = time.process_time()
    check = found(run, value)
    assert check.status == "failed"
    assert says in check.message
    assert "let flagstone paper cite add write it" in check.message
    assert time.process_time() - began < 10


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"{", b"[" * 100_000])
def test_what_is_no_json_is_named_by_the_rule_for_named_files(run: Run, content: bytes) -> None:
    found = checks(run, content)
    assert found["named-files"].status == "failed"
    assert "citation-requests" not in found


def test_nobody_is_asked_for_requests_unless_the_stage_must_leave_them(run: Run) -> None:
    assert "citation-requests" not in outcome(run)
