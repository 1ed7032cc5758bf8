"""The attempt loop as a whole: repair, giving up, trying again, going on, losing a conversation, waiting."""

from __future__ import annotations

import json
import re

import pytest
from workbench import Place, Study, ended, wait_until


def outcome(study: Study, nr: str, attempt: int) -> str:
    return json.loads((study.files.drafts(nr) / f"{attempt:03d}" / "result.json").read_bytes())["outcome"]


def test_a_repair_is_asked_for_with_every_failed_rule_and_its_message(place: Place) -> None:
    study = place.new(script={"01": {1: [["missing-section", "Key Results"]]}, "*": {"*": "instant"}})
    said = place.snakemake()
    assert "stage 01 literature_survey waits for you" in said.last
    start, repair = study.calls("01")
    assert repair["resume"] and repair["session_id"] == start["session_id"]
    prompt = study.prompt("01", 2)
    checks = json.loads((study.files.drafts("01") / "001" / "checks.json").read_bytes())["checks"]
    failed = [check for check in checks if check["status"] == "failed"]
    assert failed
    for check in failed:
        assert check["rule"] in prompt and check["message"] in prompt
        assert f"✗ {check['rule']}" in said.text


BAD = {
    "writes nothing": "write-nothing",
    "writes garbage": "write-garbage",
    "writes a binary": "binary",
    "writes 3 MB": [["huge", 3]],
    "writes control characters": "control-characters",
    "leaves a placeholder": "placeholder",
    "lists a link that leaves the run": "symlink-out",
    "crashes": "crash",
    "ends with an error": [["exit", 7]],
}


@pytest.mark.parametrize("what", BAD)
def test_attempts_that_are_used_up_end_in_two_lines_and_promote_nothing(place: Place, what: str) -> None:
    study = place.new("t", "limits.attempts=2", script={"01": {"*": BAD[what]}, "*": {"*": "instant"}})
    said = place.flagstone("run", "t")
    assert said.code == 3, said.text
    problem, cure = said.lines[-2:]
    assert "stage 01 literature_survey failed after 2 attempts" in problem and "drafts/01/002" in cure
    assert not said.has_traceback and "\x1b" not in said.text and "\x9b" not in said.text
    assert len(study.calls("01")) == 2
    assert not study.summary("01").exists() and not study.versions("01")
    assert "root:" not in "".join(path.read_text(errors="replace") for path in study.root.glob("index/*.json"))


@pytest.mark.parametrize(("what", "rule"), [("odd-name", "workspace-names"), ("repository", "no-hidden-machinery")])
def test_what_nobody_may_publish_is_said_to_the_agent_as_a_failed_check(place: Place, what: str, rule: str) -> None:
    """The first made the stage impossible to build, the second ran a program at the person's next `git status`."""
    study = place.new("t", "limits.attempts=2", script={"01": {1: what}, "*": {"*": "instant"}})
    said = place.flagstone("run", "t")
    assert not said.has_traceback, said.text
    checks = json.loads((study.files.drafts("01") / "001" / "checks.json").read_bytes())["checks"]
    assert rule in [check["rule"] for check in checks if check["status"] == "failed"]
    assert rule in study.prompt("01", 2)
    assert said.code == 3, "the second attempt left it where it was"
    assert not study.summary("01").exists()


def test_a_failed_stage_is_tried_again_by_the_next_run(place: Place) -> None:
    study = place.new("t", "limits.attempts=1", script={"01": {1: "write-garbage"}, "*": {"*": "instant"}})
    said = place.snakemake()
    assert said.code == 1 and not said.has_traceback
    assert "stage 01 literature_survey failed after 1 attempts" in said.lines[-2]
    assert "failed" in place.flagstone("status", "t").text
    said = place.snakemake()
    assert said.code == 0 and "stage 01 literature_survey waits for you" in said.last
    assert len({call["session_id"] for call in study.calls("01")}) == 1


def test_an_old_draft_is_never_shown_as_a_new_one(place: Place) -> None:
    study = place.new(
        "t", "limits.attempts=1", script={"01": {1: "instant", "*": "write-nothing"}, "*": {"*": "instant"}}
    )
    place.snakemake()
    old = study.summary("01").read_bytes()
    study.ask("01", "do more\n")
    said = place.flagstone("run", "t")
    assert said.code == 3 and "failed after 1 attempts" in said.text
    (version,) = study.versions("01")
    assert (version / "stages" / study.summary("01").name).read_bytes() == old
    assert not study.summary("01").exists() or study.summary("01").read_bytes() == old
    said = place.snakemake()
    assert said.code == 1, "the request still stands"


def test_a_failed_refinement_can_be_withdrawn_and_the_old_version_comes_back(place: Place) -> None:
    study = place.new(
        "t", "limits.attempts=1", script={"01": {1: "instant", "*": "write-garbage"}, "*": {"*": "instant"}}
    )
    place.snakemake()
    old = study.summary("01").read_bytes()
    study.ask("01", "do more\n")
    assert place.snakemake().code == 1
    study.files.feedback("01").unlink()
    said = place.snakemake()
    assert said.code == 0 and "stage 01 literature_survey waits for you" in said.last
    assert study.summary("01").read_bytes() == old and len(study.calls("01")) == 2


