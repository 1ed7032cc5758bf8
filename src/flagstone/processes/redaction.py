"""Secrets are taken out of text before it is stored anywhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

SECRET_NAME = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
SHORTEST = 8
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
    (b"PRIVATE KEY", rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END|\Z)"),
)
LONGEST_SHAPE = 4096


def secrets_of(environments: Iterable[Mapping[str, str]]) -> dict[bytes, str]:
    """The secret values of some environments, each with the name of its variable."""
    found: dict[bytes, str] = {}
    for environment in environments:
        for name, value in environment.items():
            if is_secret(name, value):
                for spelling in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
                    found[spelling.encode("utf-8", "surrogateescape")] = name
    return found


def is_secret(name: str, value: str) -> bool:
    if len(value) < SHORTEST or not names_secret(name):
        return False
    # SSL_KEY_FILE=/etc/… names a file; taking paths out would make every log unreadable
    return not (value.startswith("/") and os.path.exists(value))


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
    def of(cls, *environments: Mapping[str, str]) -> Redactor:
        """The redactor for whatever these environments hold."""
        return cls(secrets_of(environments))

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
