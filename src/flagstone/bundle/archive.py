"""A zip file whose bytes depend on its content alone, and which is whole or absent."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from flagstone.records import cannot_write, digest_bytes, sync_folder

SUMS = "SHA256SUMS"  # in the form that `sha256sum --check` reads
FILE_MODE = 0o100644


def write_archive(target: Path, files: Iterable[tuple[str, bytes]]) -> str:
    """Writes the archive with its digests and returns the digest of these, which stands for the whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    try:
        digest = write_files(fresh, files)
        os.replace(fresh, target)
        sync_folder(target.parent)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        with suppress(OSError):
            fresh.unlink()
    return digest


def write_files(path: Path, files: Iterable[tuple[str, bytes]]) -> str:
    sums = []
    with open(path, "wb") as stream:
        with zipfile.ZipFile(stream, "w", allowZip64=True) as archive:
            for name, content in files:
                add(archive, name, content)
                sums.append(f"{digest_bytes(content)}  {name}\n")
            listed = "".join(sums).encode()
            add(archive, SUMS, listed)
        stream.flush()
        os.fsync(stream.fileno())
    return digest_bytes(listed)


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name)  # its time is the earliest that a zip file can name
    entry.create_system, entry.external_attr = 3, FILE_MODE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=6)


def record_bytes(value: Mapping[str, object]) -> bytes:
    """A record as it stands in a bundle: the same content gives the same bytes."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
