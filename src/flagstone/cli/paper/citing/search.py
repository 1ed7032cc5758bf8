"""`flagstone paper cite search`: finds works that exist."""

from __future__ import annotations

from typing import Any

import click

from flagstone.cli.location import Location, run_option
from flagstone.cli.paper.citing.output import bounded_json
from flagstone.errors import WorkFailed
from flagstone.paper.citations import WorkRecord, key_of, search_works
from flagstone.text import one_line


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print at most 8 kB of JSON, for agents.")
@run_option
@click.pass_obj
def command(location: Location, words: tuple[str, ...], as_json: bool, run_name: str | None) -> None:
    """Ask Crossref and arXiv for works with these WORDS in their title, their authors or their journal.

    \b
    flagstone paper cite search zhang mixup empirical risk minimization
    flagstone paper cite search --json rethinking generalization
    """
    opened = location.open_run(run_name, validate=False)
    click.echo("asking Crossref and arXiv …", err=True)
    records, problems = search_works(opened.run, " ".join(words), opened.settings)
    found = [row_of_record(record) for record in records]
    if as_json:
        click.echo(bounded_json({"could_not_ask": problems}, "found", found))
    else:
        for row in found:
            click.echo(f"{row['identifier']}\n    {row['title']}\n    {row['by']}")
        for problem in problems:
            click.echo(f"note: {problem}", err=True)
    if not found and problems:
        raise WorkFailed("nothing could be asked", hint="try again when the registries can be reached")
    if not as_json:
        click.echo(f"next: flagstone paper cite add {found[0]['identifier']}" if found else "no such work was found")


def row_of_record(record: WorkRecord) -> dict[str, Any]:
    authors = [one_line(name, 60) for name in record.authors[:3]]
    more = ["and others"] if len(record.authors) > len(authors) else []
    year = str(record.years[0]) if record.years else "no year"
    by = ", ".join(filter(None, ["; ".join([*authors, *more]), one_line(record.venue, 80), year]))
    return {"identifier": record.identifier, "title": one_line(record.title, 200), "by": by, "key": key_of(record)}
