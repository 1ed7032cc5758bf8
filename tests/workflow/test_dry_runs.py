"""`snakemake -n` says what a real call would do: requests it takes back, policies it applies, stages it builds."""

from __future__ import annotations

import time

from workbench import Place, Study


def test_a_request_that_a_later_touch_takes_back_is_not_planned(place: Place, third: Study) -> None:
    third.ask("01", "Shorter.\n")
    assert "literature_survey" in place.snakemake("-n").text
    time.sleep(0.05)
    third.touch("01")
    before = third.tree()
    planned = place.snakemake("-n")
    assert "note: the request to stage 01 would be taken back: attempt 1 counts" in planned.lines
    assert "literature_survey" not in planned.text and third.tree() == before
    said = place.snakemake()
    assert "the request was taken back" in said.text and said.last == planned.last
    assert third.counts()["01"] == 1


def test_a_policy_is_applied_in_what_is_planned(place: Place, third: Study) -> None:
    third.set(approval={"default": "person", "03": "auto"})
    before = third.tree()
    planned = place.snakemake("-n")
    assert "note: stage 03 study_design would be approved by policy (auto)" in planned.lines
    assert "stage 04 implementation comes next" in planned.last and "implementation" in planned.text
    assert third.tree() == before and not third.seals("03")
    assert "stage 04 implementation waits for you" in place.snakemake().last


def test_what_changed_after_an_approval_by_a_person_is_still_a_persons(place: Place, third: Study) -> None:
    third.set(model="opus")
    assert "is stale" in place.snakemake("-n").last
