"""Hands a job to a process that has everything loaded, if there is one. It imports next to nothing."""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while this loads ends it without a traceback

import json  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402

PASSED_ON = (signal.SIGINT, signal.SIGTERM)
signal.signal(signal.SIGINT, signal.default_int_handler)


def ask_warm_server(variable: str) -> int | None:
    """Returns the exit code of the job, or None if there is no server. Passes signals on to the job."""
    place, _, word = os.environ.get(variable, "").rpartition(" ")
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        asker.connect(place)
    except OSError:
        return None
    asked = {"argv": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ), "word": word}
    request = json.dumps(asked).encode() + b"\n"
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # signals that come meanwhile are passed on after the request
    for number in PASSED_ON:
        signal.signal(number, lambda told, _: asker.send(bytes([told])))
    try:
        sent = socket.send_fds(asker, [request], [0, 1, 2])
        asker.sendall(request[sent:])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        answer = asker.recv(1)
    except OSError:  # the server ended before it had read the request
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        return None
    return answer[0] if answer else 137
