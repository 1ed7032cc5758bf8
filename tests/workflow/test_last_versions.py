"""The last good version of a stage stays through a refine or a redo that is open or has failed."""

from __future__ import annotations

import json
import time

import pytest
from workbench import Place, Study, ended, wait_until

ASKS = {
    "feedback": lambda study: study.ask("01", "Shorter.\n"),
    "redo": lambda study: study.files.redo("01").touch(),
}


def failing(place: Place, deed: object = "crash") -> Study:
    """An approved stage 01 whose every later attempt goes wrong."""
    study = place.new("t", "limits.attempts=1", script={"01": {1: "instant", "*": deed}, "*": {"*": "instant"}})
    place.snakemake()
    study.touch("01")
    place.snakemake()
    return study


def stage(place: Place, nr: str) -> dict[str, str]:
    (row,) = json.loads(place.flagstone("status", "t", "--json").text)
    return next(each for each in row["stages"] if each["nr"] == nr)


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("program", ["snakemake", "flagstone"])
def test_a_failed_request_leaves_the_last_version_readable_and_one_command_approves_it(
    place: Place, ask: str, program: str
) -> None:
    study = failing(place)
    before, calls = study.summary("01").read_bytes(), study.counts()
    ASKS[ask](study)
    said = place.snakemake() if program == "snakemake" else place.flagstone("run", "t")
    assert said.code != 0 and "failed after 1 attempts" in said.text and not said.has_traceback
    assert "keep the last version (attempt 1): flagstone approve 01 --run t" in said.last
    assert study.summary("01").read_bytes() == before
    assert "stage 01 literature_survey failed" in stage(place, "01")["reason"]
    assert stage(place, "01")["state"] == "failed" and "last version: attempt 1" in stage(place, "01")["reason"]
    assert stage(place, "02")["state"] == "held"

    said = place.flagstone("approve", "01")
    assert said.code == 0 and "the request was taken back" in said.text, said.text
    assert stage(place, "01")["state"] == "done"
    assert not study.files.feedback("01").exists() and not study.files.redo("01").exists()
    assert "stage 02 hypothesis_generation waits for you" in place.snakemake().last
    assert study.counts() == {**calls, "01": calls["01"] + 1}
    assert list(study.files.history("01").glob("withdrawn-*"))


def test_a_touch_after_the_failure_approves_the_last_version_and_says_so(place: Place) -> None:
    study = failing(place)
    study.ask("01", "Shorter.\n")
    place.snakemake()
    calls = study.counts()
    assert "failed" in place.snakemake().text, "the flag from before approves nothing"
    study.touch("01")
    said = place.snakemake()
    assert said.code == 0 and "stage 02 hypothesis_generation waits for you" in said.last, said.text
    assert any("the request was taken back" in line for line in said.lines)
    assert study.counts() == {**calls, "01": calls["01"] + 1}
    assert len(study.seals("01")) >= 1
    assert "Shorter." in "".join(p.read_text() for p in study.files.history("01").glob("withdrawn-feedback*"))
    assert "asked for changes; taken back" in study.files.report.read_text()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ("feedback", "rebuilding after feedback; last version: attempt 1"),
        ("redo", "rebuilding after redo; last version: attempt 1"),
    ],
)
def test_status_names_the_request_and_the_last_version(place: Place, ask: str, words: str) -> None:
    study = failing(place)
    ASKS[ask](study)
    assert stage(place, "01")["reason"] == words


def test_a_touch_after_a_request_that_was_not_taken_up_yet_takes_it_back(place: Place) -> None:
    study = failing(place)
    calls = study.counts()
    study.files.redo("01").touch()
    time.sleep(0.05)  # a file system may not tell two touches of one moment apart
    study.touch("01")
    said = place.snakemake()
    assert "stage 02 hypothesis_generation waits for you" in said.last
    assert study.counts() == calls and not study.files.redo("01").exists()


