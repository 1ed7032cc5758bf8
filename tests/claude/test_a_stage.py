"""A stage from the first prompt to a refinement, with the real Snakemake and the real Claude Code."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from desk import KEY, MODEL, marked, wait_until
from messages_api import Breaks, Fails, MessagesApi, Says, Tokens

from flagstone.agents.demo.summary import DemoSummary

sys.path.append(str(Path(__file__).parents[1] / "workflow"))
from workbench import Place, Study, ended, make_place

COST = Tokens(10_000, 1_000)
SURVEY = "workspace/literature/survey.md"
VARIABLES = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), ""),
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
    "ANTHROPIC_API_KEY": KEY,
}


def summary(results: str, *, omitted: frozenset[str] = frozenset()) -> str:
    """A draft as the model writes it."""
    return DemoSummary(
        stage="01",
        title="Literature Survey",
        objective="Find out what is known.",
        approved="No stage was approved before this one: it rests on the brief alone.",
        did="Looked through what was supplied; nothing could be reached.",
        results=results,
        files={SURVEY: "the survey"},
        suggestions=("Look for replications.", "Look at older work.", "Look for critics."),
        omitted=omitted,
    ).markdown()


@pytest.fixture
def study(tmp_path: Path, program: Path, api: MessagesApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """A run whose agent is the real Claude Code."""
    home = tmp_path / "home"
    home.mkdir()
    for name, value in {**VARIABLES, "HOME": str(home), "ANTHROPIC_BASE_URL": api.url}.items():
        monkeypatch.setenv(name, value)
    place = make_place(tmp_path / "project")
    options = {"claude.command": program, "claude.retries": 0, "limits.retry_s": 0, "limits.cost_usd": 5}
    sets = [word for key, value in options.items() for word in ("--set", f"{key}={value}")]
    said = place.flagstone("new", "t", "--goal", "Does it work?", "--agent", "claude", "--model", MODEL, *sets)
    assert said.code == 0, said.text
    nearest = place.study("t").root / "workspace" / "literature" / "nearest_work.csv"
    nearest.write_text("source_key,did,setting,showed,left_open\nnone,nothing,none,nothing,everything\n")
    (nearest.parent / "sources.json").write_text('{"sources": [{"key": "none", "title": "None"}]}')
    yield place.study("t")


@pytest.fixture
def place(study: Study) -> Place:
    return Place(study.root.parents[1])


def write(study: Study, path: str, content: str) -> Says:
    return Says(tools=(("Write", {"file_path": f"{study.root}/{path}", "content": content}),), tokens=COST)


def read(study: Study, path: str) -> Says:
    return Says(tools=(("Read", {"file_path": f"{study.root}/{path}"}),), tokens=COST)


def limit(study: Study, **limits: float) -> None:
    settings = yaml.safe_load(study.files.settings.read_text())
    settings["limits"] |= limits
    study.files.settings.write_text(yaml.safe_dump(settings))


def attempt(study: Study, number: int, text: str) -> tuple[Says, ...]:
    """What the model does to leave a draft."""
    draft = f"drafts/01/{number:03d}/draft.md"
    return read(study, draft), write(study, draft, text), Says("I am done.", tokens=COST)


def test_a_draft_is_written_repaired_and_refined_in_one_conversation(
    study: Study, place: Place, api: MessagesApi
) -> None:
    api.plays(
        write(study, SURVEY, "# What is known\n\nNothing was found.\n"),
        *attempt(study, 1, summary("Nothing is known.", omitted=frozenset({"Key Results"}))),
        *attempt(study, 2, summary("Nothing is known yet.")),
    )
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    assert study.built() == ["01"]
    assert "Nothing is known yet." in study.summary("01").read_text()
    assert (study.root / SURVEY).read_text().startswith("# What is known")

    study.ask("01", "Say it with more heliotrope.")
    before = len(api.asked)
    api.lines = [*api.lines, *attempt(study, 3, summary("Nothing is known, in heliotrope."))]
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    assert "in heliotrope" in study.summary("01").read_text()
    assert "more heliotrope" in "".join(api.asked[before].heard)
    assert "Does it work?" in "".join(api.asked[before].heard), "the conversation did not go on"

    assert len({asked.headers["X-Claude-Code-Session-Id"] for asked in api.asked}) == 1
    look_at_records(study, place, api)


def look_at_records(study: Study, place: Place, api: MessagesApi) -> None:
    """What is kept of three attempts, and what they have cost."""
    folders = [study.files.drafts("01") / f"{number:03d}" for number in (1, 2, 3)]
    results = [json.loads((folder / "result.json").read_bytes()) for folder in folders]
    assert [result["outcome"] for result in results] == ["ok"] * 3
    assert [result["tools"] for result in results] == [{"Write": 2, "Read": 1}, *[{"Write": 1, "Read": 1}] * 2]
    assert [result["denied"] for result in results] == [[]] * 3
    each = results[1]["cost_usd"] / 3
    assert [result["cost_usd"] for result in results] == [pytest.approx(each * count) for count in (4, 3, 3)]
    for folder in folders:
        assert [json.loads(line) for line in (folder / "transcript.jsonl").read_text().splitlines()]
        assert "I am done." in (folder / "events.log").read_text()
    status = json.loads(place.flagstone("status", "t", "--json").text)[0]
    assert status["cost_usd"] == pytest.approx(each * len(api.asked))
    assert status["stages"][0]["cost_usd"] == status["cost_usd"]
    assert (status["stages"][0]["calls"], status["stages"][0]["state"]) == (3, "waits for you")
    kept = [path for path in study.root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert kept == []


def test_a_tool_may_run_for_longer_than_the_agent_may_be_silent(study: Study, place: Place, api: MessagesApi) -> None:
    limit(study, silence_s=5, attempts=1)
    train = Says(tools=(("Bash", {"command": f"sleep 10; echo trained > {SURVEY}"}),), tokens=COST)
    api.plays(train, *attempt(study, 1, summary("Nothing is known.")))
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    assert study.built() == ["01"] and (study.root / SURVEY).read_text() == "trained\n"


def test_a_lost_conversation_is_begun_anew_once(study: Study, place: Place, api: MessagesApi) -> None:
    api.plays(
        write(study, SURVEY, "# What is known\n"),
        *attempt(study, 1, summary("Nothing is known.")),
    )
    assert place.flagstone("run", "t").code == 0
    for record in study.root.glob("drafts/01/conversation-*/config/projects/*/*.jsonl"):
        record.unlink()
    study.ask("01", "Say it with more heliotrope.")
    api.plays(*attempt(study, 3, summary("Nothing is known, in heliotrope.")))
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    assert "in heliotrope" in study.summary("01").read_text()
    # whoever begins anew is told everything again
    assert "Does it work?" in "".join(api.asked[0].heard)
    assert "more heliotrope" in "".join(api.asked[0].heard)


def test_a_passing_error_is_waited_for_and_a_login_that_failed_is_not(
    study: Study, place: Place, api: MessagesApi
) -> None:
    api.plays(Fails(500), Fails(401))
    said = place.flagstone("run", "t")
    assert (said.code, said.has_traceback) == (3, False), said.text
    assert "log in" in said.text
    assert len(api.asked) == 2


def test_an_outage_is_shown_with_its_time_and_uses_up_no_attempt(study: Study, place: Place, api: MessagesApi) -> None:
    limit(study, retry_s=1, attempts=1)
    is_back = threading.Event()

    def work() -> Iterator[Says]:
        number = max(int(folder.name) for folder in study.files.drafts("01").glob("[0-9]*"))
        yield write(study, SURVEY, "# What is known\n")
        yield from attempt(study, number, summary("Nothing is known."))

    replies = work()
    api.plays(lambda _: next(replies) if is_back.is_set() else Fails(500))
    running = place.start_flagstone("run", "t")
    waits = r"waiting for the API since \d\d:\d\d"
    wait_until(lambda: re.search(waits, place.flagstone("status", "t").text), "status to say so")
    is_back.set()
    said = ended(running)
    assert said.code == 0 and re.search(waits, said.text), said.text
    assert study.built() == ["01"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_who_stops_a_run_finds_it_as_it_was_and_can_go_on(
    study: Study, place: Place, api: MessagesApi, number: signal.Signals
) -> None:
    api.plays(write(study, SURVEY, "# What is known\n"), Breaks("stall"))
    running = place.start_flagstone("run", "t")
    wait_until(lambda: len(api.asked) == 2, "the model to be asked")
    os.killpg(running.pid, number)
    said = ended(running)
    assert (said.code, said.has_traceback) == (130, False), said.text
    (folder,) = study.files.drafts("01").glob("conversation-*")
    assert marked(folder.name.encode()) == []
    api.plays(*attempt(study, 2, summary("Nothing is known.")))
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    assert study.built() == ["01"]
    assert "Does it work?" in "".join(api.asked[0].heard), "the conversation did not go on"
