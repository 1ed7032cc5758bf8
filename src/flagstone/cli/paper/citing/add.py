"""`flagstone paper cite add`: asks for a work to be cited."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from flagstone.artifacts.formats import Unreadable, read_plain
from flagstone.cli.location import Location, run_option
from flagstone.cli.paper.citing.output import bounded_json, print_rows, short_row
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig
from flagstone.paper.citations import (
    BIB_BYTES,
    KEY,
    CitationRequest,
    CitationRow,
    CitationStatus,
    add_requests,
    look_up,
    open_file,
    request_of,
    requests_in,
)
from flagstone.text import list_text

FAILED = 3
NOT_ADDED = (CitationStatus.MISMATCH, CitationStatus.NOT_FOUND)
OPEN = "; what is marked ✗ may not be cited yet"


@click.command()
@click.argument("identifier", required=False, metavar="[DOI or arXiv number]")
@click.option("--key", default="", help="The key to cite it by (default: made of author, year and title).")
@click.option("--title", default="", help="The title that you expect. Another work is then refused.")
@click.option("--author", "authors", multiple=True, help="An author, as Family, Given. The first one is compared.")
@click.option("--year", type=int, help="The year that you expect.")
@click.option("--venue", default="", help="The journal or conference that you expect.")
@click.option("--bib", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Add all works of a .bib.")
@click.option("--json", "as_json", is_flag=True, help="Print at most 8 kB of JSON, for agents.")
@run_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    identifier: str | None,
    bib: Path | None,
    as_json: bool,
    run_name: str | None,
    **described: Any,
) -> None:
    """Add a work to sources.json (the survey's, or the paper's once that is offered), if the registries know it.

    What you do not say about it is taken from its record. A work that does not exist, or is another one than you
    describe, is not added.

    \b
    flagstone paper cite add 10.1038/nphys1170 --title "Measured measurement"
    flagstone paper cite add arXiv:1710.09412 --key zhang2018mixup
    flagstone paper cite add --bib ~/library.bib
    """
    location: Location = ctx.obj
    opened = location.open_run(run_name, validate=False)
    file, problems = open_file(opened.run), list[str]()
    if bib:
        requests, problems = requests_of_bib(bib)
    else:
        requests = [request_for(identifier or "", described)]
    rows, refused = added_rows(opened, requests)
    if as_json:
        click.echo(bounded_json({"problems": problems, "refused": refused}, "works", [short_row(row) for row in rows]))
    else:
        print_rows(rows)
        for problem in [*problems, *refused]:
            click.echo(f"note: {problem}", err=True)
        if not refused and rows:
            is_good = all(row.is_settled for row in rows)
            click.echo(f"added {list_text([row.key for row in rows])} to {file}{'' if is_good else OPEN}")
            click.echo(f"next: cite it as \\cite{{{rows[0].key}}}" if is_good else "next: flagstone paper cite check")
    if refused:
        ctx.exit(FAILED)


def requests_of_bib(path: Path) -> tuple[list[CitationRequest], list[str]]:
    try:
        return requests_in(read_plain(path.resolve(), BIB_BYTES).decode("utf-8", "replace"))
    except Unreadable as error:
        raise FlagstoneError(f"{path} cannot be read: it is {error}", hint="give a .bib in UTF-8") from error


def request_for(identifier: str, described: dict[str, Any]) -> CitationRequest:
    """The request that the options describe."""
    if not identifier and not described["title"]:
        raise FlagstoneError("no work is named", hint="give a DOI or an arXiv number, or at least --title")
    if described["key"] and not KEY.match(described["key"]):
        raise FlagstoneError(f"{described['key']!r} cannot be a key", hint="use letters, digits, : . _ + -")
    is_doi = re.search(r"(?:^|doi\.org/|doi:\s*)10\.\d{4,9}/", identifier, re.IGNORECASE)
    row = {**described, "authors": list(described["authors"]), "doi" if is_doi else "arxiv": identifier}
    request = request_of({**row, "key": described["key"] or "work"})
    assert request is not None
    return request if described["key"] else request.without_key()


def added_rows(opened: RunConfig, requests: list[CitationRequest]) -> tuple[list[CitationRow], list[str]]:
    """Looks the works up and adds those that may be cited. Returns a row for each, and why some were refused."""
    found = look_up(opened.run, requests, opened.settings, fill_in=True)
    found.save()
    rows = [CitationRow.of(work) for work in found.works]
    good = [work.request for work in found.works if work.verification.status not in NOT_ADDED]
    refused = [f"{row.key or 'it'} was not added: {row.status.value}" for row in rows if row.status in NOT_ADDED]
    if any(not request.key for request in good):
        raise FlagstoneError("nothing is known yet that a key can be made of", hint="give one: --key NAME")
    taken = add_requests(opened.run, good)
    if taken:
        refused.append(
            f"not added, because sources.json has these keys already: {list_text(taken)}; give another --key"
        )
    return rows, refused
