"""The examples that an author of a paper is shown have the form that the reader of its files asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flagstone.paper.facts.expressions import parse_expression
from flagstone.paper.facts.formats import FORMAT
from flagstone.paper.facts.sources import rows_source_of, source_of
from flagstone.schemas import parse_yaml, problems

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "prompts/_partials/paper_numbers.md.j2").read_text(encoding="utf-8")
FACTS, TABLES, FIGURES = (parse_yaml(block, "prompt") for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))


@pytest.mark.parametrize(("name", "value"), [("facts", FACTS), ("tables", TABLES), ("figures", FIGURES)])
def test_each_file_fits_its_schema(name: str, value: object) -> None:
    assert problems(ROOT / "schemas", name, value) == []


def test_sources_expressions_and_formats_can_be_read() -> None:
    for fact in FACTS.values():
        assert not fact.get("format") or FORMAT.match(fact["format"])
        if "from" in fact:
            source_of(fact["from"])
        if "expr" in fact:
            parse_expression(fact["expr"])
    rows_source_of(TABLES["ablations"]["rows"])
