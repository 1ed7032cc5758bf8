"""Hands a job to a process that has everything loaded, if there is one. It imports next to nothing.

The rules start it without `site` (-S), and it uses the parts in C of `signal` and `socket`: the rest of these modules
takes longer to load than to ask.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while this loads ends it without a traceback

import _socket  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

PASSED_ON = (signal.SIGINT, signal.SIGTERM)
STREAMS = b"".join(handle.to_bytes(4, sys.byteorder) for handle in (0, 1, 2))
signal.signal(signal.SIGINT, signal.default_int_handler)


def ask_warm_server(variable: str) -> int | None:
    """Returns the exit code of the job, or None if there is no server and all modules can be loaded."""
    code = ask(os.environ.get(variable, ""))
    if code is None and sys.flags.no_site:
        os.execv(sys.executable, [sys.executable, *sys.argv])
    return code


def ask(address: str) -> int | None:
    """Returns the exit code of the job, or None if there is no server. Passes signals on to the job."""
    place, _, word = address.rpartition(" ")
    asker = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        asker.connect(place)
    except OSError:
        return None
    request = request_of(word)
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # signals that come meanwhile are passed on after the request
    for number in PASSED_ON:
        signal.signal(number, lambda told, _: asker.send(bytes([told])))
    try:
        sent = asker.sendmsg([request], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, STREAMS)])
        if sent < len(request):  # a quick job may have ended already, and nobody takes even nothing then
            asker.sendall(request[sent:])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        answer = asker.recv(1)
    except OSError:  # the server ended before it had read the request
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        return None
    return answer[0] if answer else 137


def request_of(word: str) -> bytes:
    """Its length in a line; then the word, the folder, the number of arguments, these, and the environment."""
    variables = (b"=".join(pair) for pair in os.environb.items())
    words = map(os.fsencode, (word, os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:]))
    content = b"\0".join((*words, *variables))
    return b"%d\n%b" % (len(content), content)
