"""The stage table is data: any table that makes sense works, and one that does not says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.stages import StageTable, load_table, sort_stages

ROOT = Path(__file__).parents[2]


@pytest.fixture
def table() -> StageTable:
    return load_table(ROOT / "config" / "stages.yaml", ROOT / "schemas")


def test_the_eight_stages_stand_in_their_order(table: StageTable) -> None:
    assert [stage.key for stage in table] == [
        "01_literature_survey",
        "02_hypothesis_generation",
        "03_study_design",
        "04_implementation",
        "05_experimentation",
        "06_analysis",
        "07_writing",
        "08_dissemination",
    ]


@pytest.mark.parametrize("word", ["3", "03", "study_design", "03_study_design", " 03_STUDY_DESIGN "])
def test_a_stage_has_one_name_in_every_spelling(table: StageTable, word: str) -> None:
    assert table.find(word).nr == "03"


@pytest.mark.parametrize("word", ["0", "9", "", "03_study_desing", "../03"])
def test_a_stage_that_does_not_exist_is_an_error_with_a_suggestion(table: StageTable, word: str) -> None:
    with pytest.raises(FlagstoneError) as caught:
        table.find(word)
    assert "03_study_design" in caught.value.hint


def test_ancestors_and_descendants_are_transitive(table: StageTable) -> None:
    assert [stage.nr for stage in table.ancestors("04")] == ["01", "02", "03"]
    assert [stage.nr for stage in table.descendants("06")] == ["07", "08"]


def row(name: str, *after: str) -> dict[str, object]:
    return {"name": name, "title": "Any", "after": list(after)}


def test_a_table_is_sorted_by_what_rests_on_what() -> None:
    assert [stage.nr for stage in sort_stages({"01": row("a", "02"), "02": row("b")}, "table")] == ["02", "01"]


def test_a_circle_is_named() -> None:
    with pytest.raises(FlagstoneError, match="02, 03 depend on each other in a circle"):
        sort_stages({"01": row("a"), "02": row("b", "03"), "03": row("c", "02")}, "table")


def test_a_stranger_in_after_is_named() -> None:
    with pytest.raises(FlagstoneError, match="do not exist: 07"):
        sort_stages({"01": row("a", "07")}, "table")


def test_two_stages_with_one_name_are_refused() -> None:
    with pytest.raises(FlagstoneError, match="both called 'any'"):
        sort_stages({"01": row("any"), "02": row("any", "01")}, "table")
