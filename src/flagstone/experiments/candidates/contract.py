"""What decides about the number, as one digest: spec, evaluator, metric code and protected files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.candidates.folders import LEFT_OUT
from flagstone.plans import NamedFiles, Spec
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

    def begun(self, program: str | None) -> dict[str, str]:
        """Every file that decides, and the program that runs, with their digests: to these the experiment is held."""
        names = NamedFiles.of(self.spec).deciding_on_disk(LEFT_OUT)
        if program:
            names.add(program.removeprefix(f"{self.spec.subject.root}/"))  # of the project, which may be moved
        return self.files(sorted(names))

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

    def change_text(self, began_with: Mapping[str, str], digest: str) -> str:
        """Names what has changed since the experiment began, with both digests. Returns '' if nothing has."""
        files = self.files(began_with)
        now = self.digest(files)
        return "" if now == digest else f"{difference(began_with, files)} (contract {digest[:16]}, now {now[:16]})"


def difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which files changed, with both digests."""
    found = [
        f"{path} was {before.get(path, 'not there')[:16]}, is {now.get(path, 'not there')[:16]}"
        for path in sorted({*before, *now})
        if before.get(path) != now.get(path)
    ]
    return "; ".join(found[:5]) or "experiment.yaml: what decides about the metric was changed"
