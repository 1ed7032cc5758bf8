"""Small tools whose whole answer fits into memory, such as git."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import Popen

# a child forked by another thread between our pipe() and our close() would hold the pipe open
starting = threading.Lock()
MISSING = 127
TOO_LONG = 124


def run_quietly(
    argv: Sequence[str], cwd: Path, timeout_s: float, *, env: Mapping[str, str] | None = None, stdin: bytes = b""
) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr of a small tool: 127 if it is missing, 124 if it took too long.

    A tool ended by a signal answers 128 and the signal's number, as in a shell.
    """
    import subprocess  # here, not above: whoever only runs agents need not load it

    try:
        with starting:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
    except OSError as error:
        return MISSING, b"", f"cannot start {argv[0]}: {error.strerror}".encode()
    with process:
        try:
            stdout, stderr = process.communicate(stdin or None, timeout=timeout_s)
        except subprocess.TimeoutExpired as slow:
            kill(process)
            note = f"took longer than {timeout_s:g} s and was ended".encode()
            return TOO_LONG, slow.stdout or b"", (slow.stderr or b"") + note
        except BaseException:
            kill(process)
            raise
    code = process.returncode
    return (code if code >= 0 else 128 - code), stdout, stderr


def kill(process: Popen[bytes]) -> None:
    """Ends the tool and its group, and does not wait for pipes that someone else holds."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
