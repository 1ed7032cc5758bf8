"""Python tracebacks in the lines of a log: of several processes at once, chained, and however many frames deep."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

START = re.compile(r"(?P<prefix>.{0,160}?)Traceback \(most recent call last\):?\s*\Z")
FRAME = re.compile(r'\s+File "')
MARKS = re.compile(r"\s*[~^]+\s*\Z")
TIME = re.compile(r"\d[\d:.,TZ/-]*:[\d:.,Z]*\d")
TIME_PATTERN = r"\d[\d:.,TZ/ -]*:[\d:.,Z]*\d"
NAMED = re.compile(r"(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*(?::|\Z)|[A-Z]\w*(?::|\Z)")
SURELY = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Warning|Interrupt|Exit|Group|Expired|Failure|Timeout)\w*(?::|\Z)")
LINKS = ("The above exception was the direct cause", "During handling of the above exception")
LAUNCHERS = re.compile(r"ChildFailedError|CalledProcessError|ProcessExitedException")
SHORT = 12
NOISE = 400  # lines of others that may stand between two frames of one traceback
MESSAGE = 8
MESSAGE_AMONG_OTHERS = 4


@dataclass
class Raised:
    """One exception as a log shows it. `before` is the one it was raised from, `link` the sentence that says so."""

    prefix: str
    frames: list[str] = field(default_factory=list)
    exception: list[str] = field(default_factory=list)
    link: str = ""
    before: Raised | None = None
    noise: int = 0
    is_over: bool = False

    @property
    def chain(self) -> list[Raised]:
        """This one and what it came from, the first one first."""
        found, now = [self], self.before
        while now is not None:
            found.append(now)
            now = now.before
        return found[::-1]

    def takes(self, line: str) -> bool:
        """Adds one more line of its process; False where the line is none of it."""
        if self.is_over:
            return False
        return self.takes_message(line) if self.exception else self.takes_frame(line)

    def takes_frame(self, line: str) -> bool:
        if line[:1].isspace():
            self.frames.append(line)
            self.noise = 0
            return True
        if NAMED.match(line) and (self.frames or SURELY.match(line)):
            self.exception.append(line)
            return True
        self.noise += 1
        self.is_over = self.noise > NOISE
        return False

    def takes_message(self, line: str) -> bool:
        if FRAME.match(line) and not SURELY.match(self.exception[0]):
            self.exception.clear()  # that was a line of another process which only looked like it
            self.frames.append(line)
            return True
        longest = MESSAGE if self.prefix else MESSAGE_AMONG_OTHERS
        if not line.strip() or len(self.exception) >= longest or line.startswith(LINKS):
            self.is_over = True
            return False
        self.exception.append(line)
        return True


@dataclass
class Speaker:
    """One process of those that write into a log, known by what it puts in front of its lines."""

    prefix: str
    last: Raised | None = None
    link: str = ""

    def __post_init__(self) -> None:
        pieces = [re.escape(piece) for piece in TIME.split(self.prefix)]
        self.pattern = re.compile(TIME_PATTERN.join(pieces)) if len(pieces) > 1 else None

    def own_text(self, line: str) -> str | None:
        """The line without its prefix; None if it is not of this process."""
        if self.pattern is None:
            return line[len(self.prefix) :] if line.startswith(self.prefix) else None
        found = self.pattern.match(line)
        return line[found.end() :] if found else None

    def begins(self) -> Raised:
        chained = self.last if self.link else None
        self.last = Raised(self.prefix, link=self.link, before=chained)
        self.link = ""
        return self.last

    def hears(self, line: str) -> bool:
        if self.last is not None and self.last.takes(line):
            return True
        if self.last is not None and line.startswith(LINKS):
            self.link = line
            return True
        return False


def raised_in(lines: Iterable[str]) -> list[Raised]:
    """Every exception that ended a traceback, in the order in which they began; of a chain only the last."""
    speakers: dict[str, Speaker] = {}
    found: list[Raised] = []
    for line in lines:
        start = START.match(line)
        if start:
            prefix = start["prefix"].replace("+ Exception Group ", "| ")
            speaker = speakers.setdefault(TIME.sub("0", prefix), Speaker(prefix))
            found.append(speaker.begins())
            continue
        # the longest prefix first: the empty one fits every line
        for speaker in sorted(speakers.values(), key=lambda each: -len(each.prefix)):
            rest = speaker.own_text(line)
            if rest is not None and (speaker.hears(rest) or speaker.prefix):
                break
    linked = {id(each.before) for each in found if each.before is not None}
    return [each for each in found if id(each) not in linked and (each.exception or each.frames)]


def is_of_launcher(raised: Raised) -> bool:
    """Whether it only says that a child failed, which has said itself why."""
    return bool(raised.exception and LAUNCHERS.search(raised.exception[0]))


def outline(raised: Raised, lines: int) -> list[str]:
    """The way to an exception in about `lines` lines: first and last frames, and what it was raised from."""
    *earlier, last = raised.chain
    if lines < SHORT:
        return frame_rows(last, lines)
    shown = [*earlier[:1], *earlier[-2:]] if len(earlier) > 3 else earlier
    rows: list[str] = []
    for number, each in enumerate(shown):
        if len(earlier) > 3 and number == 1:
            rows.append(f"[… {len(earlier) - 3} exceptions left out …]")
        rows += [*link_row(each), *frame_rows(each, lines // (4 * len(shown))), *exception_rows(each)[:2]]
    return [*rows, *link_row(last), *frame_rows(last, max(2, lines - len(rows) - 1))]


def link_row(raised: Raised) -> list[str]:
    return [raised.prefix + raised.link] if raised.link else []


def exception_rows(raised: Raised) -> list[str]:
    return [raised.prefix + line for line in raised.exception]


def frame_rows(raised: Raised, lines: int) -> list[str]:
    """The first and the last frames, the last ones before all."""
    frames = frames_in(raised.frames)
    rows = [f"{raised.prefix}Traceback (most recent call last):"]
    most = max(1, (lines - 2) // 2)
    if len(frames) <= most:
        return rows + [line for frame in frames for line in frame]
    first = most // 3
    left_out = f"[… {len(frames) - most} frames left out …]"
    kept = [*frames[:first], [left_out], *frames[len(frames) - (most - first) :]]
    return rows + [line for frame in kept for line in frame]


def frames_in(lines: Sequence[str]) -> list[list[str]]:
    """The lines of each frame: where it is, and its code."""
    frames: list[list[str]] = []
    for line in lines:
        if MARKS.match(line):
            continue
        if FRAME.match(line) or not frames:
            frames.append([line])
        elif len(frames[-1]) < 2 or "Previous line repeated" in line:
            frames[-1].append(line)
    return frames
