"""The workflow used from another Snakefile, in another folder: its gates still hold."""

from __future__ import annotations

from pathlib import Path

from workbench import Place, Said, Study, run_warm

HOST = """
module research:
    snakefile: "{root}/Snakefile"
    config: {{"run": "t"}}

use rule * from research as research_*

rule everything:
    default_target: True
    input: rules.research_all.input
"""


def host(place: Place, tmp_path: Path) -> Path:
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "Snakefile").write_text(HOST.format(root=place.root))
    return folder


def call(folder: Path, *words: str) -> Said:
    return run_warm("snakemake", "--cores", "2", *words, cwd=folder)


def test_the_gates_hold_when_the_workflow_is_a_module(place: Place, fresh: Study, tmp_path: Path) -> None:
    folder = host(place, tmp_path)
    said = call(folder)
    assert said.code == 0, said.text
    assert fresh.built() == ["01"] and "stage 01 literature_survey waits for you" in said.last
    assert call(folder).code == 0 and fresh.counts()["01"] == 1

    fresh.touch("01")
    said = call(folder)
    assert fresh.built() == ["01", "02"] and len(fresh.seals("01")) == 1
    assert "stage 02 hypothesis_generation waits for you" in said.last

    fresh.append(fresh.summary("01"))
    said = call(folder)
    assert "stage 01 literature_survey is stale" in said.last and fresh.counts()["02"] == 1


def test_forcerun_of_a_renamed_rule_is_a_redo(place: Place, first: Study, tmp_path: Path) -> None:
    folder = host(place, tmp_path)
    call(folder, "--forcerun", "research_literature_survey")
    old, new = first.calls("01")
    assert old["session_id"] != new["session_id"]
