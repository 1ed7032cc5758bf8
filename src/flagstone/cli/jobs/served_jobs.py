"""Has the warm server do the jobs of a rule for the threads of Snakemake: no shell is started for them."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from flagstone.errors import WorkFailed
from flagstone.processes import BLOCKS

LIBRARIES = ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")
KILLED = 137


def is_done_by_server(job: str, given: Sequence[Any]) -> bool:
    """Has the warm server do a job, as Snakemake gives it to a rule. Returns False if there is no server."""
    outputs, threads, resources, log = given[1], *given[4:7]
    words = (job, outputs[0], "--log", log[0])
    code = exit_code_of(words, os.environ.get(BLOCKS, ""), shell_variables(threads, resources))
    if code:
        raise WorkFailed(f"exit code {code}: {shlex.join(words)}", hint="see what the job has said above")
    return code is not None


def exit_code_of(words: Sequence[str], address: str, environment: Mapping[str, str]) -> int | None:
    """Has the server at this address do a job, in our folder and on our terminal. Returns None if there is no server.

    We pass no signal on: the worker has to be in our process group.
    """
    place, _, word = address.rpartition(" ")
    variables = (f"{name}={value}" for name, value in environment.items())
    content = b"\0".join(map(os.fsencode, (word, os.getcwd(), str(len(words)), *words, *variables)))
    request = b"%d\n%b" % (len(content), content)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asker:
        try:
            asker.connect(place)
            sent = socket.send_fds(asker, [request], [0, 1, 2])
            asker.sendall(request[sent:])
            answer = asker.recv(1)
        except OSError:  # it ended before it had read the request
            return None
    return answer[0] if answer else KILLED


def shell_variables(threads: int, resources: Any) -> dict[str, str]:
    """What Snakemake gives to a shell command."""
    libraries = dict.fromkeys((f"{name}_NUM_THREADS" for name in LIBRARIES), str(threads))
    folder = resources.get("tmpdir")
    temporary = dict.fromkeys(("TMPDIR", "TMP", "TEMPDIR", "TEMP"), str(folder)) if folder else {}
    return {**os.environ, **libraries, "VECLIB_MAXIMUM_THREADS": str(threads), **temporary}
