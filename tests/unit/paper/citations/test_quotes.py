"""What is quoted from a work has to stand in its abstract, or in its stored text."""

from __future__ import annotations

import pytest
from citing_run import MEASURED, CitingRun

from flagstone.paper.citations import references_of


def check(citing: CitingRun, *quotes: str, factual: bool = False) -> tuple[list[str], str, str]:
    claims = [{"statement": "s", "quote": quote, "place": "abstract"} for quote in quotes]
    citing.request({"key": "work", **MEASURED, "claims": claims})
    found = references_of(citing.run, ["work"], citing.settings(), factual=["work"] if factual else [])
    return [each.place for each in found.rows[0].quotes], found.checks[0].status, found.checks[0].message


@pytest.mark.parametrize(
    "quote",
    ["Quantum mechanics & measurement: a hand-made abstract", "a HAND–MADE  abstract about\nwhat is mea-\nsured"],
)
def test_a_quote_is_found_in_the_abstract_however_it_is_set(citing: CitingRun, quote: str) -> None:
    assert check(citing, quote)[:2] == (["abstract"], "passed")


def test_a_quote_is_found_in_a_stored_text(citing: CitingRun) -> None:
    text = citing.run.workspace / "literature" / "texts" / "work.txt"
    text.parent.mkdir(parents=True)
    text.write_text("We find that mea-\nsurement changes everything in the end.")
    found = check(citing, "measurement changes everything in the end")
    assert found[:2] == (["workspace/literature/texts/work.txt"], "passed")
    assert "1 quote found only in a text that somebody stored" in found[2]


@pytest.mark.parametrize("quote", ["it never says anything like this", "Quantum", "a hand"])
def test_a_quote_that_stands_nowhere_or_anywhere_fails(citing: CitingRun, quote: str) -> None:
    places, status, message = check(citing, quote)
    assert (places, status) == ([""], "failed")
    assert "stands neither in its abstract nor in workspace/literature/texts/work.txt" in message


def test_a_work_that_is_cited_for_a_fact_needs_a_quote(citing: CitingRun) -> None:
    assert check(citing, factual=True)[1] == "failed"
    places, status, message = check(citing)
    assert (places, status) == ([], "passed")
    assert "1 work cited without a stored quote" in message
