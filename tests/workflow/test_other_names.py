"""A flag, feedback or a redo mark under another name than NN: taken as what was meant, or named, never ignored."""

from __future__ import annotations

import json
import shutil

import pytest
from workbench import Place, Study


@pytest.mark.parametrize("name", ["1.flag", "01_literature_survey.flag", "literature_survey.flag"])
def test_a_flag_under_another_name_of_its_stage_opens_the_gate(place: Place, first: Study, name: str) -> None:
    (first.files.approved / name).touch()
    shown = place.flagstone("status")
    assert f"runs/t/approved/{name} stands for runs/t/approved/01.flag" in shown.text
    assert shown.last == "next: flagstone run t", "the person has decided"
    said = place.snakemake()
    assert f"note: runs/t/approved/{name} was taken as runs/t/approved/01.flag" in said.lines
    assert "stage 02 hypothesis_generation waits for you" in said.last
    assert first.files.flag("01").is_file() and not (first.files.approved / name).exists()
    assert [seal["how"] for seal in first.seals("01")] == ["touch"]


def test_feedback_and_redo_under_another_name_are_taken_up(place: Place, third: Study) -> None:
    third.ask("3", "Shorter.\n")
    assert "Shorter." not in third.prompt("03", 1)
    place.snakemake()
    assert "Shorter." in third.prompt("03", 2) and third.files.feedback("03").read_text() == "Shorter.\n"
    (third.files.root / "redo" / "03_study_design").touch()
    place.snakemake()
    assert len({call["session_id"] for call in third.calls("03")}) == 2 and len(third.calls("03")) == 3


def test_two_files_for_one_stage_lose_no_word(place: Place, third: Study) -> None:
    third.ask("03", "Shorter.\n")
    third.ask("3", "And clearer.\n")
    place.snakemake()
    prompt = third.prompt("03", 2)
    assert "Shorter." in prompt and "And clearer." in prompt
    third.ask("3", "Now longer.\n")
    place.snakemake()
    assert third.files.feedback("03").read_text() == "Now longer.\n", "what was answered is not asked again"


def test_a_flag_under_another_name_is_taken_back_by_a_rollback(place: Place, third: Study) -> None:
    (third.files.approved / "3.flag").touch()
    place.flagstone("rollback", "03")
    assert "waits for you" in place.snakemake().last or "taken back" in place.snakemake().last
    assert not third.files.flag("03").exists() and not third.summary("04").exists()


def test_a_flag_under_another_name_that_came_with_a_copy_approves_nothing(place: Place, first: Study) -> None:
    (first.files.approved / "1.flag").touch()
    copy = place.study("u")
    shutil.copytree(first.root, copy.root, symlinks=True)
    said = place.snakemake(run="u")
    assert "was copied with the run" in said.last and not copy.seals("01")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("approved/9.flag", "there is no stage '9'"),
        ("approved/01", "did you mean approved/01.flag?"),
        ("feedback/analysys.md", "there is no stage 'analysys'"),
        ("feedback/01.txt", "did you mean feedback/01.md?"),
        ("redo/01.md", "did you mean redo/01?"),
    ],
)
def test_a_name_of_no_stage_is_named_and_stays(place: Place, first: Study, path: str, words: str) -> None:
    (first.root / path).write_text("x")
    row = json.loads(place.flagstone("status", "t", "--json").text)[0]
    assert f"nothing reads {path}" in row["notices"][0] and words in row["notices"][0]
    for text in (place.snakemake("-n").text, place.snakemake().text, place.flagstone("status").text):
        assert f"nothing reads {path}" in text.replace("runs/t/", "") and words in text.replace("runs/t/", ""), text
    assert (first.root / path).read_text() == "x"


def test_what_editors_leave_is_no_name(place: Place, first: Study) -> None:
    for name in (".01.md.swp", "01.md~", "#01.md#"):
        (first.root / "feedback" / name).touch()
    assert "nothing reads" not in place.snakemake().text


def test_a_flag_before_its_stage_is_told_at_once(place: Place, first: Study) -> None:
    first.touch("03")
    said = place.snakemake()
    assert any("approved/03.flag was there before the stage" in line for line in said.lines[-3:]), said.text


def test_paths_in_messages_can_be_pasted_where_a_person_stands(place: Place, first: Study) -> None:
    first.touch("01")
    place.snakemake()
    first.append("workspace/literature/notes.md")
    notes = "workspace/literature/notes.md changed"
    assert f" runs/t/{notes}" in place.snakemake().last and f" runs/t/{notes}" in place.flagstone("status", "t").text
    inside = place.snakemake("--snakefile", str(place.root / "Snakefile"), run=None, cwd=first.root)
    assert f" {notes}" in inside.last and f" {notes}" in place.flagstone("status", cwd=first.root).text
    deeper = place.flagstone("status", cwd=first.root / "workspace")
    assert " literature/notes.md changed" in deeper.text
