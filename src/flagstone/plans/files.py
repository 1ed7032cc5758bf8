"""Which files of a project decide about the number of an experiment, and which may change."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.globs import matches
from flagstone.plans.spec import Spec
from flagstone.plans.spec_parts import SubjectSpec

LARGEST = 50_000_000
SOURCES = (".py", ".sh", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".cu", ".cpp", ".h")


@dataclass(frozen=True)
class NamedFiles:
    """The files that a spec names. Paths are relative to its project; `words` are those of its commands and modules."""

    subject: SubjectSpec
    words: frozenset[str]

    @classmethod
    def of(cls, spec: Spec) -> NamedFiles:
        code = str(spec.merged["metric"].get("code", ""))
        words = [spec.contract, "" if "\n" in code else code]
        for step in (spec.harness, spec.evaluate, spec.guard, spec.hidden):
            # an interpreter elsewhere on the machine is no part of the contract: it is renewed by others
            words += step.argv[step.argv[0].startswith("/") :] if step else ()
        return cls(spec.subject, frozenset(os.path.normpath(os.path.expanduser(word)) for word in words if word))

    def includes(self, path: str) -> bool:
        return self.may_change(path) or self.decides(path)

    def may_change(self, path: str) -> bool:
        return self.subject.may_change(path)

    def decides(self, path: str) -> bool:
        """Whether a file decides about the number: it is named as such or run, or is a source beside the entry.

        In a git work tree no file decides for being beside the entry: the tree holds it, and an edit is a violation.
        """
        if self.may_change(path):
            return False
        if path in self.words:
            return True
        if self.subject.protected is not None:
            return matches(path, self.subject.protected)
        is_beside = os.path.dirname(path) == os.path.dirname(os.path.normpath(self.subject.entry))
        return self.subject.kind == "files" and is_beside and path.endswith(SOURCES)

    def deciding_on_disk(self, left_out: Collection[str]) -> set[str]:
        """Every file that decides, in the project and, if a command names it, beside it."""
        root = self.subject.root
        named = (os.path.relpath(root / word, root) for word in self.words if os.path.isfile(root / word))
        return {path for path in named if not self.may_change(path)} | {
            path for path in self.watched_paths(root, left_out) if self.decides(path)
        }

    def watched_paths(self, root: Path, left_out: Collection[str]) -> Iterator[str]:
        """Every file that can decide without being named: in the whole project, or only beside the entry."""
        is_deep = self.subject.protected is not None
        top = root if is_deep else root / os.path.dirname(os.path.normpath(self.subject.entry))
        for place, folders, names in os.walk(top):
            folders[:] = [name for name in folders if is_deep and name not in left_out]
            above = os.path.relpath(place, root)
            paths = (name if above == "." else f"{above}/{name}" for name in names)
            # logs and outputs beside the entry are written all the time
            yield from (path for path in paths if is_deep or is_small(root / path))


def is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= LARGEST
