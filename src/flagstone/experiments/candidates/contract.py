"""What decides about the number, as one digest: spec, evaluator, metric code and protected files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.candidates.overlay import LEFT_OUT
from flagstone.globs import matches
from flagstone.plans import LARGEST, SOURCES, Spec
from flagstone.records import DigestCache, digest_value


@dataclass(frozen=True)
class Contract:
    """The files that decide, and the part of the spec that does. A file is read again only when it was touched."""

    spec: Spec
    spec_file: Path
    cache: DigestCache = field(default_factory=lambda: DigestCache(None), compare=False)
    specs: dict[str, str] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self.specs[self.digest_now(self.spec_file)] = self.spec.digest

    def begun(self) -> dict[str, str]:
        """Every file that decides, with its digest: what an experiment holds itself to from its beginning."""
        root = self.spec.subject.root
        return self.files(sorted({os.path.relpath(path, root) for path in self.named() if path.is_file()}))

    def named(self) -> Iterator[Path]:
        """Every file that is named as deciding, or is, by what is run."""
        root, subject = self.spec.subject.root, self.spec.subject
        code = self.spec.metric.options.get("code", "")
        words = [self.spec.contract, "" if "\n" in code else code]
        for step in (self.spec.harness, self.spec.evaluate, self.spec.guard):
            # an interpreter elsewhere on the machine is no part of the contract: it is renewed by others
            words += step.argv[step.argv[0].startswith("/") :] if step else ()
        for word in words:
            path = root / os.path.expanduser(word) if word else root
            if word and len(word) < 4000 and path.is_file() and not self.may_change(path):
                yield path
        yield from self.protected(root, subject.protected)

    def may_change(self, path: Path) -> bool:
        inside = path.is_relative_to(self.spec.subject.root)
        return inside and matches(path.relative_to(self.spec.subject.root).as_posix(), self.spec.subject.mutable)

    def protected(self, root: Path, globs: tuple[str, ...] | None) -> Iterator[Path]:
        """What the spec protects; without a word of it, the files beside the entry."""
        if self.spec.subject.kind == "git" and globs is None:
            return  # the tree itself holds them: an edit there is a violation
        if globs is None:
            folder = (root / self.spec.subject.entry).parent
            found = [folder / name for name in sorted(os.listdir(folder))] if folder.is_dir() else []
            yield from (path for path in found if path.is_file() and is_source(path) and not self.may_change(path))
            return
        for place, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name not in LEFT_OUT]
            above = os.path.relpath(place, root)
            for name in names:
                path = name if above == "." else f"{above}/{name}"
                if matches(path, globs) and not matches(path, self.spec.subject.mutable):
                    yield root / path

    def files(self, names: Iterable[str]) -> dict[str, str]:
        """The digest of each of these files now, by its path from the project; `gone` where it is not there."""
        return {name: self.digest_now(self.spec.subject.root / name) for name in names}

    def digest_now(self, path: Path) -> str:
        try:
            return self.cache.digest(path)
        except OSError:
            return "gone"

    def digest(self, files: Mapping[str, str]) -> str:
        content = self.digest_now(self.spec_file)
        if content not in self.specs:  # it was written to since: that matters where what decides is another by now
            self.specs[content] = Spec.digest_in(self.spec_file)
        return digest_value([self.specs[content], sorted(files.items())])

    def changed(self, began_with: Mapping[str, str], digest: str) -> str:
        """What is not as it was when the experiment began, in words with both digests; nothing where all is."""
        files = self.files(began_with)
        now = self.digest(files)
        return "" if now == digest else f"{difference(began_with, files)} (contract {digest[:16]}, now {now[:16]})"


def is_source(path: Path) -> bool:
    """Whether a file beside the entry is worth watching: logs and outputs are written all the time."""
    return path.suffix in SOURCES and path.stat().st_size <= LARGEST


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which files changed, with both digests."""
    found = [
        f"{path} was {before.get(path, 'not there')[:16]}, is {now.get(path, 'not there')[:16]}"
        for path in sorted({*before, *now})
        if before.get(path) != now.get(path)
    ]
    return "; ".join(found[:5]) or "experiment.yaml: what decides about the metric was changed"
