"""What the source of a paper may hold, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.paper.facts import Fact, FactBook
from flagstone.paper.linting import LintRules, PaperSource, lint_checks, lint_rules, read_sources

ROOT = Path(__file__).resolve().parents[4]
BOOK = FactBook({"gain": Fact("gain", 0.31, "0.310"), "runs": Fact("runs", 8, "8")})


@pytest.fixture(scope="session")
def rules() -> LintRules:
    return lint_rules(ROOT / "config", ROOT / "schemas")


@pytest.fixture
def writing(tmp_path: Path) -> Path:
    (tmp_path / "sections").mkdir()
    return tmp_path


def source_of(writing: Path, rules: LintRules, text: str) -> PaperSource:
    (writing / "sections" / "results.tex").write_text(text, encoding="utf-8")
    return read_sources(writing, rules)


def faults(writing: Path, rules: LintRules, text: str) -> list[str]:
    checks = lint_checks(source_of(writing, rules, text), BOOK, rules)
    assert {check.rule for check in checks} == {"paper-lint"}
    return [check.message for check in checks if check.status == "failed"]


def test_a_fact_may_be_used_and_a_typed_number_may_not(writing: Path, rules: LintRules) -> None:
    assert faults(writing, rules, "\\section{Results}\nIt saves \\val{gain} points.\n") == []
    assert faults(writing, rules, "\\section{Results}\nIt saves 0.310 points.\n") == [
        "sections/results.tex:2: “0.310” is typed; write \\val{…}, or \\lit{…}{why} if it is a constant"
    ]
