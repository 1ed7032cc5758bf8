"""Signals that ask us to stop, as something a selector can wait for."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """While entered, SIGINT, SIGTERM and SIGHUP are counted instead of ending us.

    Only the main thread can do this; in another one nothing changes.
    """

    def __init__(self) -> None:
        self.times = 0
        self.before: dict[signal.Signals, Any] = {}
        self.reader, self.writer = -1, -1

    def __enter__(self) -> Interruption:
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        if threading.current_thread() is threading.main_thread():
            for number in ASKING:
                present = signal.getsignal(number)
                # ignored means started with nohup or in the background: that is meant
                if present is not None and present is not signal.SIG_IGN:
                    self.before[number] = signal.signal(number, self.note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        os.close(self.reader)
        os.close(self.writer)

    def note(self, number: int, frame: FrameType | None) -> None:
        self.times += 1
        try:
            os.write(self.writer, b"!")
        except OSError:
            return

    def drain(self) -> None:
        """Makes the pipe quiet again once it has woken the selector."""
        try:
            os.read(self.reader, 4096)
        except BlockingIOError:
            return
