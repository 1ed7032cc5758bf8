"""What a person asks of a stage by writing a file: changes, a new start, a step back, a stop."""

from __future__ import annotations

from workbench import Place, Study, ended, wait_until

WISH = "Narrow it to one claim — and cite “Ba et al.”\n  with  odd   spacing.\n"


def test_feedback_resumes_the_same_conversation_with_exactly_those_words(place: Place, third: Study) -> None:
    old = third.summary("03").read_bytes()
    third.ask("03", WISH)
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last
    start, turn = third.calls("03")
    assert not start["resume"] and turn["resume"]
    assert turn["session_id"] == start["session_id"]
    assert WISH.strip() in third.prompt("03", 2)
    assert third.summary("03").read_bytes() != old
    kept = [each / "stages" / third.summary("03").name for each in third.versions("03")]
    assert [path.read_bytes() for path in kept] == [old, third.summary("03").read_bytes()]
    assert third.counts() == {**third.counts(), "01": 1, "02": 1}

    assert "Nothing to be done" in place.snakemake().text and len(third.calls("03")) == 2


def test_feedback_on_an_approved_stage_closes_its_gate_until_the_new_version_is_approved(
    place: Place, third: Study
) -> None:
    third.ask("02", WISH)
    said = place.snakemake()
    assert "stage 02 hypothesis_generation is stale" in said.last
    assert third.counts() == {**third.counts(), "01": 1, "02": 2, "03": 1}
    third.touch("02")
    assert "stage 03" in place.snakemake().last
    assert len(third.calls("03")) == 2 and third.calls("03")[1]["session_id"] == third.calls("03")[0]["session_id"]


def test_feedback_rewritten_is_a_new_turn_of_the_same_conversation(place: Place, first: Study) -> None:
    first.ask("01", "shorter\n")
    place.snakemake()
    first.ask("01", "longer after all\n")
    place.snakemake()
    calls = first.calls("01")
    assert len(calls) == 3 and len({call["session_id"] for call in calls}) == 1
    assert "longer after all" in first.prompt("01", 3) and "shorter" not in first.prompt("01", 3)


def test_feedback_deleted_later_changes_nothing(place: Place, first: Study) -> None:
    first.ask("01", WISH)
    place.snakemake()
    first.files.feedback("01").unlink()
    assert "Nothing to be done" in place.snakemake().text
    first.touch("01")
    assert "stage 02" in place.snakemake().last
    assert len(first.calls("01")) == 2


def test_feedback_deleted_before_it_was_taken_up_asks_for_nothing(place: Place, first: Study) -> None:
    first.ask("01", WISH)
    first.files.feedback("01").unlink()
    assert "Nothing to be done" in place.snakemake().text and len(first.calls("01")) == 1


def test_empty_feedback_asks_for_nothing(place: Place, first: Study) -> None:
    first.ask("01", " \n\n")
    assert "Nothing to be done" in place.snakemake().text and len(first.calls("01")) == 1


def test_feedback_before_the_stage_exists_is_part_of_its_first_turn(place: Place, fresh: Study) -> None:
    fresh.ask("01", WISH)
    place.snakemake()
    (call,) = fresh.calls("01")
    assert not call["resume"] and WISH.strip() in fresh.prompt("01", 1)
    assert "Nothing to be done" in place.snakemake().text and len(fresh.calls("01")) == 1


def test_feedback_written_while_the_stage_runs_is_kept_for_the_next_turn(place: Place) -> None:
    study = place.new(script={"01": {1: {"do": [["sleep", 1.5]], "then": "instant"}}, "*": {"*": "instant"}})
    call = place.start_snakemake()
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    study.ask("01", "written meanwhile\n")
    ended(call)
    place.snakemake()
    turns = study.calls("01")
    assert len(turns) == 2 and turns[1]["resume"] and turns[1]["session_id"] == turns[0]["session_id"]
    assert "written meanwhile" not in study.prompt("01", 1) and "written meanwhile" in study.prompt("01", 2)
    assert study.files.feedback("01").read_text() == "written meanwhile\n"


def test_run_takes_up_feedback_that_came_while_the_stage_ran_in_the_same_call(place: Place) -> None:
    study = place.new(script={"01": {1: {"do": [["feedback", "one more thing"]], "then": "instant"}}, "*": "instant"})
    said = place.flagstone("run", "t")
    assert said.code == 0 and len(study.calls("01")) == 2
    assert "one more thing" in study.prompt("01", 2) and "waits for you" in said.last


def test_refine_by_command_asks_in_the_same_conversation(place: Place, first: Study) -> None:
    assert place.flagstone("refine", "1", "Say less.").code == 0
    place.snakemake()
    assert len(first.calls("01")) == 2 and "Say less." in first.prompt("01", 2)


