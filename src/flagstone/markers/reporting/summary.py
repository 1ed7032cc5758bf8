"""All about a marker on one page that needs nothing else: what was tried, what was kept and why, with pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import OpenedExperiment, open_experiment
from flagstone.experiments.ledger import History
from flagstone.experiments.reporting import draw, report_of
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.ideas import read_ideas
from flagstone.markers.marker import Marker
from flagstone.markers.reporting.confidence import confidence_lines, confidence_of
from flagstone.markers.reporting.results import result_rows
from flagstone.markers.reporting.state import state_of
from flagstone.records import write_atomic
from flagstone.text import printable_text

if TYPE_CHECKING:
    from jinja2 import Template
    from markdown_it import MarkdownIt

HERE = Path(__file__).parent
SHOWN = 5  # experiments, the newest first: of the others the page has the runs alone
ROWS = 1000
DIFF_CHARACTERS = 100_000


@dataclass(frozen=True)
class Part:
    """One experiment on the page. `problem` says why it cannot be shown; `report` is HTML, `picture` base64."""

    home: str
    problem: str = ""
    report: str = ""
    picture: str = ""
    diff: str = ""
    is_cut: bool = False


def write_summary(marker: Marker, schemas: Path) -> Path:
    """Writes the page of a marker as it stands now. Returns its path."""
    folder = MarkerFolder.of(marker.repository, marker.name)
    rows = result_rows(folder)
    if not rows:
        raise FlagstoneError(
            f"marker {marker.name} has no runs yet", hint=f"make some: flagstone marker run {marker.name!r}"
        )
    page = template().render(
        marker=marker,
        state=state_of(marker),
        confidence=list(confidence_lines(confidence_of(folder))),
        parts=list(parts_of(folder, schemas)),
        rows=rows[-ROWS:][::-1],
        left_out=max(0, len(rows) - ROWS),
        ideas=[each for each in read_ideas(folder).ideas if not each.is_dropped],
    )
    write_atomic(folder.summary, page.encode("utf-8", "replace"))
    return folder.summary


def parts_of(folder: MarkerFolder, schemas: Path) -> Iterator[Part]:
    """The newest experiments. One that cannot be opened, because its commit is gone for example, says why."""
    for home in reversed(folder.homes[-SHOWN:]):
        if History.read(home).progress.best is None:
            yield Part(home.root.name, problem="Nothing valid was measured in it.")
            continue
        try:
            yield part_of(open_experiment(home, schemas))
        except FlagstoneError as error:
            yield Part(home.root.name, problem=str(error))


def part_of(opened: OpenedExperiment) -> Part:
    best = History.read(opened.home).progress.best
    diff = printable_text(opened.subject.diff(opened.base.tree, best.tree)) if best else ""
    with TemporaryDirectory() as folder:
        picture = Path(folder) / "picture.svg"
        draw(opened.home, opened.spec, picture)
        content = base64.b64encode(picture.read_bytes()).decode()
    return Part(
        home=opened.home.root.name,
        report=str(renderer().render(printable_text(report_of(opened).partition("\n")[2]))),
        picture=content,
        diff=diff[:DIFF_CHARACTERS],
        is_cut=len(diff) > DIFF_CHARACTERS,
    )


@cache
def renderer() -> MarkdownIt:
    """Agents wrote parts of a report: no HTML of theirs, no pictures and no links."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).disable(["image", "link", "autolink"])


@cache
def template() -> Template:
    """The page. Every value is escaped, and printable_text of what hides or reorders text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def clean_value(value: object) -> object:
        return value if isinstance(value, Markup) else printable_text(str(value))

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=clean_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("summary.html.j2")
