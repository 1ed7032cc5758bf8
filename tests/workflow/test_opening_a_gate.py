"""The first rows of the gate's table: no flag, a touch, a touch that is none, and a second touch."""

from __future__ import annotations

import getpass
import os
import time

from workbench import Place, Study, ended, wait_until

from flagstone.locks import holder_of
from flagstone.records import Ledger


def test_without_a_flag_everything_is_built_up_to_the_frontier_and_the_last_line_says_what_to_do(
    place: Place, fresh: Study
) -> None:
    said = place.snakemake()
    assert said.code == 0
    assert fresh.built() == ["01"]
    document, touch = "runs/t/stages/01_literature_survey.md", "touch runs/t/approved/01.flag"
    assert said.last.startswith("stage 01 literature_survey waits for you")
    assert document in said.last and said.last.endswith(touch)
    assert not fresh.files.flag("01").exists() and not fresh.seals("01")

    again = place.snakemake()
    assert (again.code, again.last) == (0, said.last)
    assert fresh.counts()["01"] == 1, "waiting costs no call of the agent"


def test_a_touch_opens_the_gate_and_seals_the_digest_with_who_when_and_from_where(place: Place, fresh: Study) -> None:
    place.snakemake()
    offered = fresh.digest("01")
    before = time.time()
    fresh.touch("01")
    said = place.snakemake()
    assert said.code == 0 and "stage 02 hypothesis_generation waits for you" in said.last
    assert fresh.built() == ["01", "02"]
    (seal,) = fresh.seals("01")
    assert seal["digest"] == offered == fresh.digest("01")
    assert (seal["by"], seal["who"], seal["how"]) == ("person", getpass.getuser(), "touch")
    assert seal["host"] == os.uname().nodename
    assert abs(time.mktime(time.strptime(seal["at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - before) < 5
    listed = {f"workspace/literature/{name}" for name in ("notes.md", "nearest_work.csv", "sources.json")}
    assert {"stages/01_literature_survey.md", *listed} == set(seal["files"])
    assert Ledger(fresh.files.seals).problems() == []


def test_the_touch_that_the_last_line_names_works_from_where_one_stands(place: Place, first: Study) -> None:
    here = first.root
    said = place.snakemake("--snakefile", "../../Snakefile", run=None, cwd=here)
    assert said.last.endswith("touch approved/01.flag")
    (here / "approved" / "01.flag").touch()
    assert "stage 02" in place.snakemake("--snakefile", "../../Snakefile", run=None, cwd=here).last


def test_a_flag_touched_before_the_stage_exists_is_no_approval_and_that_is_said(place: Place, fresh: Study) -> None:
    fresh.touch("01", "02")
    said = place.snakemake()
    assert said.code == 0 and fresh.built() == ["01"]
    assert "approved/01.flag" in said.last and "not an approval" in said.last
    assert not fresh.seals("01")

    fresh.touch("01")
    said = place.snakemake()
    assert fresh.built() == ["01", "02"]
    assert "approved/02.flag" in said.last and "not an approval" in said.last
    assert fresh.seals("01") and not fresh.seals("02")


def test_a_flag_dated_in_the_future_is_no_approval_and_that_is_said(place: Place, first: Study) -> None:
    ahead = time.time() + 3600
    first.touch("01")
    os.utime(first.files.flag("01"), (ahead, ahead))
    said = place.snakemake()
    assert said.code == 0 and first.built() == ["01"] and not first.seals("01")
    assert "has a date in the future" in said.last and said.last.endswith("touch runs/t/approved/01.flag")

    first.touch("01")
    assert "stage 02" in place.snakemake().last
    assert len(first.seals("01")) == 1


def test_a_flag_dated_into_the_near_future_while_the_agent_works_never_becomes_an_approval(place: Place) -> None:
    study = place.new(script={"*": {"*": {"do": [["sleep", 1]], "then": "instant"}}})
    call = place.start_snakemake()
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    soon = time.time() + 10
    study.touch("01")
    os.utime(study.files.flag("01"), (soon, soon))
    said = ended(call)
    assert ("not an approval" in said.last or "a date in the future" in said.last) and not study.seals("01")

    wait_until(lambda: time.time() > soon, "the flag's date to pass")
    said = place.snakemake()
    assert study.built() == ["01"] and not study.seals("01")
    assert "not an approval" in said.last and study.counts()["01"] == 1


def test_a_flag_touched_again_reruns_nothing(place: Place, third: Study) -> None:
    before, seals = third.counts(), len(third.seals("01"))
    third.touch("01", "02")
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last
    assert "Nothing to be done" in said.text
    assert third.counts() == before
    assert len(third.seals("01")) == seals


def test_a_flag_with_words_in_it_reruns_nothing_either(place: Place, third: Study) -> None:
    before = third.counts()
    third.files.flag("01").write_text("looks good to me\n")
    said = place.snakemake()
    assert "stage 03" in said.last and "Nothing to be done" in said.text
    assert third.counts() == before


def test_run_with_yes_seals_as_a_policy_with_the_user_who_gave_it(place: Place, fresh: Study) -> None:
    said = place.flagstone("run", "t", "--yes", "--to", "02")
    assert said.code == 0 and fresh.built() == ["01", "02"]
    for nr in ("01", "02"):
        (seal,) = fresh.seals(nr)
        assert (seal["by"], seal["policy"], seal["who"]) == ("policy", "yes", getpass.getuser())
        assert fresh.files.flag(nr).is_file()
    line = f"stage 01 literature_survey: approved by policy (--yes, {getpass.getuser()})"
    assert f" {line}\n" in said.text and said.text.index("published attempt 1") < said.text.index(line)


def test_a_policy_of_the_run_approves_and_the_seal_says_so(place: Place, fresh: Study) -> None:
    fresh.set(approval={"default": "person", "01": "auto"})
    said = place.snakemake()
    assert "stage 02 hypothesis_generation waits for you" in said.last
    (seal,) = fresh.seals("01")
    assert (seal["by"], seal["policy"]) == ("policy", "auto")
    assert "stage 01 literature_survey: approved by policy (approval: auto, " in said.text


def test_a_watching_run_goes_on_the_moment_a_flag_or_feedback_appears(place: Place, first: Study) -> None:
    call = place.start_flagstone("run", "t", "--watch")
    for nr in ("01", "02", "03"):
        # as fast as a script may be: while the pass that built the stage has hardly ended
        wait_until(lambda nr=nr: first.summary(nr).is_file(), f"stage {nr}")
        first.touch(nr)
    wait_until(lambda: first.summary("04").is_file() and not holder_of(first.files.lock), "stage 04")
    first.ask("04", "shorter\n")
    wait_until(lambda: first.counts()["04"] == 2, "the refinement")
    call.terminate()
    assert ended(call, 20).code == 130
    assert first.counts() == {**first.counts(), "01": 1, "02": 1, "03": 1, "04": 2}