def test_a_redo_mark_starts_a_new_conversation_and_moves_to_history(place: Place, first: Study) -> None:
    first.files.redo("01").touch()
    said = place.snakemake()
    assert "waits for you" in said.last
    old, new = first.calls("01")
    assert new["session_id"] != old["session_id"] and not new["resume"]
    assert not first.files.redo("01").exists() and list(first.files.history("01").glob("redo-*"))
    assert "Nothing to be done" in place.snakemake().text and len(first.calls("01")) == 2


def test_a_redo_of_an_approved_stage_with_another_result_closes_its_gate(place: Place, third: Study) -> None:
    assert place.flagstone("redo", "hypothesis_generation").code == 0
    said = place.snakemake()
    assert "stage 02 hypothesis_generation is stale" in said.last
    assert third.counts() == {**third.counts(), "02": 2, "03": 1}


def constant(place: Place) -> Study:
    """A run whose agent always leaves the same: 01 to 03 approved, 04 waiting."""
    study = place.new("t", "scripted.constant=true")
    assert place.flagstone("run", "t", "--yes", "--to", "03").code == 0
    place.snakemake()
    return study


def test_a_redo_with_an_identical_result_keeps_every_approval_and_reruns_nothing_else(place: Place) -> None:
    study = constant(place)
    seals = {nr: len(study.seals(nr)) for nr in ("01", "02", "03")}
    study.files.redo("02").touch()
    said = place.snakemake()
    assert "stage 04 implementation waits for you" in said.last
    assert study.counts() == {**study.counts(), "01": 1, "02": 2, "03": 1, "04": 1}
    assert {nr: len(study.seals(nr)) for nr in seals} == seals
    assert len({call["session_id"] for call in study.calls("02")}) == 2


def test_forcerun_is_a_redo(place: Place) -> None:
    study = constant(place)
    said = place.snakemake("--forcerun", "hypothesis_generation", run="t")
    assert "stage 04 implementation waits for you" in said.last
    assert study.counts() == {**study.counts(), "01": 1, "02": 2, "03": 1, "04": 1}
    assert len({call["session_id"] for call in study.calls("02")}) == 2
    assert "Nothing to be done" in place.snakemake().text


def test_feedback_and_redo_together_are_one_turn_in_a_new_conversation(place: Place, first: Study) -> None:
    first.ask("01", WISH)
    first.files.redo("01").touch()
    place.snakemake()
    old, new = first.calls("01")
    assert new["session_id"] != old["session_id"] and WISH.strip() in first.prompt("01", 2)


def test_rollback_revokes_a_stage_and_all_that_rests_on_it_and_nothing_else(place: Place, third: Study) -> None:
    third.touch("03")
    place.snakemake()
    before, built = third.counts(), third.built()
    said = place.flagstone("rollback", "2", "--why", "the claim was too wide")
    assert said.code == 0 and "02 hypothesis_generation, 03 study_design" in said.text
    assert third.files.flag("01").exists()
    assert not third.files.flag("02").exists() and not third.files.flag("03").exists()
    assert [entry["comment"] for entry in third.seals("02", "revoked")] == ["the claim was too wide"]
    said = place.snakemake()
    assert "stage 02" in said.last and "taken back" in said.last
    assert (third.counts(), third.built()) == (before, built)
    assert built == ["01", "02", "03", "04"], "what was never built stays so"

    third.touch("02", "03")
    said = place.snakemake()
    assert "stage 04 implementation waits for you" in said.last and third.counts() == before


def test_an_aborted_run_runs_nothing_and_shows_the_reason(place: Place, first: Study) -> None:
    first.touch("01")
    assert place.flagstone("abort", "--why", "superseded by t-2").code == 0
    for said in (place.snakemake(), place.flagstone("run", "t")):
        assert said.code == 0 and "is aborted: superseded by t-2" in said.last
    assert "is aborted: superseded by t-2" in place.flagstone("status", "t").text
    assert first.built() == ["01"] and not first.seals("01")

    assert place.flagstone("resume").code == 0
    assert "stage 02" in place.snakemake().last


def test_removing_the_file_undoes_an_abort_that_was_touched_by_hand(place: Place, first: Study) -> None:
    first.touch("01")
    first.files.aborted.touch()
    said = place.snakemake()
    assert said.code == 0 and "is aborted" in said.last and first.built() == ["01"]
    first.files.aborted.unlink()
    assert "stage 02" in place.snakemake().last


def test_an_aborted_run_does_not_build_a_direct_target_either(place: Place, first: Study) -> None:
    first.touch("01")
    first.files.aborted.write_text("no money left\n")
    said = place.snakemake("stages/02_hypothesis_generation.md")
    assert first.built() == ["01"] and "no money left" in said.text and not said.has_traceback
