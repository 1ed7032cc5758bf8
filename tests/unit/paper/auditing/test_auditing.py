"""Every digit string of a built paper is explained, or the audit fails and says where."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import built_papers as papers

from flagstone.paper.auditing import ExpectedDigits, audit_pdf


def test_a_paper_whose_numbers_are_facts_passes(tmp_path: Path) -> None:
    pdf = papers.build(tmp_path, "The gain is 0.93, in 12 runs.")
    report = audit_pdf(pdf, ExpectedDigits(facts=Counter(["0.93"]), literals=Counter(["12"])))
    assert report.one_line == "2 digit strings: 1 fact, 1 literal"
    assert [check.status for check in report.checks] == ["passed"]


def test_a_typed_number_fails_with_its_page_and_words(tmp_path: Path) -> None:
    pdf = papers.build(tmp_path, "The gain is 0.93.\\newpage It is 99.1 in the end.")
    (check,) = audit_pdf(pdf, ExpectedDigits(facts=Counter(["0.93"]))).checks
    assert (check.rule, check.status) == ("paper-audit", "failed")
    assert "page 2: 99.1 is neither" in check.message
    assert "It is 99.1 in the end." in check.message
