"""A number from the literature stands in a cited work, in a quote that was found there."""

from __future__ import annotations

from dataclasses import replace

from flagstone.paper.building.literature_facts import literature_checks
from flagstone.paper.citations import CitationRow, CitationStatus, References
from flagstone.paper.citations.quotes import QuoteCheck
from flagstone.paper.facts import Fact, FactBook
from flagstone.text import one_line

QUOTE = "We reach an error of 4.49 per cent on the validation set."
OFFERED = ("workspace/literature/texts/he2016.txt",)
FACT = Fact("resnet", 4.49, "4.49", kind="literature", cite="he2016", quote=QUOTE)


def problems(fact: Fact, *quotes: QuoteCheck, key: str = "he2016") -> list[str]:
    row = CitationRow(key, CitationStatus.VERIFIED, "", "", quotes=quotes)
    checks = literature_checks(FactBook({fact.key: fact}), References("", (row,), ()), OFFERED.__contains__)
    return [check.message for check in checks]


def test_a_quote_that_was_found_in_the_cited_work_passes() -> None:
    assert problems(FACT, QuoteCheck(QUOTE, "abstract")) == []


def test_a_quote_that_is_stored_but_was_not_found_fails() -> None:
    (problem,) = problems(FACT, QuoteCheck(QUOTE, ""))
    assert "facts.yaml:resnet: its quote was not found in he2016" in problem
    assert problems(FACT) == [problem]


def test_a_stored_text_counts_only_if_a_stage_before_the_paper_offers_it() -> None:
    assert problems(FACT, QuoteCheck(QUOTE, "workspace/literature/texts/he2016.txt")) == []
    (problem,) = problems(FACT, QuoteCheck(QUOTE, "workspace/literature/texts/he2016.md"))
    assert "which no stage before this one offers" in problem


def test_a_long_quote_cannot_hide_another_end() -> None:
    """The verification lists the first part of a quote alone."""
    start = "These are true words of the abstract. " * 5
    fact = replace(FACT, quote=f"{start} 4.49 per cent")
    (problem,) = problems(fact, QuoteCheck(one_line(f"{start} Words without a number.", 160), "abstract"))
    assert "longer than 160 characters" in problem


def test_a_work_that_the_text_does_not_cite_fails() -> None:
    (problem,) = problems(FACT, QuoteCheck(QUOTE, "abstract"), key="other")
    assert "its work he2016 is not cited in the text" in problem


def test_facts_of_this_study_need_no_quote() -> None:
    assert problems(Fact("gain", 0.1, "0.1")) == []