def test_a_lost_conversation_is_followed_by_exactly_one_fresh_one_with_a_new_id(place: Place) -> None:
    study = place.new(script={"01": {2: "session-lost"}, "*": {"*": "instant"}})
    place.snakemake()
    study.ask("01", "more of it\n")
    said = place.snakemake()
    assert "stage 01 literature_survey waits for you" in said.last
    start, lost, fresh = study.calls("01")
    assert lost["resume"] and lost["session_id"] == start["session_id"]
    assert not fresh["resume"] and fresh["session_id"] != start["session_id"]
    assert "more of it" in study.prompt("01", 3)
    assert "Objective" in study.prompt("01", 3), "the fresh conversation gets the whole prompt"
    assert "last version: stages/01_literature_survey.md\nlast draft: drafts/01/001/draft.md" in study.prompt("01", 3)
    assert "last draft:" not in study.prompt("01", 1) + study.prompt("01", 2)

    study.ask("01", "and more\n")
    place.snakemake()
    assert study.calls("01")[3]["session_id"] == fresh["session_id"] and study.calls("01")[3]["resume"]


def test_a_conversation_that_is_lost_twice_fails_the_stage(place: Place) -> None:
    script = {"01": {1: "instant", "*": [["outcome", "session_lost"]]}, "*": {"*": "instant"}}
    study = place.new("t", "limits.attempts=2", script=script)
    place.snakemake()
    study.ask("01", "more of it\n")
    said = place.flagstone("run", "t")
    assert said.code == 3 and not said.has_traceback
    sessions = [call["session_id"] for call in study.calls("01")]
    assert len(set(sessions)) == 2, "exactly one fresh conversation"
    starts = [call["session_id"] for call in study.calls("01") if not call["resume"]]
    assert len(starts) == len(set(starts)), "a used id is never used for a start"


def test_a_rate_limit_is_waited_out_and_tried_again(place: Place) -> None:
    script = {"01": {1: [["rate-limit", 0.3]], 2: "rate-limit"}, "*": {"*": "instant"}}
    study = place.new("t", "limits.retry_s=0.1", script=script)
    said = place.snakemake()
    assert "stage 01 literature_survey waits for you" in said.last and "429" in said.text
    assert [outcome(study, "01", attempt) for attempt in (1, 2, 3)] == ["retryable", "retryable", "ok"]


def test_a_service_that_says_to_come_back_tomorrow_pauses_the_stage_and_that_is_no_failure(place: Place) -> None:
    study = place.new("t", script={"01": {1: [["rate-limit", 90_000]], "*": "instant"}, "*": {"*": "instant"}})
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    words = r"stage 01 literature_survey is paused until \d{4}-\d\d-\d\d \d\d:\d\d: scripted: too many requests"
    assert re.search(words, said.lines[-2]) and said.lines[-1].endswith("continue after that time: flagstone run t")
    shown = place.flagstone("status", "t").text
    assert re.search(rf"01 literature_survey +paused +attempt 1 .*{words}", shown) and "next: flagstone run t" in shown
    assert json.loads((study.root / "manifest.json").read_bytes())["state"] == "paused"
    said = place.snakemake()
    assert said.code == 0 and "stage 01 literature_survey waits for you" in said.last, said.text


def test_a_run_that_waits_for_hours_ends_when_a_person_aborts_it(place: Place) -> None:
    study = place.new("t", script={"01": {"*": [["rate-limit", 7200]]}})
    running = place.start_flagstone("run", "t")
    wait_until(lambda: "waiting until" in place.flagstone("status", "t").text, "the wait")
    place.flagstone("abort", "t", "--why", "enough")
    said = ended(running, 30)
    assert not said.has_traceback and len(study.calls("01")) == 1, said.text


def test_plain_snakemake_says_last_until_when_a_stage_is_paused(place: Place) -> None:
    place.new("t", script={"01": {"*": [["rate-limit", 90_000]]}})
    said = place.snakemake()
    assert "is paused until" in said.lines[-2] and "flagstone run t" in said.lines[-1], said.text


@pytest.mark.parametrize(("kind", "words"), [("auth", "log in"), ("budget", "budget"), ("config", "run.yaml")])
def test_what_trying_again_cannot_cure_ends_at_once(place: Place, kind: str, words: str) -> None:
    study = place.new(script={"01": {"*": [["outcome", kind]]}})
    said = place.flagstone("run", "t")
    assert said.code == 3 and words in said.lines[-1] and len(study.calls("01")) == 1


def test_an_agent_that_says_nothing_is_ended_and_its_stage_fails_with_the_reason(place: Place) -> None:
    study = place.new(
        "t",
        "limits.silence_s=0.5",
        "limits.attempts=1",
        script={"01": {"*": [["hang", 60]]}, "*": {"*": "instant"}},
    )
    said = place.flagstone("run", "t")
    assert said.code == 3 and "printed nothing" in said.text and len(study.calls("01")) == 1


def test_an_approved_file_that_a_later_agent_changes_is_put_back_and_its_approval_holds(place: Place) -> None:
    script = {"02": {1: [["edit-approved", "workspace/literature/notes.md"], "instant"]}, "*": {"*": "instant"}}
    study = place.new(script=script)
    place.snakemake()
    notes = (study.root / "workspace/literature/notes.md").read_bytes()
    study.touch("01")
    said = place.snakemake()
    assert "stage 02 hypothesis_generation waits for you" in said.last, said.text
    assert (study.root / "workspace/literature/notes.md").read_bytes() == notes
    assert len(study.calls("02")) == 2 and study.counts()["01"] == 1
