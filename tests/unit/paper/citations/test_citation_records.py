"""What is written about citations has the form that its schema promises."""

from __future__ import annotations

import json
from typing import Any

from citing_run import ATTENTION, CHECKOUT, MEASURED, CitingRun

from flagstone import schemas
from flagstone.paper.citations import add_requests, read_requests, waive
from flagstone.seals import decision_now

CLAIMS = [{"statement": "s", "quote": "a hand-made abstract about", "place": "abstract"}]


def misfits(name: str, value: Any) -> list[str]:
    return schemas.problems(CHECKOUT / "schemas", name, value)


def test_each_record_has_its_form(citing: CitingRun) -> None:
    citing.request(
        {"key": "work", **MEASURED, "claims": CLAIMS}, {"key": "gone", "title": "x", "doi": "10.1000/invented"}
    )
    requests = read_requests(citing.run).by_key
    waive(citing.run, requests["gone"], "NOT_FOUND", decision_now("person", "command", comment="why"))
    found = citing.references("work", "gone")
    assert misfits("citation_verification", json.loads(json.dumps(found.as_record()))) == []
    assert misfits("refs_lock", json.loads((citing.run.root / "paper" / "refs.lock.json").read_text())) == []
    assert misfits("waiver", json.loads((citing.run.approved / "waivers.jsonl").read_text())) == []


def test_requests_that_are_added_have_their_form(citing: CitingRun) -> None:
    citing.request({"key": "work", **MEASURED}, {"key": "preprint", **ATTENTION, "arxiv": "1706.03762"})
    requests = list(read_requests(citing.run).by_key.values())
    (citing.run.workspace / "literature" / "sources.json").unlink()
    assert add_requests(citing.run, requests) == []
    assert add_requests(citing.run, requests) == ["work", "preprint"]
    written = json.loads((citing.run.workspace / "literature" / "sources.json").read_text())
    assert misfits("sources", written) == []
    assert list(read_requests(citing.run).by_key.values()) == requests


def test_the_requests_of_the_demo_have_their_form() -> None:
    path = CHECKOUT / "src" / "flagstone" / "agents" / "demo" / "material" / "sources.json"
    assert misfits("sources", json.loads(path.read_text())) == []
