"""Secrets are taken out of text before it is stored anywhere."""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

SECRET_NAME = (
    *("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "PASSPHRASE"),
    *("(?:^|_)PASS(?:$|_)", "_PWD$", "(?:^|_)AUTH$", "(?:^|_)DSN$", "(?:DATABASE|DB|REDIS|MONGO|BROKER)_UR[LI]$"),
)
IN_A_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@")
SHORTEST = 8
IN_A_KEY = rb"(?:[A-Za-z0-9+/=\s:,-]|\\[rnt])"
FIRST_LINE = re.compile(rb"\s*-----BEGIN [A-Z ]*PRIVATE KEY-----\s*$")
LAST_LINE = re.compile(rb"\s*-----END [A-Z ]*-----\s*$")
FURTHER_LINE = re.compile(rb"\s*(?:[A-Za-z0-9+/=]*|(?:Proc-Type|DEK-Info): .*)\s*$")
# a plain search for the first column is ten times faster than the expression, and mostly finds nothing
SHAPES = (
    (b"sk-", rb"(?<![A-Za-z0-9])sk-(?:ant-[A-Za-z0-9_-]{8,}|[A-Za-z0-9_-]{20,})"),
    (b"gh", rb"(?<![A-Za-z0-9])gh[opusr]_[A-Za-z0-9]{20,}"),
    (b"github_pat_", rb"github_pat_[A-Za-z0-9_]{20,}"),
    (b"KIA", rb"(?<![A-Z0-9])AKIA[A-Z0-9]{16}"),
    (b"SIA", rb"(?<![A-Z0-9])ASIA[A-Z0-9]{16}"),
    (b"hf_", rb"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}"),
    (b"AIza", rb"AIza[A-Za-z0-9_-]{35}"),
    (b"xox", rb"xox[abeprs]-[A-Za-z0-9-]{10,}"),
    (b"earer", rb"(?i:(?<=bearer )|(?<=bearer: ))[A-Za-z0-9._~+/=-]{16,}"),
    (b"BEARER", rb"(?<=BEARER )[A-Za-z0-9._~+/=-]{16,}"),
    (b"://", rb"(?<=://)[^\s/:@\"'<>{}$]{1,100}:[^\s/:@\"'<>{}$]{3,200}(?=@)"),
    (b"PRIVATE KEY", rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:" + IN_A_KEY + rb"*?-----END|" + IN_A_KEY + rb"*)"),
)
LONGEST_SHAPE = 4096
NOTHING: Mapping[str, str] = {}


def secrets_of(environments: Iterable[Mapping[str, str]]) -> dict[bytes, str]:
    """The secret values of some environments, each with the name of its variable."""
    found: dict[bytes, str] = {}
    for environment in environments:
        # nearly all hold no secret: one quick look at each
        suspects = ((name, value) for name, value in environment.items() if names_secret(name) or "://" in value)
        for name, value in suspects:
            for secret in secrets_in(name, value):
                found |= dict.fromkeys(spellings(secret), name)
    return found


def spellings(secret: str) -> Iterator[bytes]:
    """A secret as it is, and as it stands in JSON."""
    for text in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text.encode("utf-8", "surrogateescape")


def secrets_in(name: str, value: str) -> Iterator[str]:
    """The secrets in one variable: its value, each line of a long value, and the password in an address."""
    if is_secret(name, value):
        yield value
        lines = (line.strip() for line in value.splitlines()[1:] and value.splitlines())
        yield from (line for line in lines if len(line) >= SHORTEST and not line.startswith("-----"))
    if "://" in value:
        yield from (password for password in IN_A_URL.findall(value) if len(password) >= SHORTEST)


def is_secret(name: str, value: str) -> bool:
    return names_secret(name) and may_be_taken_out(value)


def has_short_secret(name: str, value: str) -> bool:
    """Whether a value is named as a secret, and is too short to be told from other text."""
    return 0 < len(value) < SHORTEST and names_secret(name)


def may_be_taken_out(value: str) -> bool:
    # SSL_KEY_FILE=/etc/… names a file; taking paths out would make every log unreadable
    return len(value) >= SHORTEST and not (value.startswith("/") and os.path.exists(value))


@cache
def secret_name() -> re.Pattern[str]:
    return re.compile("|".join(SECRET_NAME), re.IGNORECASE)


@lru_cache(maxsize=1000)
def names_secret(name: str) -> bool:
    return secret_name().search(name) is not None


class Redactor:
    """Replaces the exact values of known secrets, and whatever has the shape of a key."""

    def __init__(self, secrets: Mapping[bytes, str]) -> None:
        # the longest first, so that one secret inside another leaves no remainder
        self.secrets = sorted(secrets.items(), key=lambda item: (-len(item[0]), item))
        self.longest = max([LONGEST_SHAPE, *(len(value) for value in secrets)])

    @classmethod
    def of(cls, *environments: Mapping[str, str], secret: Mapping[str, str] = NOTHING) -> Redactor:
        """The redactor for the secrets in these environments, and for every value in `secret` that is long enough."""
        found = secrets_of((*environments, secret)) if secret else secrets_of(environments)
        for name, value in secret.items():
            found |= dict.fromkeys(spellings(value), name) if may_be_taken_out(value) else {}
        return cls(found)

    def names_in(self, content: bytes | mmap.mmap) -> list[str]:
        """The variables whose secret values a content holds."""
        return sorted({name for value, name in self.secrets if content.find(value) >= 0})

    def clean(self, content: bytes) -> bytes:
        """The content without secrets."""
        holds = finder()
        for value, name in self.secrets:
            if holds(content, len(content), value, len(value)):
                content = content.replace(value, f"[redacted {name}]".encode())
        for needle, shape in SHAPES:
            if holds(content, len(content), needle, len(needle)):
                content = expression(shape).sub(b"[redacted key]", content)
        return content

    def spans(self, content: bytes) -> Iterator[tuple[int, int]]:
        """Where secrets begin and end, for whoever cannot change how long a content is."""
        holds = finder()
        needles = [*((value, re.escape(value)) for value, _ in self.secrets), *SHAPES]
        for needle, shape in needles:
            if holds(content, len(content), needle, len(needle)):
                yield from (found.span() for found in expression(shape).finditer(content))


class KeyLines:
    """Private keys that come line by line: all of one is taken out, also where it comes in many parts."""

    def __init__(self) -> None:
        self.is_inside = False

    def without_keys(self, lines: bytes) -> bytes:
        """Whole lines without those of a key."""
        if not self.is_inside and b"PRIVATE KEY-----" not in lines:
            return lines
        return b"".join(self.visible_part(line) for line in lines.splitlines(keepends=True))

    def visible_part(self, line: bytes) -> bytes:
        if self.is_inside:
            is_last = LAST_LINE.match(line) is not None
            was_inside = is_last or FURTHER_LINE.match(line) is not None
            self.is_inside = was_inside and not is_last
            return b"" if was_inside else line
        self.is_inside = FIRST_LINE.match(line) is not None
        return b"[redacted key]\n" if self.is_inside else line


@cache
def finder() -> Callable[[bytes, int, bytes, int], object]:
    """Whether a content holds a needle, by the C library, which looks twice as fast as Python does."""
    import ctypes  # here, not above: most commands redact nothing

    memmem: Any = ctypes.CDLL(None).memmem
    memmem.restype = ctypes.c_void_p
    memmem.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
    return memmem  # type: ignore[no-any-return]


@cache
def expression(shape: bytes) -> re.Pattern[bytes]:
    return re.compile(shape)
