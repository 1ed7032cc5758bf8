"""Each table of tables.yaml stands in the text, and each table of the text in tables.yaml."""

from __future__ import annotations

from flagstone.paper.building.gathering import table_use_checks
from flagstone.paper.facts import Tables
from flagstone.paper.linting import PaperSource
from flagstone.paper.linting.place import SourcePlace
from flagstone.paper.linting.source import TableUse


def messages(used: str, *names: str) -> list[str]:
    source = PaperSource(tables=(TableUse(used, SourcePlace("sections/results.tex", 7)),))
    return [check.message for check in table_use_checks(source, Tables(dict.fromkeys(names, "")))]


def test_a_table_that_the_text_puts_in_passes() -> None:
    assert messages("gains", "gains") == []


def test_an_unknown_table_is_named_with_its_line_and_those_that_there_are() -> None:
    first = "sections/results.tex:7: there is no table 'gian'; use: gains"
    assert messages("gian", "gains") == [first, r"no section has table gains; write \input{tables/gains}, or remove it"]
    assert messages("gain") == ["sections/results.tex:7: there is no table 'gain'; use: tables.yaml has none yet"]
