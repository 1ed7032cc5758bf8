"""One output stream of a child on its way to a file: redacted, cut into lines, capped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from flagstone.errors import WorkFailed
from flagstone.processes.command import Output, ProcessLimits
from flagstone.processes.secrets import KeyLines, Redactor

CHUNK = 65_536
TAIL = 262_144
CUT = b" [line cut]\n"


class Lines:
    """Joins chunks to whole lines and cuts those that are too long to hold."""

    def __init__(self, longest: int, redactor: Redactor) -> None:
        self.longest = longest
        self.redactor = redactor
        self.pending = bytearray()
        self.is_skipping = False
        self.cut = 0

    def feed(self, chunk: bytes) -> bytes:
        """The lines that became whole with this chunk."""
        first, newline, rest = chunk.partition(b"\n")
        if not newline:
            return self.hold(first)
        begun = b"" if self.is_skipping else self.hold(first) or bytes(self.pending) + newline
        self.is_skipping = False
        self.pending.clear()
        whole, newline, part = rest.rpartition(b"\n")
        self.pending += part
        return begun + whole + newline

    def hold(self, part: bytes) -> bytes:
        """Holds the beginning of a line until its end arrives. Passes it on early if it is too long."""
        if self.is_skipping:
            return b""
        self.pending += part
        # a little more than is kept, so that a secret across the cut is still seen whole
        if len(self.pending) <= self.longest + self.redactor.longest:
            return b""
        kept = self.redactor.clean(bytes(self.pending))[: self.longest]
        self.pending.clear()
        self.is_skipping = True
        self.cut += 1
        return kept + CUT

    def rest(self) -> bytes:
        """What stood after the last line end."""
        left = bytes(self.pending)
        self.pending.clear()
        return left


class CappedFile:
    """A file that keeps the beginning and the end of what is written, and says how much is missing."""

    def __init__(self, path: Path, limit: int, redactor: Redactor, *, is_continued: bool = False) -> None:
        self.path = path
        self.handle = open_output(path, os.O_APPEND if is_continued else os.O_TRUNC)
        self.tail_size = min(TAIL, limit // 4)
        self.room = limit - self.tail_size
        self.redactor = redactor
        self.tail = bytearray()
        self.left_out = 0
        self.is_full = False

    def write(self, lines: bytes) -> None:
        if not self.is_full and len(lines) <= self.room:
            self.put(lines)
            return
        if not self.is_full:
            end = lines.rfind(b"\n", 0, self.room) + 1
            self.put(lines[:end])
            lines = lines[end:]
            self.is_full = True
        self.tail += lines
        if len(self.tail) > 2 * self.tail_size:  # seldom: to move the whole end for every line would take most time
            self.cut_tail()

    def cut_tail(self) -> None:
        beyond = max(0, len(self.tail) - self.tail_size)
        del self.tail[:beyond]
        self.left_out += beyond

    def put(self, content: bytes) -> None:
        self.room -= len(content)
        view = memoryview(content)
        try:
            while view:
                view = view[os.write(self.handle, view) :]
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        self.cut_tail()
        if self.left_out:
            # half a line could hold half a secret
            start = self.tail.find(b"\n") + 1
            self.left_out += start
            self.tail[:start] = f"[… {self.left_out} bytes left out …]\n".encode()
        try:
            self.put(self.redactor.clean(bytes(self.tail)))
        finally:
            os.close(self.handle)


def open_output(path: Path, how: int) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | how | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> WorkFailed:
    return WorkFailed(
        f"cannot write {path}: {error.strerror or error}",
        hint="free some space or make the folder writable, then run the same command again",
    )


class WholeCopy:
    """Every byte of a stream in a file, as it came. Of what goes beyond the limit nothing is written."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.handle = open_output(path, os.O_TRUNC)
        self.room = limit

    def write(self, chunk: bytes) -> None:
        self.room -= len(chunk)
        view = memoryview(chunk if self.is_whole else b"")
        try:
            while view:
                view = view[os.write(self.handle, view) :]
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def close(self) -> None:
        os.close(self.handle)

    @property
    def is_whole(self) -> bool:
        return self.room >= 0


class Capture:
    """Reads one pipe of a child into its file and shows every line to whoever listens."""

    def __init__(
        self, fd: int, file: CappedFile, limits: ProcessLimits, redactor: Redactor, copy: WholeCopy | None = None
    ) -> None:
        self.fd = fd
        self.file = file
        self.copy = copy
        self.lines = Lines(limits.line_kb * 1000, redactor)
        self.redactor = redactor
        self.key_lines = KeyLines()
        self.on_line: Callable[[bytes], object] | None = None
        self.size = 0
        self.is_finished = False

    def read(self) -> bool | None:
        """Takes what is there: True for something, False for nothing yet, None at the end."""
        try:
            chunk = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            return None
        self.size += len(chunk)
        if self.copy is not None:
            self.copy.write(chunk)
        step = max(1, self.lines.longest)
        for start in range(0, len(chunk), step):
            self.store(self.lines.feed(chunk[start : start + step]))
        return True

    def store(self, lines: bytes) -> None:
        # what falls between beginning and end is never stored: reading a gigabyte stays quick
        if lines and not (self.file.is_full and self.on_line is None):
            lines = self.redactor.clean(self.key_lines.without_keys(lines))
        self.file.write(lines)
        if lines and self.on_line is not None:
            for line in lines.removesuffix(b"\n").split(b"\n"):
                self.is_finished = bool(self.on_line(line)) or self.is_finished

    @property
    def is_truncated(self) -> bool:
        return self.file.left_out > 0 or self.lines.cut > 0


def captures_of(
    stdout: int, stderr: int | None, output: Output, limits: ProcessLimits, redactor: Redactor
) -> list[Capture]:
    """What reads the pipes of a child, that of stdout first."""
    size = int(limits.output_mb * 1_000_000)
    log = CappedFile(output.stdout, size, redactor)
    copy = WholeCopy(output.copy, int(limits.copy_mb * 1_000_000)) if output.copy else None
    found = [Capture(stdout, log, limits, redactor, copy)]
    if stderr is not None and output.stderr is not None:
        own = log if output.stderr == output.stdout else CappedFile(output.stderr, size, redactor)
        found.append(Capture(stderr, own, limits, redactor))
    return found


def close_captures(captures: Iterable[Capture]) -> None:
    """Writes what stood after the last line end of each stream, and closes the files."""
    with ExitStack() as files:
        for each in dict.fromkeys(file for capture in captures for file in (capture.file, capture.copy) if file):
            files.callback(each.close)
        for capture in captures:
            capture.store(capture.lines.rest())
