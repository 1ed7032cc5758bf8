"""Everything that LaTeX reads for one paper, by its path in the folder that it is compiled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.paper.building.typesetting.manuscript import Manuscript
from flagstone.records import content_of, digest_bytes, digest_value
from flagstone.text import count_text, list_text

ABSTRACT = "abstract.tex"
SECTIONS = "sections"
SECTIONS_RULE = "paper-sections"


@dataclass
class TexSources:
    """The content of each source. What is missing is named by `sections_check`."""

    files: dict[str, bytes] = field(default_factory=dict)

    def add(self, path: str, content: bytes | str) -> None:
        self.files[path] = content.encode() if isinstance(content, str) else content

    @property
    def digest(self) -> str:
        return digest_value({path: digest_bytes(content) for path, content in sorted(self.files.items())})

    def lay(self, folder: Path) -> None:
        """Writes them to an empty folder."""
        for path, content in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)


def written_sources(writing: Path, manuscript: Manuscript) -> Mapping[str, bytes | None]:
    """The agent's own sources, in the order of the paper; None if one is missing or no plain file."""
    names = (ABSTRACT, *(f"{SECTIONS}/{name}.tex" for name in manuscript.all_sections))
    plain = {name: (writing / name).is_file() and not (writing / name).is_symlink() for name in names}
    return {name: content_of(writing / name) if plain[name] else None for name in names}


def sections_check(writing: Path, written: Mapping[str, bytes | None]) -> RuleCheck:
    """That each section named in paper.yaml is there, and none is left out of the paper unnoticed."""
    missing = [f"workspace/writing/{path}" for path, content in written.items() if not (content or b"").strip()]
    if missing:
        return failed_check(SECTIONS_RULE, f"write these, which are missing or empty: {list_text(missing)}")
    there = (path.relative_to(writing).as_posix() for path in sorted((writing / SECTIONS).rglob("*.tex")))
    left_out = [path for path in there if path not in written]
    if left_out:
        advice = "name these files among the sections of paper.yaml, or remove them; the paper leaves them out"
        return failed_check(SECTIONS_RULE, f"{advice}: {list_text(left_out)}")
    return passed_check(SECTIONS_RULE, f"{count_text(len(written) - 1, 'section')} and an abstract")
