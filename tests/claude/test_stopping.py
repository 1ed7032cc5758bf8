"""However a call is ended, it is ended soon, and nothing of it is left running."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from desk import Desk, then, wait_until
from messages_api import Breaks, MessagesApi, Says, use

from flagstone.agents.protocol import CallOutcome, Limits
from flagstone.errors import Interrupted

LONG = "touch workspace/started; sleep 300"
DAEMON = "setsid sh -c 'echo > workspace/started; exec sleep 300' >/dev/null 2>&1 < /dev/null & sleep 300"


def ask_to_stop(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_it_while_the_model_thinks(desk: Desk, api: MessagesApi, number: signal.Signals) -> None:
    api.plays(then(lambda: ask_to_stop(number), Breaks("stall")))
    # whoever starts us may have had it ignored, and what is ignored stays so; here it is as in a terminal
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(Interrupted):
            desk.ask()
    finally:
        signal.signal(number, before)
    assert desk.still_running() == []


@pytest.mark.parametrize("command", [LONG, DAEMON], ids=["a command", "a daemon"])
def test_a_signal_stops_it_while_a_command_runs(desk: Desk, api: MessagesApi, command: str) -> None:
    api.plays(use("Bash", command=command, timeout=600_000))
    started = desk.workspace / "started"

    def stop() -> None:
        wait_until(started.exists, "the command")
        ask_to_stop(signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(Interrupted):
        desk.ask()
    assert desk.still_running() == []


def test_an_interrupted_conversation_goes_on(desk: Desk, api: MessagesApi) -> None:
    api.plays(then(lambda: ask_to_stop(signal.SIGTERM), Breaks("stall")))
    with pytest.raises(Interrupted):
        desk.ask(prompt="the word is heliotrope")
    api.plays(Says("here again"))
    assert desk.ask().outcome is CallOutcome.OK
    assert "heliotrope" in "".join(api.asked[-1].heard)


def test_it_is_ended_when_its_time_is_over(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Bash", command=DAEMON, timeout=600_000))
    result = desk.ask(limits=Limits(5, 60, 20, None))
    assert result.outcome is CallOutcome.TIMEOUT
    assert desk.still_running() == []


def test_it_is_ended_when_it_says_nothing(desk: Desk, api: MessagesApi) -> None:
    api.plays(Breaks("silence"))
    result = desk.ask(options={"api_timeout_s": 60}, limits=Limits(60, 3, 20, None))
    assert result.outcome is CallOutcome.SILENT
    assert desk.still_running() == []


@pytest.mark.parametrize(
    "given",
    [
        {"command": "sleep 300", "run_in_background": True},
        {"command": "sleep 300", "timeout": 1000},
        {"command": "nohup sleep 300 >/dev/null 2>&1 &"},
        {"command": "setsid -f sleep 300 >/dev/null 2>&1"},
    ],
    ids=["in the background", "longer than its time-out", "nohup", "setsid"],
)
def test_nothing_goes_on_behind_the_end_of_a_call(desk: Desk, api: MessagesApi, given: dict[str, object]) -> None:
    api.plays(use("Bash", **given), Says("done"))
    result = desk.ask(limits=Limits(30, 20, 20, None))
    assert (result.outcome, result.text, result.exit_code) == (CallOutcome.OK, "done", 0)
    assert desk.still_running() == []


def test_what_was_left_when_we_were_killed_is_ended_before_the_next_call(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Bash", command=DAEMON, timeout=600_000))
    us = os.fork()
    if us == 0:
        try:
            desk.ask()
        finally:
            os._exit(1)
    desk.calls += 1
    wait_until((desk.workspace / "started").exists, "the daemon")
    os.kill(us, signal.SIGKILL)
    os.waitpid(us, 0)
    api.plays(Says("here again"))
    assert desk.ask().outcome is CallOutcome.OK
    assert desk.still_running() == []


def test_a_command_may_be_silent_for_longer_than_the_agent(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Bash", command="sleep 8; echo trained"), Says("done"))
    result = desk.ask(limits=Limits(60, 4, 20, None))
    assert (result.outcome, result.text) == (CallOutcome.OK, "done")
    assert "trained" in str(api.asked[-1].body)


def test_an_agent_that_is_silent_after_a_command_is_ended(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Bash", command="sleep 6"), Breaks("silence"))
    result = desk.ask(options={"api_timeout_s": 60}, limits=Limits(60, 3, 20, None))
    assert result.outcome is CallOutcome.SILENT
    assert desk.still_running() == []


def test_a_command_may_run_as_long_as_the_limits_of_the_call_say(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Bash", command="sleep 60"), Says("done"))
    result = desk.ask(limits=Limits(16, 2, 20, None))
    assert (result.outcome, result.text) == (CallOutcome.OK, "done")
    (bash,) = (tool for tool in api.asked[0].body["tools"] if tool["name"] == "Bash")
    assert "default 4000, max 14400" in bash["description"]
    assert "timed out" in api.asked[-1].heard[-1]
    assert desk.still_running() == []


def test_a_step_of_an_experiment_outlives_the_command_that_waits_for_it(desk: Desk, api: MessagesApi) -> None:
    (desk.workspace / "train.py").write_text("import time\ntime.sleep(3)\nprint('val_loss: 4')\n")
    flagstone = Path(sys.executable).with_name("flagstone")  # PATH may not lead to it
    new = f"new lr --metric val_loss --mutable train.py --proposer none -- {sys.executable} train.py"
    locks = "FLAGSTONE_LOCKS=$TMPDIR/locks"  # those of the machine are out of an agent's reach
    api.plays(
        use("Bash", command=f"cd workspace && {flagstone} experiment {new}", timeout=30_000),
        use("Bash", command=f"{locks} {flagstone} experiment step lr", timeout=4000),
        use("Bash", command=f"{flagstone} experiment wait lr; {flagstone} experiment status lr", timeout=90_000),
        Says("done"),
    )
    assert desk.ask(limits=Limits(120, 30, 20, None)).outcome is CallOutcome.OK
    assert "timed out" in api.asked[2].heard[-1]
    assert "best: 4 @ r0001" in api.asked[3].heard[-1], api.asked[3].heard
    assert desk.still_running() == []
