"""What a person sees and does while a stage is being built: live lines, Ctrl-C, a request from a second terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from workbench import PROGRAMS, Place, Study, ended, environment, wait_until

EVENT = re.compile(r"^\d\d:\d\d:\d\d   01 \d\d:\d\d \$0\.00 \w+ +\S", re.MULTILINE)
# says what it was asked, and takes its time to stop
SLOW_CLI = """
import signal, sys, time
from pathlib import Path
def asked(*_):
    Path("workspace/asked").touch()
    time.sleep(2)
    Path("workspace/finished").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, asked)
Path("workspace/half-done.txt").write_text("half of it")
print("working on it", flush=True)
Path("workspace/started").touch()
while True: time.sleep(0.05)
"""


@dataclass
class Terminal:
    """A command in the foreground of a terminal of its own."""

    words: tuple[str, ...]
    cwd: Path
    said: bytearray = field(default_factory=bytearray)
    has_ended: bool = False

    def __enter__(self) -> Terminal:
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.chdir(self.cwd)
            os.execve(PROGRAMS / self.words[0], list(self.words), environment())
        os.set_blocking(self.screen, False)
        return self

    def __exit__(self, *_: object) -> None:
        if not self.has_ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.screen)

    def press(self, keys: bytes) -> None:
        os.write(self.screen, keys)

    def read(self) -> None:
        try:
            while more := os.read(self.screen, 65_536):
                self.said += more
        except OSError:  # nothing yet, or the other side is closed
            return

    def end(self) -> int:
        """Waits for the command; its exit code."""

        def is_over() -> bool:
            self.read()
            pid, self.status = os.waitpid(self.pid, os.WNOHANG)
            return pid == self.pid

        wait_until(is_over, "the command to end")
        self.read()
        self.has_ended = True
        return os.waitstatus_to_exitcode(self.status)


@pytest.fixture
def slow(place: Place) -> Study:
    study = place.new("t")
    (place.root / "slow.py").write_text(SLOW_CLI)
    study.set(agent="command", command={"argv": [sys.executable, str(place.root / "slow.py")]})
    return study


@pytest.fixture(params=["flagstone run t", "snakemake --cores 2 --config run=t"])
def terminal(place: Place, slow: Study, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    with Terminal(tuple(request.param.split()), place.root) as opened:

        def is_at_work() -> bool:
            opened.read()
            return (slow.files.workspace / "started").exists()

        wait_until(is_at_work, "the agent")
        yield opened


def test_one_ctrl_c_asks_the_agent_to_stop_and_keeps_what_is_there(slow: Study, terminal: Terminal) -> None:
    terminal.press(b"\x03")
    code = terminal.end()
    said = terminal.said.decode(errors="replace")
    assert code in (1, 130), said
    assert (slow.files.workspace / "asked").exists()
    assert (slow.files.workspace / "finished").exists(), f"it was not given its time:\n{said}"
    assert (slow.files.workspace / "half-done.txt").read_text() == "half of it"
    assert "working on it" in (slow.files.drafts("01") / "001" / "transcript.jsonl").read_text()
    assert "Traceback" not in said


def test_a_second_ctrl_c_kills_it_at_once(slow: Study, terminal: Terminal) -> None:
    terminal.press(b"\x03")
    wait_until((slow.files.workspace / "asked").exists, "the first to arrive")
    terminal.press(b"\x03")
    terminal.end()
    assert not (slow.files.workspace / "finished").exists(), "it was waited for"
    assert (slow.files.workspace / "half-done.txt").exists()


def test_every_event_is_one_line_with_the_time_and_the_cost_so_far(place: Place) -> None:
    place.new("t", script={"01": {1: [["say", "hello there"], "instant"]}, "*": "instant"})
    said = place.snakemake()
    assert EVENT.search(said.text), said.text
    assert "hello there" in said.text


TWO_ATTEMPTS = {
    "01": {
        1: {"do": [["say", "first try"], ["sleep", 1]], "then": "write-garbage"},
        2: {"do": [["say", "second try"], ["sleep", 0.5]], "then": "instant"},
    },
    "*": "instant",
}


def test_log_f_follows_a_stage_from_before_its_first_attempt_through_all_of_them(place: Place) -> None:
    study = place.new("t", script=TWO_ATTEMPTS)
    call = place.start_snakemake()
    wait_until((study.files.drafts("01") / ".lock").exists, "the stage to be begun")
    follower = place.start_flagstone("log", "1", "-f", "--run", "t")
    said = ended(follower)
    ended(call)
    assert said.code == 0, said.text
    heard = [words for words in ("attempt 1", "first try", "attempt 2", "second try") if words in said.text]
    assert heard == ["attempt 1", "first try", "attempt 2", "second try"], said.text
    assert said.text.index("first try") < said.text.index("✗ ") < said.text.index("second try")


def test_log_of_any_agent_is_lines_that_a_person_can_read(place: Place, first: Study) -> None:
    said = place.flagstone("log", "01")
    assert "tool     wrote the instant result of stage 01" in said.text and "{" not in said.text, said.text
    assert '"kind": "tool"' in place.flagstone("log", "01", "--raw").text


def test_log_shows_an_attempt_whose_events_were_lost(place: Place, first: Study) -> None:
    folder = first.files.drafts("01") / "001"
    (folder / "events.log").unlink()
    (folder / "transcript.jsonl").write_text('{"type":"assistant","message":{"content":"found in the transcript"}}\n')
    said = place.flagstone("log", "1", "--run", "t")
    assert "found in the transcript" in said.text
    assert "$0.00" in said.text


def test_cost_and_status_say_at_least_where_a_part_is_unknown(place: Place, first: Study) -> None:
    with open(first.files.logs / "agents.jsonl", "a") as log:
        for cost in ("0.5", "null"):
            log.write(f'{{"agent":"x","stage":"01","attempt":9,"outcome":"ok","cost_usd":{cost},"wall_s":60}}\n')
    assert "at least $0.50, 1 of them unknown" in place.flagstone("cost", "t").text
    assert "at least $0.50" in place.flagstone("status", "t").text
    every = place.flagstone("cost", "t", "--calls").lines
    assert len(every) == 3
    assert "unknown" in every[-1]


KEPT_WISH = "keep ONE claim, please ~~~\n"


def write_then_kill(place: Place, study: Study, look: Path) -> None:
    """Feedback from a second terminal once `look` is there, and everything dies at that moment."""
    call = place.start_flagstone("run", "t")
    wait_until(look.exists, str(look.name))
    study.ask("01", KEPT_WISH)
    os.killpg(call.pid, signal.SIGKILL)
    ended(call)


@pytest.mark.parametrize("moment", ["while it works", "as it is published"])
def test_feedback_that_comes_just_before_a_kill_is_not_lost(place: Place, moment: str) -> None:
    study = place.new("t", script={"01": {"*": {"do": [["sleep", 0.3]], "then": "instant"}}, "*": "instant"})
    folder = study.files.drafts("01") / "001"
    write_then_kill(place, study, folder / ("commands/call.json" if moment == "while it works" else "checks.json"))
    said = place.flagstone("run", "t")
    assert said.code == 0, said.text
    last = len(study.calls("01"))
    assert any(KEPT_WISH.strip() in study.prompt("01", number) for number in range(1, last + 1))
    published = study.opened
    assert study.summary("01").is_file() and "waits for you" in said.last
    assert not place.flagstone("run", "t").text.count("starting "), "it was taken up, and once"
    assert published.run.name == "t"


def test_a_stage_can_be_watched_and_told_from_a_second_terminal(place: Place) -> None:
    study = place.new("t", script={"01": {1: {"do": [["sleep", 1]], "then": "instant"}}, "*": "instant"})
    call = place.start_flagstone("run", "t")
    wait_until((study.files.drafts("01") / "001" / "commands" / "call.json").exists, "the agent")
    assert "running" in place.flagstone("status", "t").text
    study.ask("01", KEPT_WISH)
    said = ended(call)
    assert said.code == 0
    first_call, second_call = study.calls("01")
    assert first_call["session_id"] == second_call["session_id"]
    assert KEPT_WISH.strip() in study.prompt("01", 2)


@pytest.mark.parametrize("program", ["snakemake", "flagstone"])
def test_an_abort_while_an_agent_works_ends_with_its_own_words(place: Place, program: str) -> None:
    study = place.new(script={"*": {1: {"do": [["sleep", 2]], "then": "instant"}, "*": "instant"}})
    call = place.start_snakemake() if program == "snakemake" else place.start_flagstone("run", "t")
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    assert place.flagstone("abort", "t", "--why", "superseded").code == 0
    said = ended(call)
    assert said.last.startswith("run t is aborted: superseded (") and "flagstone resume t" in said.last, said.text
    assert "01 was stopped; the run is aborted" in said.text and not said.has_traceback
    assert program == "snakemake" or said.code == 0
    assert "is aborted" in place.snakemake().last

    place.flagstone("resume", "t")
    assert "stage 01 literature_survey waits for you" in place.snakemake().last
    assert study.counts()["01"] == 1, "what the agent had done is not done again"
