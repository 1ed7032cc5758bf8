"""The paper of a bundle, made again as far as no program of a stranger's has to run: facts, appendix, audit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flagstone.artifacts.rules import published_copies
from flagstone.bundle.verification.chains import Mismatch
from flagstone.gates import RunConfig, offer_of, read_text
from flagstone.layout import Run
from flagstone.paper.auditing import AuditReport, PaperParts, audit_pdf, expected_of
from flagstone.paper.building import Appendix, AppendixRequest, PaperOrder, appendix_of, paper_stage, read_manuscript
from flagstone.paper.facts import Fact, FactBook, Figures, build_facts, build_tables, write_facts
from flagstone.paper.linting import PaperSource, lint_rules_of_project, read_sources
from flagstone.records import Ledger, content_of, decode_or_none, digest_file, read_as

FACTS = ("facts.json", "facts.tex")
NOTICE = re.compile(r"\\newcommand\{\\PaperNotice\}\{(.*?)^\\newcommand", re.DOTALL | re.MULTILINE)
LENGTH = re.compile(r"-?[\d.]+(?=pt|\\)")


@dataclass(frozen=True)
class PackedPaper:
    """The paper that Flagstone built of an unpacked run."""

    opened: RunConfig

    @property
    def folder(self) -> Path:
        return self.opened.run.paper

    @property
    def is_there(self) -> bool:
        return (self.folder / FACTS[0]).is_file()

    @cached_property
    def order(self) -> PaperOrder:
        return PaperOrder(self.opened, paper_stage(self.opened), self.folder)

    @cached_property
    def book(self) -> FactBook:
        return build_facts(self.opened.run)

    @cached_property
    def source(self) -> PaperSource:
        """The sections, read by the rules of this version: a bundle could bring any."""
        return read_sources(self.opened.run.writing, lint_rules_of_project(self.opened))

    @cached_property
    def appendix(self) -> Appendix:
        """Made again from the ledgers; from what they had when the paper was built, if decisions came later."""
        found = self.appendix_now()
        built_at = str((offer_of(self.opened.run, self.order.stage) or {}).get("built_at", ""))
        if found.tex.encode() == self.printed_appendix or not built_at:
            return found
        with ledgers_until(self.opened.run, built_at):
            earlier = self.appendix_now()
        return earlier if earlier.tex.encode() == self.printed_appendix else found

    @property
    def printed_appendix(self) -> bytes | None:
        return content_of(self.folder / "appendix.tex")

    def appendix_now(self) -> Appendix:
        literals = [(each.printed, each.reason) for each in self.source.literals]
        request = AppendixRequest(self.opened.run, self.order.ancestors, literals, self.order.venue.anonymous)
        return appendix_of(request)

    def fact_faults(self) -> Iterator[Mismatch]:
        """Facts that do not come out of the results again, byte by byte."""
        for path, digest in self.known_inputs().items():
            file = self.opened.run.root / path
            if not file.is_file() or digest_file(file) != digest:
                yield Mismatch(path, f"{path} is not the file that paper/{FACTS[0]} rests on")
        for problem in self.book.problems:
            yield Mismatch("workspace/writing/facts.yaml", problem)
        with TemporaryDirectory() as again:
            write_facts(self.book, Path(again))
            for name in FACTS:
                if content_of(Path(again) / name) != content_of(self.folder / name):
                    yield Mismatch(f"paper/{name}", f"paper/{name} is not what the results of this bundle give")

    def known_inputs(self) -> dict[str, str]:
        """The files that facts.json says the facts rest on, with their digests."""
        facts = read_as(self.folder / FACTS[0], dict[str, Fact]) or {}
        return {path: digest for fact in facts.values() for path, digest in sorted(fact.inputs.items())}

    def appendix_faults(self) -> Iterator[Mismatch]:
        """Runs, ideas and decisions that the appendix does not name, or that it names and are not here."""
        for check in self.appendix.checks:
            if check.status == "failed":
                yield Mismatch("paper/appendix.tex", check.message)
        if self.printed_appendix != self.appendix.tex.encode():
            yield Mismatch("paper/appendix.tex", "paper/appendix.tex is not what the ledgers of this bundle give")

    def copy_faults(self) -> Iterator[Mismatch]:
        """Files of the paper that are not the copies that people read and approved; the seals hold for those."""
        run = self.opened.run
        for copy, original in published_copies(run).items():
            approved, path = content_of(run.root / copy), run.relative(original)
            if approved is not None and approved != content_of(original):
                yield Mismatch(path, f"{path} is not {copy}, the copy that people read")

    def audit(self) -> AuditReport:
        """The digit strings of the PDF, each explained again."""
        run = self.opened.run
        figures = Figures([], tuple(sorted((self.folder / "figures").glob("*.pdf"))))
        generated = (
            *read_manuscript(run.writing, self.opened.project.schemas).texts,
            *self.notices(),
            *self.appendix.texts,
        )
        parts = PaperParts(self.source, self.book, build_tables(run, self.book), figures, generated)
        return audit_pdf(self.folder / "paper.pdf", expected_of(parts, self.folder / "aux"))

    def notices(self) -> Iterator[str]:
        """What page one says of citations and layout."""
        yield from (LENGTH.sub("", found) for found in NOTICE.findall(read_text(self.folder / "main.tex")))


@contextmanager
def ledgers_until(run: Run, moment: str) -> Iterator[None]:
    """Takes out of the decisions and calls of an unpacked run what came after a moment, for as long as this is open."""
    ledgers = {run.seals: "at", run.logs / "agents.jsonl": "started_at"}
    whole = {path: path.read_bytes() for path in ledgers if path.is_file()}
    try:
        for path in whole:
            lines = ((line.raw, decode_or_none(line.raw, dict[str, Any]) or {}) for line in Ledger(path).lines())
            path.write_bytes(
                b"".join(raw + b"\n" for raw, entry in lines if str(entry.get(ledgers[path], "")) <= moment)
            )
        yield
    finally:
        for path, content in whole.items():
            path.write_bytes(content)
