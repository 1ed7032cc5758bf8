"""Builds one stage of a run: prompt, agent, checks, repair, publication. What the stage rules call."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys


def main() -> int:
    """Lets the resident `flagstone run` do it, which has everything loaded, or else does it here."""
    address = os.environ.get("FLAGSTONE_WARM")
    code = ask_warm_server(address) if address else None
    if code is None:
        from flagstone.cli.stage_job import main as build_stage

        code = build_stage(sys.argv[1:])
    return code


def ask_warm_server(address: str) -> int | None:
    """The exit code of the stage; None where the server is gone. Signals are passed on to it."""
    place, _, word = address.rpartition(" ")
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        asker.connect(place)
    except OSError:
        return None
    asked = {"argv": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "word": word}
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda told, _: asker.send(bytes([told])))
    request = json.dumps(asked).encode() + b"\n"
    sent = socket.send_fds(asker, [request], [0, 1, 2])
    asker.sendall(request[sent:])
    answer = asker.recv(1)
    return answer[0] if answer else 137


if __name__ == "__main__":
    sys.exit(main())
