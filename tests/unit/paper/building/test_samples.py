"""Three honest papers: one column, two columns, and much mathematics."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from papers import new_paper
from sample_papers import ROOT, SAMPLES, lay_sample

from flagstone.layout import Run
from flagstone.paper.claims import claim_checks
from flagstone.paper.facts import build_facts, build_tables
from flagstone.paper.linting import lint_checks, lint_rules, read_sources


@pytest.mark.parametrize("name", SAMPLES)
def test_an_honest_paper_raises_no_alarm(tmp_path: Path, name: str) -> None:
    run = Run(tmp_path / "demo")
    run.root.mkdir()
    lay_sample(run, name)
    rules = lint_rules(ROOT / "config", ROOT / "schemas")
    book, source = build_facts(run), read_sources(run.workspace / "writing", rules)
    tables = build_tables(run, book)
    checks = [*book.checks, *tables.checks, *lint_checks(source, book, rules), *claim_checks(source, book, run, rules)]
    assert [check.message for check in checks if check.status != "passed"] == []
    assert {use.name for use in source.tables} == set(tables.tex)
    assert len(source.uses) > 8 and len(source.claims) > 1


@pytest.mark.parametrize(("name", "venue"), list(zip(SAMPLES, ("neutral", "ieee_conference", "jmlr"), strict=True)))
def test_the_audit_explains_every_number_of_an_honest_paper(tmp_path: Path, name: str, venue: str) -> None:
    paper = new_paper(tmp_path, venue)
    shutil.rmtree(paper.run.writing / "sections")
    lay_sample(paper.run, name)
    build = paper.build()
    alarms = [check for check in build.failures if check.rule not in ("citation-verification", "paper-venue")]
    assert alarms == []
    assert "digit strings: " in next(check.message for check in build.checks if check.rule == "paper-audit")
    assert json.loads((paper.run.paper / "audit.json").read_text())["report"]["chance"] == 0
