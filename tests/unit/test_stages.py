"""The stage table is data: any table that makes sense works, and one that does not says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flagstone.errors import FlagstoneError
from flagstone.stages import StageTable, load_table

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


def table_of(tmp_path: Path, **after: str) -> StageTable:
    """A table of stages that are named by their numbers, with what each rests on."""
    return load(
        tmp_path, {nr[1:]: {"name": f"stage_{nr}", "title": "Any", "after": up.split()} for nr, up in after.items()}
    )


def load(tmp_path: Path, rows: object) -> StageTable:
    path = tmp_path / "stages.yaml"
    path.write_text(yaml.safe_dump({"stages": rows}))
    return load_table(path, ROOT / "schemas", validate=False)


def test_a_table_is_sorted_by_what_rests_on_what(tmp_path: Path) -> None:
    assert [stage.nr for stage in table_of(tmp_path, s01="02", s02="")] == ["02", "01"]


def test_a_circle_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="02, 03 depend on each other in a circle"):
        table_of(tmp_path, s01="", s02="03", s03="02")


def test_a_stranger_in_after_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="do not exist: 07"):
        table_of(tmp_path, s01="07")


def test_two_stages_with_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="both called 'any'"):
        load(tmp_path, {"01": {"name": "any", "title": "Any"}, "02": {"name": "any", "title": "Any", "after": ["01"]}})


@pytest.mark.parametrize("rows", [None, {"01": None}, {"01": {"title": "Any"}}, {"01": {"name": "a", "title": 3}}])
def test_a_table_of_another_form_is_an_error_even_where_nobody_validates_it(tmp_path: Path, rows: object) -> None:
    with pytest.raises(FlagstoneError, match=r"stages\.yaml is no stage table"):
        load(tmp_path, rows)
