"""Packs a run: what belongs to it, without secrets, paths of a machine or names of people."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flagstone.artifacts.formats import Unreadable, read_plain
from flagstone.bundle.archive import record_bytes, write_archive
from flagstone.bundle.contents import PackedFile, parts_of, stores_of
from flagstone.bundle.crate import METADATA, WORKFLOW, Described, metadata_of
from flagstone.bundle.describing import environment_of, facts_of, licences_of, readme_of
from flagstone.bundle.people import People, without_names
from flagstone.bundle.scanning import Leak, Scanner
from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Store
from flagstone.gates import RunConfig, listed_paths, offer_of
from flagstone.globs import matches
from flagstone.layout import shipped_files
from flagstone.processes import Redactor
from flagstone.records import digest_bytes
from flagstone.seals import login_name, names_to_hide
from flagstone.text import count_text, list_text

LARGEST_BYTES = 100_000_000
README, NOTES, ENVIRONMENT = "README.md", "bundle.json", "environment.json"
KEPT_AS_IT_IS = (".jsonl", "/prereg.json", "/start.json", "/done.json", "/verdict.json", "/trial.yaml")


@dataclass
class Notes:
    """What of the run is in the bundle in another form, or not at all: each path with a digest or a reason."""

    left_out: dict[str, str] = field(default_factory=dict)
    rewritten: dict[str, str] = field(default_factory=dict)  # with the digest before
    transcripts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written. `digest` stands for all of its files."""

    path: Path
    digest: str
    files: int
    size: int
    notes: Notes


@dataclass
class Packing:
    """One run on its way into a bundle."""

    opened: RunConfig
    with_transcripts: bool = False
    notes: Notes = field(default_factory=Notes)
    leaks: list[Leak] = field(default_factory=list)

    @cached_property
    def people(self) -> People:
        return People.of(self.opened)

    @cached_property
    def scanner(self) -> Scanner:
        run, project = self.opened.run, self.opened.project
        places = {str(run.root): "RUN", os.path.realpath(run.root): "RUN"}
        places |= {str(project.root): "PROJECT", os.path.realpath(project.root): "PROJECT"}
        names = self.people.names | ({login_name(os.getuid())} - {*self.people.public})
        return Scanner(Redactor.of(os.environ), places, names_to_hide(names))

    @cached_property
    def decisions(self) -> dict[Path, bytes]:
        return without_names(self.opened.run, self.people, self.scanner.harmless_text)

    @cached_property
    def sealed_paths(self) -> set[str]:
        """Every file whose digest a stage offers. It cannot be changed without breaking its seal."""
        offers = (offer_of(self.opened.run, stage) for stage in self.opened.table)
        return {path for offer in offers if offer for path in listed_paths(offer)}

    def files(self) -> Iterator[tuple[PackedFile, bytes]]:
        """Every file with its content, as it may leave."""
        for store in stores_of(self.opened.run):
            Store(store).show_to_git()
        for part in parts_of(self.opened.run):
            content = self.content_of(part)
            if content is None:
                continue
            if part.is_transcript:
                self.notes.transcripts[part.path] = digest_bytes(content)
                if not self.with_transcripts:
                    continue
            yield part, self.harmless(part, content)

    def content_of(self, part: PackedFile) -> bytes | None:
        path = self.opened.run.root / part.path
        if part.size > LARGEST_BYTES:
            self.notes.left_out[part.path] = f"{part.size} bytes; its digest is {self.opened.cache.digest(path)}"
            return None
        if path in self.decisions:
            return self.decisions[path]
        try:
            return read_plain(path, LARGEST_BYTES)
        except (Unreadable, OSError) as refusal:
            self.notes.left_out[part.path] = str(refusal)
            return None

    def harmless(self, part: PackedFile, content: bytes) -> bytes:
        """The content without what must not leave; what cannot be taken out of it is a leak."""
        found = list(self.scanner.leaks(part.path, content))
        if found and self.may_be_rewritten(part, content):
            self.notes.rewritten[part.path] = digest_bytes(content)
            return self.scanner.harmless_text(content)
        if not matches(part.path, self.opened.settings.publishable):
            self.leaks += found
        return content

    def may_be_rewritten(self, part: PackedFile, content: bytes) -> bool:
        """Records and logs of Flagstone's own that no seal names. What agents wrote is theirs to correct."""
        is_evidence = part.path in self.sealed_paths or part.path.endswith(KEPT_AS_IT_IS) or b"\0" in content
        return not (is_evidence or part.path.startswith("workspace/"))


def pack_bundle(opened: RunConfig, target: Path, *, with_transcripts: bool = False) -> Bundle:
    """Writes the bundle of a run. Raises an error, and writes nothing, if something in it must not leave."""
    packing = Packing(opened, with_transcripts)
    files = packed_files(packing)
    refuse_leaks(packing.leaks)
    digest = write_archive(target, files.items())
    return Bundle(target, digest, len(files), target.stat().st_size, packing.notes)


def packed_files(packing: Packing) -> dict[str, bytes]:
    """Everything in a bundle but the list of its digests, by path."""
    opened = packing.opened
    files, roles = {}, {}
    for part, content in packing.files():
        files[part.path], roles[part.path] = content, part.role
    own = {
        WORKFLOW: (shipped_files() / "Snakefile").read_bytes(),
        ENVIRONMENT: record_bytes(environment_of(opened)),
        NOTES: record_bytes(vars(packing.notes)),
        README: readme_of(opened, files, packing.notes.left_out),
    }
    licences = licences_of(opened.run)
    described = [
        Described(path, roles.get(path, "about this bundle"), len(content), digest_bytes(content), licences(path))
        for path, content in sorted({**files, **own}.items())
    ]
    crate = metadata_of(facts_of(opened, sorted(packing.people.known["who"].values())), described)
    return dict(sorted({**files, **own, METADATA: crate}.items()))


def refuse_leaks(leaks: Sequence[Leak]) -> None:
    if leaks:
        secrets = [found for found in leaks if "secret" in found.what]
        first = [found.text for found in (secrets or leaks)]
        raise FlagstoneError(
            f"nothing was packed, because {count_text(len(leaks), 'place')} must not leave: {list_text(first)}",
            hint="have the stage that wrote it correct that (flagstone refine NN), or let it be published as it is: "
            f"bundle: {{allow: [{leaks[0].path}]}} in run.yaml",
        )
