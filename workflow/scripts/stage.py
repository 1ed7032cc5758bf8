"""Builds one stage of a run: prompt, agent, checks, repair, publication. What the stage rules call."""

from __future__ import annotations

import os
import signal
import sys


def ask_warm_server(address: str) -> int | None:
    """Lets the resident `flagstone run` do it, which has everything loaded; None where it is gone."""
    import json
    import socket

    asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        asker.connect(address)
    except OSError:
        return None
    asked = {"argv": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda told, _: asker.send(bytes([told])))
    request = json.dumps(asked).encode() + b"\n"
    sent = socket.send_fds(asker, [request], [0, 1, 2])
    asker.sendall(request[sent:])
    answer = asker.recv(1)
    return answer[0] if answer else 137


if __name__ == "__main__" and "FLAGSTONE_WARM" in os.environ:
    code = ask_warm_server(os.environ["FLAGSTONE_WARM"])
    if code is not None:
        sys.exit(code)

import argparse
import time
from pathlib import Path
from types import FrameType

from flagstone.agents.protocol import Event
from flagstone.agents.registry import agent_named
from flagstone.drafting.loop import Bench, build
from flagstone.errors import FlagstoneError, Interrupted
from flagstone.gates.opened import open_run
from flagstone.layout import Run
from flagstone.settings import find_project
from flagstone.status import write_manifest


def main(words: list[str] | None = None) -> int:
    """Exit codes: 0 published, 2 yours to put right, 3 the work failed, 130 interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", help="the stage, such as 03")
    parser.add_argument("--offer", required=True, type=Path, help="stages/NN_name.json of the run")
    parser.add_argument("--log", required=True, type=Path, help="what is said is written here as well")
    asked = parser.parse_args(words)
    run = Run(asked.offer.absolute().parent.parent)
    asked.log.parent.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, stop)
    with open(asked.log, "a", encoding="utf-8") as log:

        def say(line: str) -> None:
            stamp = time.strftime("%H:%M:%S")
            print(f"{stamp} {line}", file=sys.stderr, flush=True)
            print(f"{stamp} {line}", file=log, flush=True)

        try:
            return build_one(run, asked.stage, say)
        except (Interrupted, KeyboardInterrupt):
            say(f"stage {asked.stage} was stopped; the same command goes on where it stopped")
            return Interrupted.exit_code
        except FlagstoneError as error:
            say(error.problem)
            say(error.hint)
            return error.exit_code


def build_one(run: Run, word: str, say: object) -> int:
    assert callable(say)
    opened = open_run(find_project(Path(__file__).resolve()), run, validate=False)
    stage = opened.table.named(word)
    settings = opened.settings.for_stage(stage.nr)

    def show(event: Event) -> None:
        say(f"  {stage.nr} {event.kind:<8} {event.text}")

    bench = Bench(lambda: agent_named(settings.agent, settings.options), say, show)
    try:
        done = build(opened, stage, bench)
    finally:
        write_manifest(opened)
    say(f"stage {stage.nr} {stage.name}: {done}")
    return 0


def stop(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted("asked to stop", hint="the next run goes on where this one stopped")


if __name__ == "__main__":
    sys.exit(main())
