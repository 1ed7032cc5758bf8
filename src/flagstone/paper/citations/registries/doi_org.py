"""Reads what doi.org answers: which agency registered a DOI, if it exists."""

from __future__ import annotations

import re
from urllib.parse import quote

from flagstone.paper.citations.registries.answers import Answers, NoAnswer, RawAnswer
from flagstone.paper.citations.registries.record import json_of, rows_at, text_at

SOURCE = "doi.org"
DOI = re.compile(r"10\.\d{4,9}/[^\s\x00-\x1f\x7f]{1,300}\Z")


def agency_of(doi: str, answers: Answers) -> str:
    """Who registered a DOI, such as `crossref`. '' if it does not exist."""
    return answers.ask(SOURCE, f"/doiRA/{quote(doi, safe='')}", agency_in)


def agency_in(answer: RawAnswer) -> str:
    rows = rows_at(json_of(answer))
    agency, problem = text_at(rows, 0, "RA"), text_at(rows, 0, "status")
    if not agency and not re.search("does not exist|invalid doi", problem, re.IGNORECASE):
        raise NoAnswer("doi.org did not say who registered the DOI")
    return agency.lower()
