"""`flagstone paper cite check`: asks the registries about every work that is to be cited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import click

from flagstone.cli.location import Location, run_option
from flagstone.cli.paper.citing.output import bounded_json, print_rows, short_row
from flagstone.errors import FlagstoneError
from flagstone.paper.citations import SOURCES, CitationRow, read_requests, references_of
from flagstone.text import count_text, list_text, one_line

FAILED = 3
ABSTRACT = 2_000  # characters


@click.command()
@click.argument("keys", nargs=-1, metavar="[KEY]…")
@click.option("--refresh", is_flag=True, help="Ask again also for what the lock file holds.")
@click.option("--json", "as_json", is_flag=True, help="Print at most 8 kB of JSON, for agents.")
@run_option
@click.pass_context
def command(ctx: click.Context, keys: tuple[str, ...], refresh: bool, as_json: bool, run_name: str | None) -> None:
    """Check that each work of sources.json exists, is the work described there, and was not retracted.

    The answers are kept in the lock file of the run, and builds without a network use them. If you name works, it shows
    the abstracts of the first three as well: quote from them.

    \b
    flagstone paper cite check
    flagstone paper cite check zhang2018mixup --refresh
    """
    location: Location = ctx.obj
    opened = location.open_run(run_name, validate=False)
    known = read_requests(opened.run)
    wanted = keys or tuple(known.by_key)
    unknown = [key for key in wanted if key not in known.by_key]
    if unknown or not wanted:
        problem = f"no request for {list_text(unknown)}" if unknown else "no request at all"
        raise FlagstoneError(
            f"{SOURCES} has {problem}{''.join(f'; {each}' for each in known.problems[:1])}",
            hint="add one: flagstone paper cite add DOI-or-arXiv-number",
        )
    click.echo(f"asking about {count_text(len(wanted), 'work')} …", err=True)
    found = references_of(opened.run, wanted, opened.settings, refresh=refresh)
    rows = sorted(found.rows, key=lambda row: row.is_settled)
    (check,) = found.checks
    abstracts = {key: one_line(found.abstracts.get(key, ""), ABSTRACT) for key in keys[:3]}
    if as_json:
        counts = dict(Counter(row.status.value for row in rows))
        about = {"counts": counts, "notes": [one_line(note, 300) for note in found.notes[:6]]}
        about |= {"abstracts": abstracts} if keys else {}
        click.echo(bounded_json(about, "works", [short_row(row) for row in rows]))
    else:
        print_works(rows, abstracts, found.notes)
    if check.status != "passed":
        ctx.exit(FAILED)


def print_works(rows: Sequence[CitationRow], abstracts: Mapping[str, str], notes: Sequence[str]) -> None:
    print_rows(rows)
    for key, abstract in abstracts.items():
        click.echo(f"abstract of {key}: {abstract or 'no registry sent one'}")
    settled = sum(row.is_settled for row in rows)
    click.echo(f"{settled} of {count_text(len(rows), 'work')} may be cited")
    for note in notes:
        click.echo(f"note: {note}", err=True)
