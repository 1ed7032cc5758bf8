"""Signals and requests that ask us to stop, as something that any number of runs can wait for."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from itertools import count
from types import FrameType
from typing import Any, ClassVar

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BY_SIGNAL = "a signal asked for it"
BY_US = "it was asked to"


def restore_keyboard_interrupt() -> None:
    """Lets SIGINT stop this process, even if cron or a shell started it in the background with SIGINT ignored."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Interruption:
    """While entered, SIGINT, SIGTERM and SIGHUP ask every run of this process to stop instead of ending us.

    The main thread enters one; runs in other threads stop with it, also those that were not handed it. Leave it only
    after they have ended. Entered in another thread it hears no signals, only `ask`.
    """

    entered: ClassVar[Interruption | None] = None

    def __init__(self, *, is_shared: bool = True) -> None:
        self.is_shared = is_shared
        self.reason = BY_SIGNAL
        self.is_asked = self.is_urgent = False
        self.by_person = False  # by Ctrl-C: whatever else ends processes uses other signals
        self.signals = count(1)
        self.before: dict[int, Any] = {}
        self.wakeup: int | None = None
        self.outer: Interruption | None = None
        # once readable they stay so: each run hears of both, however late it looks, and whatever others have read
        self.asked, self.urgent = -1, -1
        # the kernel may give a signal to any thread: here it is heard although the main thread sleeps on
        self.reader, self.writer = -1, -1
        self.owner = 0

    def __enter__(self) -> Interruption:
        flags = os.EFD_CLOEXEC | os.EFD_NONBLOCK
        self.asked, self.urgent = os.eventfd(self.is_asked, flags), os.eventfd(self.is_urgent, flags)
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.owner = os.getpid()
        if self.is_shared:
            self.outer, Interruption.entered = Interruption.entered, self
        if threading.current_thread() is threading.main_thread():
            self.listen()
        return self

    def listen(self) -> None:
        self.wakeup = signal.set_wakeup_fd(self.writer, warn_on_full_buffer=False)
        for number in ASKING:
            present = signal.getsignal(number)
            # nohup has SIGHUP ignored on purpose; SIGINT is ignored for whatever a script starts in the background
            if present is not None and not (number == signal.SIGHUP and present is signal.SIG_IGN):
                self.before[number] = signal.signal(number, self.note)

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before.clear()
        if self.wakeup is not None:
            signal.set_wakeup_fd(self.wakeup)
        if self.is_shared:
            Interruption.entered = self.outer
        handles = (self.asked, self.urgent, self.reader, self.writer)
        self.asked = self.urgent = self.reader = self.writer = -1
        for handle in handles:
            os.close(handle)

    def note(self, number: int, frame: FrameType | None) -> None:
        """What Python tells the main thread, once it is awake: by then a run may have heard already."""
        self.hear()

    def hear(self) -> None:
        """Takes the signals that came, from any thread: the first one asks, the next one will not wait."""
        try:
            numbers = os.read(self.reader, 4096)
        except BlockingIOError:
            return
        for number in filter(self.before.__contains__, numbers):
            self.by_person = self.by_person or number == signal.SIGINT
            self.raise_flags(is_urgent=next(self.signals) > 1)

    def ask(self, *, is_urgent: bool = False, reason: str = BY_US) -> None:
        """Asks every run to stop, from any thread; an urgent request does not wait for the children."""
        if not self.is_asked:
            self.reason = reason
        self.raise_flags(is_urgent=is_urgent)

    def raise_flags(self, *, is_urgent: bool) -> None:
        self.is_asked = True
        self.is_urgent = self.is_urgent or is_urgent
        for handle in (self.asked, self.urgent) if is_urgent else (self.asked,):
            # before it was entered and after it was left there is nobody to wake
            with suppress(OSError, ValueError):
                os.eventfd_write(handle, 1)

    @staticmethod
    def of_this_process() -> Interruption | None:
        """The one that was entered here; what a forked child has of its parent's is not its own."""
        here = Interruption.entered
        return here if here is not None and here.owner == os.getpid() else None
