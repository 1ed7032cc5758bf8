"""The figures of a paper, each drawn by a job of its own, and drawn again when anything that it rests on is new."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.artifacts.formats import Unreadable, decode_text, list_files, read_bounded
from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.globs import matches
from flagstone.layout import Run
from flagstone.paper.facts.figure_checks import caption_faults, captions_in, data_faults, pdf_faults
from flagstone.paper.facts.figure_job import COLUMN_INCHES, PAGE_INCHES, FigureJob, draw
from flagstone.paper.facts.permission import Permission
from flagstone.paper.facts.request import WRITING, WrittenFile, first_problems, read_written
from flagstone.paper.facts.results_file import plain_content
from flagstone.paper.facts.tables import NAME
from flagstone.records import content_of, digest_bytes, digest_value, read_record, write_atomic, write_record
from flagstone.text import count_text

RULE = "paper-figures"
INPUT_BYTES = 64_000_000
INPUTS_BYTES = 256_000_000  # of one figure
INPUT_FILES = 2_000
VERSION = 1  # of the style and the command: raised, every figure is drawn again


@dataclass(frozen=True)
class Figures:
    """How each figure went, the PDFs that there are, and the files that they rest on."""

    checks: list[RuleCheck]
    pdfs: tuple[Path, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    drawn: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)  # what each figure says


@dataclass(frozen=True)
class DrawnFigure:
    """What is known of a drawn figure: the digests of what it was drawn from, and of what was drawn."""

    basis: str = ""
    pdf: str = ""
    data: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


def make_figures(run: Run, out: Path, *, columns: int = 2) -> Figures:
    """Draws the figures whose script, inputs or width are new, and checks all of them. `columns` are the layout's.

    A figure that cannot be drawn is removed: an older one would show other data.
    """
    written = read_written(run, "figures", NAME)
    drawing = Drawing(run, out / "figures", Permission.of(run), written, PAGE_INCHES.get(columns, COLUMN_INCHES))
    for name, asked in written.entries.items():
        drawing.make(name, asked)
    drawing.remove_others()
    faults = [*written.problems, *drawing.faults, *drawing.duplicates()]
    checks = [failed_check(RULE, fault) for fault in first_problems(faults)]
    done = drawing.done
    if not faults:
        count = count_text(len(done), "figure")
        checks = [passed_check(RULE, f"{count} drawn from declared inputs, with the data beside the picture")]
    pdfs = tuple(drawing.folder / f"{name}.pdf" for name in sorted(done))
    inputs = {path: digest for each in done.values() for path, digest in each.inputs.items()}
    return Figures(checks, pdfs, dict(sorted(inputs.items())), tuple(drawing.drawn), drawing.texts)


@dataclass
class Drawing:
    """The figures of one run while they are made."""

    run: Run
    folder: Path
    permission: Permission
    written: WrittenFile
    page_inches: float
    done: dict[str, DrawnFigure] = field(default_factory=dict)
    drawn: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.captions = captions_in(section_texts(self.run))

    def make(self, name: str, asked: Mapping[str, Any]) -> None:
        """One figure, from what is there already if that is of the same inputs."""
        try:
            job = self.job(name, asked)
            figure = self.figure_drawn_before(job) or self.draw_anew(job)
        except ValueError as error:
            self.faults.append(self.written.message(name, str(error)))
            return
        self.done[name] = figure
        caption = asked.get("caption", self.captions.get(name))
        content, data = self.contents(name)
        said: list[str] = []
        wrong = (
            *pdf_faults(content, job.inches, said),
            *data_faults(data),
            *caption_faults(caption, asked.get("bars", "")),
        )
        self.texts[name] = "".join(said)
        self.faults += [self.written.message(name, fault) for fault in wrong]

    def job(self, name: str, asked: Mapping[str, Any]) -> FigureJob:
        """What is run for a figure. Raises ValueError if one of its files cannot be used."""
        found, size = dict[str, bytes](), 0
        for path in (asked["script"], *self.named_files(asked["inputs"])):
            try:
                content = plain_content(self.run, path, INPUT_BYTES)
            except Unreadable as refusal:
                raise ValueError(f"{path} {refusal.reason}") from None
            is_code = path.endswith(".py") and path.startswith(("workspace/code/", f"{WRITING}/"))
            fault = "" if is_code else self.permission.fault(path, digest_bytes(content))
            size += len(content)
            if fault or size > INPUTS_BYTES:
                raise ValueError(fault or f"its inputs are larger than {INPUTS_BYTES // 1_000_000} MB; summarize them")
            found[path] = content
        inches = self.page_inches if asked.get("width") == "page" else COLUMN_INCHES
        return FigureJob(name, asked["script"], found, inches)

    def named_files(self, patterns: list[str]) -> Iterator[str]:
        """The files that the inputs name. A pattern that names none is a mistake."""
        for pattern in patterns:
            if not any(mark in pattern for mark in "*?["):
                if pattern.startswith("/") or ".." in pattern.split("/"):
                    raise ValueError(f"{pattern[:120]} is no file of the run; name it from the run's folder")
                yield os.path.normpath(pattern)
                continue
            top = "/".join(pattern.split("*")[0].split("/")[:-1]) or "."
            paths = list_files(self.run.root, top, limit=200_000).paths if top.startswith("workspace") else ()
            named = [path for path in paths if matches(path, [pattern])]
            if not named or len(named) > INPUT_FILES:
                why = f"{len(named)} files, more than {INPUT_FILES}" if named else "no file of the workspace"
                raise ValueError(f"{pattern[:120]} names {why}; write another pattern")
            yield from named

    def contents(self, name: str) -> tuple[bytes, bytes]:
        return (
            content_of(self.folder / f"{name}.pdf") or b"",
            content_of(self.folder / f"{name}.csv") or b"",
        )

    def figure_drawn_before(self, job: FigureJob) -> DrawnFigure | None:
        """What was drawn from the same before, and is still there as it was."""
        record = read_record(self.folder / f"{job.name}.json") or {}
        pdf, data = map(digest_bytes, self.contents(job.name))
        if (record.get("basis"), record.get("pdf"), record.get("data")) != (basis_of(job), pdf, data):
            return None
        return DrawnFigure(basis_of(job), pdf, data, digests_of(job))

    def draw_anew(self, job: FigureJob) -> DrawnFigure:
        """Draws a figure. The record comes last, so that a kill leaves nothing that is taken for it."""
        self.remove(job.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        content, data = draw(self.run, job, self.folder / ".job", self.folder / f"{job.name}.log")
        self.drawn.append(job.name)
        write_atomic(self.folder / f"{job.name}.csv", data)
        write_atomic(self.folder / f"{job.name}.pdf", content)
        figure = DrawnFigure(basis_of(job), digest_bytes(content), digest_bytes(data), digests_of(job))
        write_record(self.folder / f"{job.name}.json", vars(figure))
        return figure

    def remove(self, name: str) -> None:
        for ending in ("json", "pdf", "csv"):
            (self.folder / f"{name}.{ending}").unlink(missing_ok=True)

    def remove_others(self) -> None:
        """Removes the figures that could not be drawn, and those that figures.yaml does not name any more."""
        for name in {*self.written.entries, *(path.stem for path in self.folder.glob("*.json"))} - self.done.keys():
            self.remove(name)

    def duplicates(self) -> Iterator[str]:
        """Figures that show the same data as one before."""
        first: dict[str, str] = {}
        for name, figure in self.done.items():
            other = first.setdefault(figure.data, name)
            if other != name:
                yield self.written.message(name, f"it shows the same data as {other}; leave one of them out")


def digests_of(job: FigureJob) -> dict[str, str]:
    return {path: digest_bytes(content) for path, content in sorted(job.inputs.items())}


def basis_of(job: FigureJob) -> str:
    """One digest of everything that decides how a figure looks."""
    return digest_value([VERSION, job.name, job.script, job.inches, digests_of(job)])


def section_texts(run: Run) -> dict[str, str]:
    """The agent's sections, as far as they can be read: whoever lints them names the others."""
    found = {}
    for path in list_files(run.root, WRITING, limit=1_000).paths:
        if path.endswith(".tex"):
            try:
                found[path] = decode_text(read_bounded(run.root / path, run.root, 4_000_000))
            except Unreadable:
                continue
    return found