def test_a_touch_while_the_next_version_is_built_approves_neither_and_that_is_said(place: Place) -> None:
    study = place.new("t", script={"01": {2: {"do": [["sleep", 2]], "then": "instant"}, "*": "instant"}})
    place.snakemake()
    study.touch("01")
    place.snakemake("--until", "literature_survey")
    study.ask("01", "Shorter.\n")
    call = place.start_snakemake()
    wait_until(lambda: study.counts()["01"] == 2, "the second call of the agent")
    # another file, also by its number: Landlock cannot keep an agent from changing the time of the old one
    fresh = study.files.flag("01").with_name("fresh")
    fresh.touch()
    fresh.replace(study.files.flag("01"))
    said = ended(call)
    assert "is stale" in said.last and "approved/01.flag is older than attempt 2 of the stage" in said.last, said.text
    assert stage(place, "01")["state"] == "stale" and len(study.seals("01")) == 1
    study.touch("01")
    assert "stage 02 hypothesis_generation waits for you" in place.snakemake().last


def test_files_that_a_failed_attempt_changed_are_brought_back(place: Place) -> None:
    study = failing(place)
    (listed, *_) = json.loads(study.files.offer(study.key("01")).read_bytes())["artifacts"]
    path = study.root / listed["path"]
    before, digest = path.read_bytes(), study.digest("01")
    study.files.redo("01").touch()
    place.snakemake()
    path.write_bytes(b"half done")  # as an attempt that failed may leave it
    place.snakemake()
    said = place.flagstone("approve", "01")
    assert said.code == 0, said.text
    assert (path.read_bytes(), study.digest("01")) == (before, digest)
    assert any(kept.read_bytes() == b"half done" for kept in study.files.history("01").rglob("*") if kept.is_file())


def test_a_redo_after_one_that_was_taken_back_begins_a_new_conversation(place: Place) -> None:
    study = failing(place)
    study.files.redo("01").touch()
    place.snakemake()
    place.flagstone("approve", "01")
    study.files.redo("01").touch()
    place.snakemake()
    assert len({call["session_id"] for call in study.calls("01")}) == 3


def test_an_approval_of_another_digest_takes_nothing_back(place: Place) -> None:
    study = failing(place)
    study.ask("01", "Shorter.\n")
    said = place.flagstone("approve", "01", "--digest", "abcdef0123")
    assert said.code == 2 and "the last version" in said.text
    assert study.files.feedback("01").exists()


def refined(place: Place) -> Study:
    """Two versions of stage 01; the second one is approved as well."""
    study = place.new("t", script={"*": {"*": "instant"}})
    place.snakemake()
    study.touch("01")
    place.snakemake()
    study.ask("01", "Shorter.\n")
    place.snakemake()
    return study


def test_an_earlier_version_is_offered_again_and_an_old_approval_of_it_holds(place: Place) -> None:
    study = refined(place)
    second = study.summary("01").read_bytes()
    calls, (one, *_) = study.counts(), study.versions("01")
    assert (one / "stages" / study.summary("01").name).read_bytes() != second
    said = place.flagstone("restore", "01", "1")
    assert said.code == 0 and "its approval is in force again" in said.text, said.text
    assert f"restored version {one.name}" in study.files.report.read_text()
    assert study.summary("01").read_bytes() == (one / "stages" / study.summary("01").name).read_bytes()
    assert stage(place, "01")["state"] == "done"
    assert "stage 02 hypothesis_generation waits for you" in place.snakemake().last
    assert study.counts() == calls
    assert any((v / "stages" / study.summary("01").name).read_bytes() == second for v in study.versions("01"))


def test_a_version_that_was_never_approved_waits_for_a_person(place: Place) -> None:
    study = refined(place)
    place.flagstone("restore", "01", "1")
    said = place.flagstone("restore", "01", study.versions("01")[1].name[:9])
    assert said.code == 0 and "approval is in force" not in said.text, said.text
    assert stage(place, "01")["state"] in ("stale", "waits for you")
    assert place.flagstone("approve", "01").code == 0
    assert stage(place, "01")["state"] == "done"


def test_a_version_that_is_not_there_is_named_with_those_that_are(place: Place) -> None:
    study = refined(place)
    said = place.flagstone("restore", "01", "77")
    assert said.code == 2 and study.versions("01")[0].name in said.last
