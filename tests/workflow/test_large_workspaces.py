"""A workspace with more files than a stage can be checked against is refused with the cure, not called interrupted."""

from __future__ import annotations

import pytest
from workbench import Place, Study

from flagstone.artifacts.before import FILES_LIMIT


@pytest.mark.slow
def test_too_many_files_end_a_stage_with_the_cure(place: Place, first: Study) -> None:
    folder = first.root / "workspace" / "data" / "many"
    folder.mkdir()
    for number in range(FILES_LIMIT + 1):
        (folder / str(number)).touch()
    first.touch("01")
    said = place.flagstone("run", "t")
    assert said.code == 2, said.text
    assert f"contains more than {FILES_LIMIT} files" in said.text and "pack or remove" in said.text
    assert "interrupted" not in said.text and not said.has_traceback
    plain = place.snakemake()
    assert plain.code == 1 and "pack or remove" in plain.last
