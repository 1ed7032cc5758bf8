"""Unpacks a bundle that may be hostile: within bounds, and never outside of one folder."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from flagstone.bundle.contents import is_harmless
from flagstone.errors import WorkFailed
from flagstone.text import escaped_text

MOST_FILES = 200_000
MOST_BYTES = 20_000_000_000
MOST_OF_ONE = 200_000_000
LONGEST_NAME = 1000
PLAIN_MODE = 0o100000
LINE = re.compile(r"([0-9a-f]{64})  (\S.*)\Z")
UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    RuntimeError,
    ValueError,
)
HINT = "do not use this file; ask for another copy, and compare its digest"


@contextmanager
def opened_bundle(path: Path) -> Iterator[Path]:
    """A bundle in a folder of its own, which is removed afterwards."""
    with TemporaryDirectory(prefix="flagstone-verify-") as folder:
        unpack(path, Path(folder))
        yield Path(folder)


def unpack(path: Path, folder: Path) -> None:
    """Writes every file below a folder. Raises an error before the first one if any name or size is not acceptable."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            for fault in faults_of(entries, shutil.disk_usage(folder).free):
                raise WorkFailed(f"{path} is no bundle: {fault}", hint=HINT)
            for entry in entries:
                extract(archive, entry, folder / entry.filename)
    except UNREADABLE as error:
        raise WorkFailed(f"{path} cannot be unpacked: {error}", hint=HINT) from error
    except OSError as error:
        raise WorkFailed(
            f"{path} cannot be unpacked: {error}", hint="check the path, and the room on the disk"
        ) from error


def faults_of(entries: list[zipfile.ZipInfo], free_bytes: int) -> Iterator[str]:
    """Why an archive is not unpacked, from what it says of itself."""
    if len(entries) > MOST_FILES:
        yield f"it has {len(entries)} files, more than {MOST_FILES}"
    total = sum(entry.file_size for entry in entries)
    if total > min(MOST_BYTES, free_bytes):
        yield f"its files take {total} bytes, more than is free on the disk or than any bundle has"
    seen: set[str] = set()
    names = {entry.filename for entry in entries}
    for entry in entries:
        name = escaped_text(entry.filename, 200)
        parts = entry.filename.split("/")
        if not all(parts) or {".", ".."} & set(parts) or "\\" in entry.filename or ":" in parts[0]:
            yield f"{name} is not a path below a folder"
        elif (
            len(entry.filename) > LONGEST_NAME
            or entry.filename != entry.orig_filename
            or not entry.filename.isprintable()
        ):
            yield f"{name} is not a name that a bundle has"
        elif not is_harmless(entry.filename):
            yield f"{name} is a file that git would act on"
        elif (entry.external_attr >> 16) & 0o170000 not in (0, PLAIN_MODE):
            yield f"{name} is a link or a device"
        elif entry.file_size > MOST_OF_ONE:
            yield f"{name} is larger than {MOST_OF_ONE} bytes"
        elif entry.filename in seen:
            yield f"{name} is in it twice"
        elif any("/".join(parts[:depth]) in names for depth in range(1, len(parts))):
            yield f"{name} is below a file"
        seen.add(entry.filename)


def extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Writes one file. `zipfile` reads as many bytes as the archive says, and not one more."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as source, open(target, "xb") as stream:
        shutil.copyfileobj(source, stream)
