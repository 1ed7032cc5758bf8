"""build.json: what the paper was last built from, so that what did not change is not done again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flagstone.records import content_of, digest_bytes, digest_value, read_as, write_record

NAME = "build.json"


@dataclass(frozen=True)
class BuildRecord:
    """The digest of what LaTeX read and of what it made, and what its log says of references."""

    sources: str = ""
    pdf: str = ""
    log: str = ""
    undefined: tuple[str, ...] = ()
    style_files: dict[str, str] = field(default_factory=dict)
    is_draft: bool = False

    @property
    def key(self) -> str:
        """Which PDF of which sources this is about."""
        return digest_value([self.sources, self.pdf])


def read_build(out: Path) -> BuildRecord:
    return read_as(out / NAME, BuildRecord) or BuildRecord()


def write_build(out: Path, record: BuildRecord) -> None:
    if record != read_build(out):
        write_record(out / NAME, vars(record))


def digest_of(path: Path) -> str:
    content = content_of(path)
    return "" if content is None else digest_bytes(content)
