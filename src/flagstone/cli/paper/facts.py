"""`flagstone paper facts`: computes the facts of a paper, and shows them."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from flagstone.cli.location import Location, run_argument
from flagstone.errors import FlagstoneError
from flagstone.paper.facts import Fact, FactBook, build_facts
from flagstone.text import count_text, escaped_text, one_line

ROWS = "{:24} {:>14} {:10} {:>5}  {:10} {}"


@click.command()
@run_argument
@click.option("--json", "as_json", is_flag=True, help="Print every fact, and every problem, as JSON.")
@click.pass_obj
def command(location: Location, name: str | None, as_json: bool) -> None:
    """Show the facts of a paper: what facts.yaml names, computed from the files that the stages offer.

    Nothing is written: `flagstone paper build` does that.

    \b
    flagstone paper facts
    flagstone paper facts attn --json
    """
    run = location.run(name)
    book = build_facts(run)
    if as_json:
        facts = {key: asdict(fact) for key, fact in sorted(book.facts.items())}
        click.echo(json.dumps({"facts": facts, "problems": list(book.problems)}, indent=1, ensure_ascii=False))
    else:
        print_book(book)
    if book.problems:
        raise FlagstoneError(
            f"{count_text(max(len(book.broken), len(book.problems)), 'fact')} cannot be computed",
            hint=f"correct {location.messages(run).path(run.workspace / 'writing' / 'facts.yaml')}",
        )


def print_book(book: FactBook) -> None:
    if book.facts:
        click.echo(ROWS.format("key", "printed", "unit", "n", "kind", "from").rstrip())
    for key in sorted(book.facts):
        click.echo(row_text(book.facts[key]))
    for problem in book.problems:
        click.echo(escaped_text(problem, 400), err=True)
    if not book.facts and not book.problems:
        click.echo("workspace/writing/facts.yaml names no fact yet", err=True)


def row_text(fact: Fact) -> str:
    note = " (exploratory)" if fact.is_exploratory else ""
    source = one_line(fact.source, 90)
    return ROWS.format(fact.key, fact.printed, fact.unit, fact.n, fact.kind, source + note).rstrip()
