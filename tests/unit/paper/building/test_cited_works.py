"""A paper that cites a work which is not verified: a draft marks it, a release fails, and a person may let it pass."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from papers import Paper, new_paper

from flagstone.paper.citations import read_requests, waive
from flagstone.seals import Decision

BOOK = {"key": "fisher1935design", "title": "The Design of Experiments", "authors": ["Fisher, R. A."], "year": 1935}
TEXT = "\\section{Introduction}\nWe follow \\citet{zhang2018mixup} and \\citet{fisher1935design}.\n"


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return new_paper(tmp_path)


def cite_a_book(paper: Paper) -> None:
    path = paper.run.workspace / "literature" / "sources.json"
    value = json.loads(path.read_text())
    path.write_text(json.dumps({"sources": [*value["sources"], BOOK]}))
    paper.write("sections/introduction.tex", TEXT)


def text_of(pdf: Path | None) -> str:
    assert pdf is not None
    printed = subprocess.run(("pdftotext", "-layout", pdf, "-"), capture_output=True, text=True, check=True).stdout
    return " ".join(printed.split())


def test_a_release_fails_and_says_which_work_and_why(paper: Paper) -> None:
    cite_a_book(paper)
    message = paper.failures()["citation-verification"]
    assert "fisher1935design is UNREACHABLE" in message
    assert "flagstone paper cite waive" in message


def test_a_draft_marks_it_in_the_bibliography_and_on_the_first_page(paper: Paper) -> None:
    cite_a_book(paper)
    printed = text_of(paper.build(is_draft=True).pdf)
    assert "Draft: not verified: fisher1935design" in printed
    assert "[UNREACHABLE: not verified]" in printed
    assert "checked against the records that come with the demo; no network was asked" in printed


def test_a_waived_work_passes_and_the_appendix_says_why(paper: Paper) -> None:
    cite_a_book(paper)
    request = read_requests(paper.run).by_key["fisher1935design"]
    waive(paper.run, request, "UNREACHABLE", Decision("person", "ann", "2026-11-29T00:00:00Z", "", "it is on my shelf"))
    assert "citation-verification" not in paper.failures()
    printed = text_of(paper.build().pdf)
    assert "it is on my shelf" in printed
    assert "[UNREACHABLE: not verified]" in printed
