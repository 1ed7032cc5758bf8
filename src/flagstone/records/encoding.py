"""JSON of records: one spelling, digests, and decoding straight into frozen dataclasses."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Hashable
from datetime import UTC, datetime
from functools import cache
from math import isfinite
from typing import Any, TypeVar

import msgspec

ZERO = "0" * 64
Kind = TypeVar("Kind")


def utc(seconds: float) -> str:
    """A moment as UTC ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(at: str) -> float:
    """A moment of a record in seconds since 1970. Returns 0 if it is no moment."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 0.0


def canonical(value: object) -> bytes:
    """One spelling for one value, so that equal records have equal digests."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def digest_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_value(value: object) -> str:
    return digest_bytes(canonical(value))


def digest_file(path: str | os.PathLike[str]) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def encode(value: object) -> bytes:
    """JSON of a record that only we read: one line, keys sorted; a number that JSON cannot hold becomes a word."""
    said = value if isinstance(value, str | int | None) else spell_nonfinite(plain_value(value))
    try:
        return msgspec.json.encode(said, order="sorted")
    except UnicodeEncodeError:  # a file name that is no UTF-8: escaped, it is read back as it was
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def plain_value(value: object) -> Any:
    """The same in dictionaries, lists, strings and numbers."""
    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)


def spell_nonfinite(value: Any) -> Any:
    """The same plain value, but NaN and infinity as words that `float` and `decode` read."""
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: spell_nonfinite(item) for key, item in value.items()}
    return [spell_nonfinite(item) for item in value] if isinstance(value, list | tuple) else value


def decode(raw: bytes, kind: type[Kind]) -> Kind:
    """A record of this kind. Unknown keys are ignored. ValueError or RecursionError if it is none."""
    try:
        record: Kind = decoder_for(kind).decode(raw)  # type: ignore[arg-type]  # mypy takes no type for hashable
        return record
    except msgspec.DecodeError:  # NaN without quotes, for example, which the json module writes and reads
        return msgspec.convert(json.loads(raw), kind, strict=False)


@cache
def decoder_for(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=False)


def decode_or_none(raw: bytes, kind: type[Kind]) -> Kind | None:
    try:
        return decode(raw, kind)
    except (ValueError, RecursionError):
        return None
