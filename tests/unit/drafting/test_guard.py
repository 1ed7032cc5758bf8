"""What an agent changes outside its grant is put back, named, and costs it the attempt; what people do is theirs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from answering_desk import Desk, ended, good

from flagstone import schemas
from flagstone.agents import sandbox
from flagstone.agents.accounts.calls import LOG
from flagstone.agents.protocol import AgentCall, AgentResult
from flagstone.agents.sandbox import Strength
from flagstone.errors import Interrupted
from flagstone.gates.judge import State, judge_gate
from flagstone.gates.moment import read_moment
from flagstone.records import Ledger

BOTH, LANDLOCK, NOTHING = "landlock+bubblewrap", "landlock", ""
FAR = 4_000_000_000


@pytest.fixture(autouse=True)
def strong_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried here is what we make of what a driver says held its agent."""
    monkeypatch.setattr(sandbox, "strength", lambda: Strength(7, ""))


def agent(act: Callable[[Path], object], held: str) -> Callable[[AgentCall], AgentResult]:
    """An agent that does its work, and something else as well."""

    def answer(call: AgentCall) -> AgentResult:
        result = good(call)
        act(call.task.run_root)
        return replace(result, sandbox=held)

    return answer


def put(name: str, text: str = "an agent was here\n") -> Callable[[Path], object]:
    def act(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return act


def attempt(desk: Desk, number: int = 1, nr: str = "01") -> Path:
    return desk.run.drafts(nr) / f"{number:03d}"


def record(desk: Desk, number: int = 1, nr: str = "01") -> dict[str, Any]:
    return dict(json.loads((attempt(desk, number, nr) / "violations.json").read_text()))


def free(desk: Desk) -> Desk:
    """The same run, its sandbox switched off."""
    desk.run.settings.write_text(desk.run.settings.read_text() + '\nsandbox: "off"\n')
    return desk


@pytest.mark.parametrize(
    "name",
    [
        "run.yaml",
        "brief.md",
        "approved/seals.jsonl",
        "pinned/stages.yaml",
        "pinned/prompts/01_literature_survey.md.j2",
        "stages/02_hypothesis_generation.md",
        "history/01/0001-forged/version.json",
        "index/data.json",
        "handoff/01.md",
        "drafts/02/001/draft.md",
        "drafts/01/001/prompt.md",
        "drafts/01/002/draft.md",
        "note.txt",
    ],
)
def test_without_a_sandbox_every_write_is_put_back_and_named(desk: Desk, name: str) -> None:
    free(desk)
    path = desk.run.root / name
    before = path.read_bytes() if path.exists() else None
    desk.answers = [agent(put(name), NOTHING), good]
    desk.build()
    if "drafts/01" not in name and "index" not in name and "handoff" not in name:
        assert (path.read_bytes() if path.exists() else None) == before
    violations = record(desk)["violations"]
    assert any(name.startswith(row["path"]) and row["done"] in ("put back", "set aside") for row in violations)
    assert "grant-kept" in desk.calls[1].prompt and violations[0]["path"] in desk.calls[1].prompt
    kept = attempt(desk) / "violations" / name
    assert kept.read_text() == "an agent was here\n"


def test_a_violation_stands_in_checks_record_log_and_result(desk: Desk) -> None:
    free(desk)
    desk.answers = [agent(put("brief.md"), NOTHING), good]
    desk.build()
    rows = {row["rule"]: row for row in json.loads((attempt(desk) / "checks.json").read_text())["checks"]}
    assert rows["grant-kept"]["status"] == "failed" and "brief.md (changed, put back)" in rows["grant-kept"]["message"]
    assert Ledger(desk.run.logs / LOG).entries()[0]["violations"] == ["brief.md (changed, put back)"]
    assert any("grant-kept" in line for line in desk.said)
    schemas.check(desk.opened.project.schemas, "violations", record(desk), "violations.json")
    rows = {row["rule"]: row for row in json.loads((attempt(desk, 2) / "checks.json").read_text())["checks"]}
    assert rows["grant-kept"]["status"] == "passed"
    assert not (attempt(desk, 2) / "violations.json").exists()


def test_a_file_that_was_removed_or_turned_into_a_link_is_put_back(desk: Desk) -> None:
    free(desk)
    brief, pinned = desk.run.brief.read_text(), desk.run.pinned / "stages.yaml"
    table = pinned.read_text()

    def act(root: Path) -> None:
        (root / "brief.md").unlink()
        pinned.unlink()
        pinned.symlink_to("/etc/hostname")
        (root / "pinned" / "prompts").rename(root / "workspace" / "prompts")

    desk.answers = [agent(act, NOTHING), good]
    desk.build()
    assert desk.run.brief.read_text() == brief
    assert not pinned.is_symlink() and pinned.read_text() == table
    assert (desk.run.pinned / "prompts" / "01_literature_survey.md.j2").is_file()


@pytest.mark.parametrize("held", [LANDLOCK, NOTHING])
def test_modes_and_times_are_put_back(desk: Desk, held: str) -> None:
    if not held:
        free(desk)
    brief = desk.run.brief
    before = brief.stat()

    def act(root: Path) -> None:
        os.chmod(brief, 0o777)
        os.chmod(root / "pinned", 0o777)
        os.utime(root / "run.yaml", (FAR, FAR))

    settings = desk.run.settings.stat()
    desk.answers = [agent(act, held), good]
    desk.build()
    assert brief.stat().st_mode == before.st_mode
    assert (desk.run.root / "pinned").stat().st_mode & 0o777 != 0o777
    assert desk.run.settings.stat().st_mtime_ns == settings.st_mtime_ns
    named = {(row["path"], row["what"]) for row in record(desk)["violations"]}
    assert named == {("brief.md", "mode changed"), ("pinned", "mode changed"), ("run.yaml", "time changed")}


def test_in_a_read_only_view_a_touch_can_only_be_a_person_s(desk: Desk) -> None:
    desk.answers = [agent(lambda root: os.utime(root / "run.yaml", (FAR, FAR)), BOTH)]
    desk.build()
    assert desk.run.settings.stat().st_mtime == FAR
    assert len(desk.calls) == 1


def test_its_own_attempt_s_folder_is_not_read_only_and_is_looked_at(desk: Desk) -> None:
    prompt = attempt(desk) / "prompt.md"
    desk.answers = [agent(lambda _: os.utime(prompt, (FAR, FAR)), BOTH), good]
    desk.build()
    assert prompt.stat().st_mtime != FAR
    assert record(desk)["violations"][0]["path"] == "drafts/01/001/prompt.md"


@pytest.mark.parametrize("held", [BOTH, LANDLOCK, NOTHING])
@pytest.mark.parametrize("name", ["approved/05.flag", "feedback/02.md", "redo/02"])
def test_what_people_mark_meanwhile_is_left_and_named(desk: Desk, name: str, held: str) -> None:
    if not held:
        free(desk)
    desk.answers = [agent(put(name, "me"), held)]
    desk.build()
    assert (desk.run.root / name).read_text() == "me"
    assert len(desk.calls) == 1
    assert [row["path"] for row in record(desk)["others"]] == [name]


@pytest.mark.parametrize("held", [BOTH, LANDLOCK])
def test_a_person_s_own_files_stay_edited_where_the_kernel_kept_the_agent_out(desk: Desk, held: str) -> None:
    desk.answers = [agent(put("brief.md", "A better brief.\n"), held)]
    desk.build()
    assert desk.run.brief.read_text() == "A better brief.\n"
    assert [row["path"] for row in record(desk)["others"]] == ["brief.md"]


def test_records_that_nobody_may_change_are_put_back_even_then(desk: Desk) -> None:
    desk.build()
    desk.approve()
    text = desk.summary()
    desk.answers = [agent(put("stages/01_literature_survey.md"), BOTH), good]
    desk.build("02")
    assert desk.summary() == text
    assert record(desk, nr="02")["violations"][0]["done"] == "put back"


def test_a_log_may_grow_but_not_lose_its_beginning(desk: Desk) -> None:
    free(desk)
    desk.build()
    desk.approve()
    log = desk.run.logs / LOG
    said = desk.run.logs / "05_x.log"
    said.write_text("begun\n")

    def grow(_: Path) -> None:
        said.write_text("begun\nand gone on\n")

    desk.answers = [agent(grow, NOTHING), good]
    desk.build("02")
    assert len(desk.calls) == 2
    desk.run.redo("02").touch()
    desk.answers = [agent(lambda _: log.write_text(""), NOTHING), good]
    desk.build("02")
    assert record(desk, 2, nr="02")["violations"][0]["path"] == "logs/agents.jsonl"
    assert [entry["stage"] for entry in Ledger(log).entries()] == ["01", "02", "02", "02"]


def test_a_flag_made_during_its_own_attempt_approves_nothing(desk: Desk) -> None:
    for moment in (None, FAR):

        def act(root: Path, moment: float | None = moment) -> None:
            flag = desk.run.flag("01")
            flag.touch()
            if moment:
                os.utime(flag, (moment, moment))

        desk.run.redo("01").touch()
        desk.answers = [agent(act, NOTHING)]
        free(desk) if moment is None else None
        desk.build()
        for now_s in (FAR - 10, FAR + 10):
            # even when the time has come that the flag is dated
            moment = replace(read_moment(desk.opened), now_ns=now_s * 1_000_000_000)
            verdict = judge_gate(moment, desk.opened.table.stage("01"))
            assert (verdict.state, verdict.is_open) == (State.WAITING, False), verdict.reason


def test_an_older_flag_of_another_stage_is_not_made_younger(desk: Desk) -> None:
    flag = desk.run.flag("02")
    flag.parent.mkdir(exist_ok=True)
    flag.touch()
    os.utime(flag, (1e9, 1e9))
    desk.answers = [agent(lambda _: os.utime(flag), LANDLOCK), good]
    desk.build()
    assert flag.stat().st_mtime == 1e9
    assert record(desk)["violations"][0] == {"path": "approved/02.flag", "what": "time changed", "done": "put back"}


def test_a_call_that_is_interrupted_is_looked_at_too(desk: Desk) -> None:
    free(desk)
    brief = desk.run.brief.read_text()

    def answer(call: AgentCall) -> AgentResult:
        put("brief.md")(call.task.run_root)
        raise Interrupted("stopped", hint="again")

    desk.answers = [answer]
    with pytest.raises(Interrupted):
        desk.build()
    assert desk.run.brief.read_text() == brief
    assert record(desk)["violations"][0]["path"] == "brief.md"


def test_a_large_file_without_a_copy_is_named_and_left(desk: Desk) -> None:
    free(desk)
    (desk.run.root / "big.bin").write_bytes(b"x" * 1_000_001)
    desk.answers = [agent(put("big.bin"), NOTHING), good]
    desk.build()
    assert record(desk)["violations"][0]["done"] == "no copy to put back"
    assert (desk.run.root / "big.bin").read_text() == "an agent was here\n"


def test_a_call_that_did_not_succeed_tells_of_its_violations(desk: Desk) -> None:
    free(desk)
    desk.answers = [lambda call: (put("brief.md")(call.task.run_root), ended(call, *failed()))[1], good]
    desk.build()
    assert any("brief.md (changed, put back)" in line for line in desk.said)


def failed() -> tuple[Any, str]:
    from flagstone.agents.protocol import CallOutcome

    return CallOutcome.CRASHED, "it fell over"


def test_the_call_is_told_what_the_run_is_set_to(desk: Desk) -> None:
    desk.build()
    assert desk.calls[0].sandbox == "auto"
    free(desk).run.redo("01").touch()
    desk.build()
    assert desk.calls[1].sandbox == "off"
